"""The threads of distant mounts, without threads: they work when a test says so."""

import errno
from collections import deque
from collections.abc import Callable

from gamin.config.mounts import Mount
from gamin.engine.mount_executor import MountExecutor
from gamin.engine.proxy import Batch, Request
from testkit.doubles.disk import Disk


class ThreadsInMemory:
    def __init__(self, disk: Disk, make: Callable[[bytes], MountExecutor]) -> None:
        """`make` makes what works for the mount at that point."""
        self._disk = disk
        self._make = make
        self.executors: dict[Mount, MountExecutor] = {}
        self.requests: dict[Mount, list[Request]] = {}
        """What was asked for and is not worked on yet."""
        self.silent: set[bytes] = set()
        """The points of mounts that do not answer."""
        self.broken: set[bytes] = set()
        """The points of mounts that answer every system call with an error."""
        self._answers: deque[tuple[Mount, Batch]] = deque()

    def send(self, mount: Mount, request: Request) -> None:
        if mount not in self.executors:
            self.executors[mount] = self._make(mount.point)
        self.requests.setdefault(mount, []).append(request)

    def take(self) -> list[tuple[Mount, Batch]]:
        taken = [each for each in self._answers if each[0] in self.executors]
        self._answers.clear()
        return taken

    def end(self, mount: Mount) -> None:
        self.executors.pop(mount, None)
        self.requests.pop(mount, None)

    def is_stalled(self, mount: Mount) -> bool:
        executor = self.executors.get(mount)
        has_trouble = executor is not None and executor.trouble != ""
        return has_trouble or mount.point in self.silent

    def work(self, *, newest_first: bool = False) -> bool:
        """One turn of each thread; returns whether there are answers."""
        executors = list(self.executors)
        for mount in reversed(executors) if newest_first else executors:
            self.turn(mount)
        return bool(self._answers)

    def turn(self, mount: Mount) -> None:
        """One turn of the thread of a mount, if it has one and answers. The answers
        wait until `take`, behind those of earlier turns."""
        executor = self.executors.get(mount)
        if executor is None or mount.point in self.silent:
            return
        if mount.point in self.broken:
            self._disk.failing[mount.point] = errno.EIO
        batch = executor.turn(self.requests.pop(mount, []))
        self._disk.failing.pop(mount.point, None)
        if batch:
            self._answers.append((mount, batch))

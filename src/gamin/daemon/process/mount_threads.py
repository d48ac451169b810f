"""A thread for each mount on which a system call may take for ever.

Threads and not processes: a call that waits for a server holds neither the interpreter
nor the loop, a thread needs no memory of its own to speak of, and what it finds needs
no encoding. A thread that hangs in the kernel cannot be ended; it is left behind, and
goes away when its call returns. They are daemon threads, so the process ends without
waiting for them, and whoever ends closes sockets first: the kernel may keep the
remains of the process until that call returns.
"""

import logging
import os
import select
import signal
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from gamin.backends.combined import CombinedBackend
from gamin.backends.polling import PollingBackend
from gamin.config.mounts import Mount
from gamin.engine.mount_executor import STALLED_SECONDS, MountExecutor
from gamin.engine.proxy import Batch, Request
from gamin.paths import printable
from gamin.system import errands, filesystem

logger = logging.getLogger(__name__)


NO_ANSWER = "no answer"
"""Why a mount is stalled that lets system calls wait."""


class Stalled(NamedTuple):
    """A mount that gives no answer, or nothing but errors."""

    point: bytes
    seconds: float
    """Seconds since it last answered."""
    reason: str


class MountThreads:
    def __init__(self, *, has_kernel: bool = True) -> None:
        self._has_kernel = has_kernel
        self._threads: dict[Mount, _MountThread] = {}
        self._answers: deque[tuple[_MountThread, Batch]] = deque()
        self._news = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)

    def fileno(self) -> int:
        """Readable when there are answers."""
        return self._news

    def send(self, mount: Mount, request: Request) -> None:
        thread = self._threads.get(mount)
        if thread is None:
            thread = _MountThread(mount, self._answers, self._news, self._has_kernel)
            self._threads[mount] = thread
            thread.start()
        thread.send(request)

    def take(self) -> Sequence[tuple[Mount, Batch]]:
        with suppress(BlockingIOError):
            os.eventfd_read(self._news)
        taken = []
        while self._answers:
            thread, batch = self._answers.popleft()
            if self._threads.get(thread.mount) is thread:
                taken.append((thread.mount, batch))
        return taken

    def end(self, mount: Mount) -> None:
        thread = self._threads.pop(mount, None)
        if thread is not None:
            thread.end()

    def is_stalled(self, mount: Mount) -> bool:
        thread = self._threads.get(mount)
        return thread is not None and thread.stalled(time.monotonic()) is not None

    def stalled(self) -> list[Stalled]:
        """The mounts that do not answer now, be it to these threads or to errands."""
        now = time.monotonic()
        seen = (thread.stalled(now) for thread in self._threads.values())
        found = {each.point: each for each in seen if each is not None}
        for point, seconds in errands.stalled().items():
            if point not in found or found[point].seconds < seconds:
                found[point] = Stalled(point, seconds, NO_ANSWER)
        return list(found.values())

    def close(self) -> None:
        """End all threads; the descriptor stays open for one that hangs."""
        for mount in list(self._threads):
            self.end(mount)


class _MountThread(threading.Thread):
    def __init__(
        self,
        mount: Mount,
        answers: "deque[tuple[_MountThread, Batch]]",
        news: int,
        has_kernel: bool,
    ) -> None:
        super().__init__(name=os.fsdecode(mount.point), daemon=True)
        self.mount = mount
        self._answers = answers
        self._news = news
        self._requests: deque[Request] = deque()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._lock = threading.Lock()
        """Held while `_wake` is written to or closed."""
        self._is_ended = False
        self._kernel = CombinedBackend() if has_kernel else None
        self._executor = MountExecutor(
            mount.point,
            self._kernel,
            PollingBackend(cost=time.thread_time),
            filesystem,
            time,
        )

    def send(self, request: Request) -> None:
        self._requests.append(request)
        self._notify()

    def end(self) -> None:
        self._is_ended = True
        self._notify()

    def _notify(self) -> None:
        with self._lock:
            if self._wake >= 0:
                os.eventfd_write(self._wake, 1)

    def stalled(self, now: float) -> Stalled | None:
        executor = self._executor
        since = executor.call_since
        if since is not None and now - since >= STALLED_SECONDS:
            return Stalled(self.mount.point, now - since, NO_ANSWER)
        if executor.trouble:
            seconds = now - executor.down_since
            return Stalled(self.mount.point, seconds, executor.trouble)
        return None

    def run(self) -> None:
        # Signals are for the loop's thread.
        signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())
        errands.may_wait_for(self.mount.point)
        try:
            self._serve()
        except Exception:
            where = printable(self.mount.point)
            logger.exception("a bug; %s is not watched any more", where)
        finally:
            if self._kernel is not None:
                self._kernel.close()
            with self._lock:
                os.close(self._wake)
                self._wake = -1

    def _serve(self) -> None:
        executor = self._executor
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        if self._kernel is not None:
            poll.register(self._kernel.fileno(), select.POLLIN)
        while not self._is_ended:
            deadline = executor.deadline()
            wait = None
            if deadline is not None:
                wait = max(0.0, deadline - time.monotonic()) * 1000
            poll.poll(wait)
            with suppress(BlockingIOError):
                os.eventfd_read(self._wake)
            requests = []
            while self._requests:
                requests.append(self._requests.popleft())
            if self._is_ended:
                return
            batch = executor.turn(requests)
            if batch and not self._is_ended:
                self._answers.append((self, batch))
                os.eventfd_write(self._news, 1)

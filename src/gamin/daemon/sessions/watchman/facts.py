"""What is on the disk of a root that lies on a mount which may not answer.

The loop's thread must not look at such a file. So a delivery that needs to know it
raises NotSeen before it changed anything, a thread looks, and the delivery is tried
again with what was seen. What happens to a file meanwhile makes what was seen of it
worthless.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import NamedTuple

from gamin.daemon.io.errands import Errands
from gamin.daemon.sessions.watchman.results import RootDisk
from gamin.events import AnyRow
from gamin.protocol.watchman.query.file_row import FileRow, Stat
from gamin.system import errands
from gamin.system.errands import Errand

Inode = tuple[int, int]


class Fact(NamedTuple):
    stat: Stat | None
    """None where nothing is, or nothing may be seen."""
    target: bytes | None
    """That of a symlink."""
    inode: Inode | None
    """Device and inode of what the path leads to, links followed."""


class NotSeen(Exception):
    """A delivery needs to know these paths, and must be tried again later."""

    def __init__(self, paths: Sequence[bytes]) -> None:
        super().__init__(f"{len(paths)} paths")
        self.paths = paths


class FarDisk:
    """As RootDisk, for a thread that may wait; it remembers symlinks. On the loop's
    thread it raises Distant."""

    def __init__(self, prefix: bytes) -> None:
        self._prefix = prefix
        self._disk = RootDisk(prefix)
        self._targets: dict[bytes, bytes | None] = {}

    def lstat(self, name: bytes) -> Stat | None:
        path = self._prefix + name
        return errands.at(path, partial(self._disk.lstat, name), follows=False)

    def last_stat(self, name: bytes) -> Stat | None:
        return None

    def readlink(self, name: bytes) -> bytes | None:
        if name not in self._targets:
            path = self._prefix + name
            read = partial(self._disk.readlink, name)
            self._targets[name] = errands.at(path, read, follows=False)
        return self._targets[name]


class SeenDisk:
    """As RootDisk, from facts; raises NotSeen where there is none."""

    def __init__(self, facts: "Facts", prefix: bytes) -> None:
        self._facts = facts
        self._prefix = prefix

    def lstat(self, name: bytes) -> Stat | None:
        return self._facts.of(self._prefix + name).stat

    def last_stat(self, name: bytes) -> Stat | None:
        return None

    def readlink(self, name: bytes) -> bytes | None:
        return self._facts.of(self._prefix + name).target


class Facts:
    def __init__(self) -> None:
        self._known: dict[bytes, Fact] = {}
        self._looks: list[set[bytes]] = []
        """The paths that threads are looking at, as far as nothing happened there."""

    def of(self, path: bytes) -> Fact:
        """Raises NotSeen."""
        fact = self._known.get(path)
        if fact is None:
            raise NotSeen([path])
        return fact

    def require(self, prefix: bytes, rows: Iterable[FileRow]) -> None:
        """Raises NotSeen, with all that is missing."""
        paths = [prefix + row.name for row in rows if row.exists]
        missing = [path for path in paths if path not in self._known]
        if missing:
            raise NotSeen(missing)

    def happened(self, rows: Iterable[AnyRow]) -> None:
        """What was seen of these files is not true any more."""
        if not (self._known or self._looks):
            return
        for _, path, is_dir, *_ in rows:
            if is_dir or not path:
                self._known.clear()
                for valid in self._looks:
                    valid.clear()
                return
            self._known.pop(path, None)
            for valid in self._looks:
                valid.discard(path)

    def look(
        self,
        threads: Errands,
        point: bytes,
        paths: Sequence[bytes],
        done: Callable[[], None],
    ) -> None:
        """Have the thread of the mount at that point look at the paths."""
        valid = set(paths)
        errand = Errand(point, partial(_look_at, paths))

        def seen() -> None:
            self._looks.remove(valid)
            found = errand.result()
            self._known.update((path, found[path]) for path in valid)
            done()
            if not self._looks:
                self._known.clear()

        self._looks.append(valid)
        threads.start(errand, seen, None)


def _look_at(paths: Sequence[bytes]) -> dict[bytes, Fact]:
    return {path: _fact(path) for path in paths}


def _fact(path: bytes) -> Fact:
    status, target, inode = None, None, None
    with suppress(OSError):  # nothing is there, or a mount does not answer
        status = errands.at(path, partial(os.lstat, path), follows=False)
    with suppress(OSError):
        target = errands.at(path, partial(os.readlink, path), follows=False)
    with suppress(OSError):
        found = errands.at(path, partial(os.stat, path))
        inode = (found.st_dev, found.st_ino)
    return Fact(status, target, inode)

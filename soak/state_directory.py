"""A state directory on a small file system of its own, and what is left of a save.

SQLite makes a write-ahead log (`-wal`) when it opens a database to use it, writes a
transaction's pages to it at the commit, and removes it when it closes the database. So
a server that is killed during a save leaves one, and its content says how far it came.
While the store is made there is a `-journal` instead.
"""

import os
import select
import time
from enum import Enum
from pathlib import Path

from gamin.system.inotify import HEADER, MAX_EVENT_BYTES, open_instance
from gamin.system.libc import inotify_add_watch
from testkit.actions.mounts import mount, remount, unmount

MEGABYTES = 8
"""Size of the file system."""
MODE = 0o700
"""Mode without which a server does not use the directory."""
UNWRITABLE = 0o500
"""Mode that stands for a read-only file system where none can be mounted."""
_HEADER = 32
_FRAME_HEADER = 24
"""Bytes of the header of a write-ahead log, and of that of each page in it."""
_FILLING = "filling"
_MODIFY, _CREATE, _DELETE = 0x002, 0x100, 0x200

Signature = tuple[int, int, int] | None
"""Inode, mtime and size of a write-ahead log; None where there is none."""


class Progress(Enum):
    """How far a save had come."""

    MAKING = "while the store was made"
    NOT_BEGUN = "before or after its transaction"
    OPEN = "before the transaction's pages were written"
    TORN = "while the pages were written"
    COMMITTED = "after the commit, before the log was removed"


def progress_of(log: bytes | None) -> Progress:
    """How far the transaction in a write-ahead log came (sqlite.org/fileformat2.html,
    section 4.1)."""
    if log is None:
        return Progress.NOT_BEGUN
    if not log:
        return Progress.OPEN
    if len(log) < _HEADER:
        return Progress.TORN
    frame = _FRAME_HEADER + int.from_bytes(log[8:12])
    frames, rest = divmod(len(log) - _HEADER, frame)
    if frames == 0 or rest:
        return Progress.TORN
    last = _HEADER + (frames - 1) * frame
    pages_after_commit = int.from_bytes(log[last + 4 : last + 8])
    return Progress.COMMITTED if pages_after_commit else Progress.TORN


class StateDirectory:
    def __init__(self, path: Path) -> None:
        """Call `enter_own_namespace` before, if the user may."""
        self.path = path
        path.mkdir(MODE, parents=True)
        try:
            mount(path, MEGABYTES, MODE)
            self.is_mounted = True
        except PermissionError:
            self.is_mounted = False
        self._log: Path | None = None

    def close(self) -> None:
        if self.is_mounted:
            unmount(self.path)

    # -- the write-ahead log

    def signature(self) -> Signature:
        """Differs between two logs, and between two states of one."""
        try:
            status = os.stat(self._wal())
        except (OSError, ValueError):
            return None
        return status.st_ino, status.st_mtime_ns, status.st_size

    def progress(self, before: Signature) -> Progress:
        """How far a save came that a kill interrupted, if the log was `before`."""
        if any(self.path.glob("*.sqlite-journal")):
            return Progress.MAKING
        if self.signature() in (None, before):
            return Progress.NOT_BEGUN
        return progress_of(self._wal().read_bytes())

    def _wal(self) -> Path:
        """Its path. The name of the database never changes. ValueError: there is none
        yet."""
        if self._log is None:
            [database] = self.path.glob("*.sqlite")
            self._log = database.with_name(database.name + "-wal")
        return self._log

    # -- faults

    def fill(self, spare: int) -> None:
        """Leave only so many bytes free."""
        with (self.path / _FILLING).open("wb") as file:
            free = os.fstatvfs(file.fileno())
            size = free.f_bavail * free.f_bsize - spare
            if size > 0:
                os.posix_fallocate(file.fileno(), 0, size)

    def free(self) -> None:
        (self.path / _FILLING).unlink()

    def forbid(self) -> None:
        """Let nobody write. OSError: a server does just now."""
        if self.is_mounted:
            remount(self.path, read_only=True)
        else:
            self.path.chmod(UNWRITABLE)

    def allow(self) -> None:
        if self.is_mounted:
            remount(self.path, read_only=False)
        else:
            self.path.chmod(MODE)

    def empty(self) -> None:
        """Remove all that is kept, so that the next save has to make a new store."""
        for path in self.path.iterdir():
            path.unlink()


class Writes:
    """Waits for a number of steps of a save: files that are made, written, removed.

    Where in a save a step is does not depend on how busy the machine is.
    """

    def __init__(self, directory: Path) -> None:
        self._descriptor = open_instance()
        inotify_add_watch(
            self._descriptor, os.fsencode(directory), _MODIFY | _CREATE | _DELETE
        )

    def close(self) -> None:
        os.close(self._descriptor)

    def wait(self, steps: int, process: int, seconds: float) -> int:
        """Return how many steps there were, as soon as there are so many, the process
        of this descriptor has ended, or the time is over."""
        seen, end = 0, time.monotonic() + seconds
        while seen < steps and (left := end - time.monotonic()) > 0:
            ready, _, _ = select.select([self._descriptor, process], [], [], left)
            if self._descriptor in ready:
                seen += _count(os.read(self._descriptor, MAX_EVENT_BYTES))
            elif process in ready:
                break
        return seen


def _count(events: bytes) -> int:
    count = place = 0
    while place < len(events):
        place += HEADER.size + HEADER.unpack_from(events, place)[3]
        count += 1
    return count

"""The executor's view of the disk in memory, as `gamin.system.filesystem` of the real
one."""

import errno
from collections import deque

from testkit.doubles.calls import SystemCalls
from testkit.doubles.disk import Disk

NOTHING_THERE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}
"""Errors of a look that are certain answers."""


class FilesInMemory:
    """A `gamin.engine.ports.FileSystem` that calls `calls.next` before each call."""

    def __init__(self, disk: Disk, calls: SystemCalls) -> None:
        self._disk = disk
        self._calls = calls
        self.failures: deque[Exception] = deque()
        """What the next scans raise: no descriptor left, no memory left."""

    def scan(
        self, path: bytes, changed_since_ns: int
    ) -> tuple[list[bytes], list[bytes], list[bytes]]:
        self._calls.next()
        if self.failures:
            raise self.failures.popleft()
        entries = self._disk.listing(path)
        since = changed_since_ns
        return (
            [name for name, inode in entries.items() if inode.is_dir],
            [name for name, inode in entries.items() if not inode.is_dir],
            [name for name, inode in entries.items() if 0 < since <= inode.ctime],
        )

    def probe(
        self, path: bytes, changed_since_ns: int
    ) -> tuple[bool | bytes | None, bool, int]:
        self._calls.next()
        try:
            inode = self._disk.inode(path)
        except OSError as error:
            number = error.errno or errno.EIO
            return None, False, 0 if number in NOTHING_THERE else number
        if inode.target is not None:
            return inode.target, False, 0
        return inode.is_dir, 0 < changed_since_ns <= inode.ctime, 0

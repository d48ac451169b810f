"""Rows for tests, and a disk that counts every probe."""

import stat
from typing import Any

from gamin.events import Kind
from gamin.protocol.watchman.clocks import Timeline
from gamin.protocol.watchman.query.file_row import Facts, FileRow

NOW = Timeline(start=1_700_000_000, pid=42, root=3, latest=100, oldest=10)

FILE = Facts(stat.S_IFREG | 0o644)
DIRECTORY = Facts(stat.S_IFDIR | 0o755)
LINK = Facts(stat.S_IFLNK | 0o777)


class FakeDisk:
    """A disk with the same answer for every name; it remembers which were probed."""

    def __init__(self, facts: Facts | None, target: bytes | None = None) -> None:
        self.facts = facts
        self.target = target
        self.probes: list[bytes] = []

    def last_stat(self, name: bytes) -> Facts | None:
        """Nothing is known of what is gone."""
        return None

    def lstat(self, name: bytes) -> Facts | None:
        self.probes.append(name)
        return self.facts

    def readlink(self, name: bytes) -> bytes | None:
        return self.target


def row(name: bytes = b"a.c", facts: Facts | None = None, **rest: Any) -> FileRow:
    """A changed file of which the disk says `facts`."""
    rest = {"kind": Kind.CHANGED, "disk": FakeDisk(facts), **rest}
    return FileRow(name, **rest)

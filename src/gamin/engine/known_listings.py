"""The file system as the executor sees it while a saved tree is compared.

A directory that has not changed since it was saved need not be listed again.

Contract: the entries that a comparison returns must be those on the disk. For a name
that is gone no event comes, and nothing scans the directory again by itself. So a tree
is saved only when all that is known to be gone is removed from it
(`Monitor.flush_pending`).
"""

from typing import Protocol

from gamin.engine.ports import Entries, FileSystem, Probed


class Comparing(Protocol):
    def scan(self, path: bytes) -> Entries | None:
        """What a listing of the directory would find now; None: list it."""


class KnownListings:
    """A `FileSystem` of `engine.ports`, in front of the real one."""

    def __init__(self, files: FileSystem) -> None:
        self._files = files
        self.comparing: Comparing | None = None
        """The comparison that is at work."""

    def scan(self, path: bytes, changed_since_ns: int) -> Entries:
        if self.comparing is not None and not changed_since_ns:
            known = self.comparing.scan(path)
            if known is not None:
                return known
        return self._files.scan(path, changed_since_ns)

    def probe(self, path: bytes, changed_since_ns: int) -> Probed:
        return self._files.probe(path, changed_since_ns)

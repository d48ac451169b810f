"""What a client believes to be there, from the rows it was told; and what is there.

A picture is strict: it refuses to hear that something came which it knows, or that
something went or changed which it does not know.
"""

from gamin.core.model.subscription import Scope, Subscription
from gamin.events import Kind, Row
from gamin.paths import is_within, join
from testkit.doubles.disk import READ, Disk
from testkit.doubles.versions import Versions, version_at

Entries = dict[bytes, bool]
"""Paths, and whether each is a directory; the empty one is what was asked for."""


class Contradiction(AssertionError):
    """A row that does not fit what was told before."""


class StrictBelief:
    def __init__(self) -> None:
        self.entries: Entries = {}
        self.versions: Versions = {}

    def apply(
        self, row: Row, found: Versions | None = None, *, is_belated: bool = False
    ) -> None:
        """`found` is what was there when the client was told.

        `is_belated`: it is part of a difference, where something may be said to be
        gone that the client did not know: there is no memory of every life of a name.
        """
        before = dict(self.versions) if row.kind is Kind.MOVED else {}
        self._apply(row, is_belated)
        self.versions.update(found or {})
        for path, version in (found or {}).items():
            # A move tells of no change, so what is known moves along; but what was
            # looked at by the old name was perhaps the next one there.
            known = before.get((row.source or b"") + path[len(row.path) :])
            if version is not None and known is not None and known[0] == version[0]:
                self.versions[path] = known

    def _apply(self, row: Row, is_belated: bool) -> None:
        kind, path, is_dir, source, _ = row
        entries = self.entries
        match kind:
            case Kind.MOVED:
                assert source is not None
                self._move(source, path, row)
            case Kind.EXISTS | Kind.CREATED:
                self._expect(path not in entries, row)
                entries[path] = is_dir
            case Kind.CHANGED:
                self._expect(path in entries, row)
                entries[path] = is_dir
            case Kind.DELETED if path:
                self._expect(is_belated or entries.get(path) is is_dir, row)
                entries.pop(path, None)
                if is_belated:  # with a directory all below it, told or not
                    for below in [e for e in entries if is_within(e, path)]:
                        del entries[below]
            case Kind.DELETED:
                entries.clear()

    def _move(self, source: bytes, path: bytes, row: Row) -> None:
        self._expect(source in self.entries, row)
        self._expect((path not in self.entries) is row.is_new, row)
        moved = {
            path + old[len(source) :]: is_dir
            for old, is_dir in self.entries.items()
            if is_within(old, source)
        }
        for old in [old for old in self.entries if is_within(old, source)]:
            del self.entries[old]
        self.entries.update(moved)

    def _expect(self, is_right: bool, row: Row) -> None:
        if not is_right:
            raise Contradiction(f"{row} after {self.entries}")


def outdated(
    disk: Disk, subscription: Subscription, picture: StrictBelief
) -> set[bytes]:
    """Files that are other than they were when the client was told of them last."""
    found = set()
    for path in picture.entries:
        before = picture.versions.get(path)
        now = version_at(disk, subscription, path)
        if before is not None and now is not None and before != now:
            found.add(path)
    return found


def truth(disk: Disk, subscription: Subscription) -> Entries:
    """What the client of `subscription` should believe by now."""
    real = disk.real(subscription.path)
    if real is None:
        return {}
    is_dir = disk.inode(real).is_dir
    match subscription.scope:
        case Scope.FILE:
            return {b"": is_dir}
        case _ if not is_dir:
            return {} if subscription.directory_events_only else {b"": False}
        case Scope.DIRECTORY:
            there = {join(real, n): i.is_dir for n, i in disk.listing(real).items()}
        case Scope.TREE:
            there = dict(_reached(disk, subscription, real))
    return {b"": True, **there}


def _reached(disk: Disk, subscription: Subscription, path: bytes) -> Entries:
    there = {}
    for name, inode in disk.listing(path).items():
        below = join(path, name)
        there[below] = inode.is_dir
        if inode.is_dir and inode.mode & READ and subscription.covers_directory(below):
            there.update(_reached(disk, subscription, below))
    return there

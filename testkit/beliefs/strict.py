"""The belief of a client of the core, from its rows, and the truth on the disk.

An event that does not fit the earlier ones raises `Contradiction`.
"""

from typing import NoReturn

from gamin.core.model.subscription import Scope, Subscription
from gamin.events import Kind, Row
from gamin.paths import join
from testkit.beliefs.belief import Belief, Contradiction
from testkit.doubles.disk import READ, Disk
from testkit.doubles.versions import Versions, version_at

Entries = dict[bytes, bool]
"""Paths, and whether each is a directory; the empty path is the requested one."""


class StrictBelief(Belief):
    """A belief whose contradictions are errors. Paths are as in rows: real and
    absolute."""

    def __init__(self) -> None:
        super().__init__(_refuse)
        self.versions: Versions = {}

    def start(self, entries: Entries) -> None:
        """Set what the client believes before the first row."""
        for path, is_dir in entries.items():
            self.created(path, is_dir)

    def entries(self, *, is_implied: bool = False) -> dict[bytes, bool | None]:
        found = super().entries(is_implied=is_implied)
        return {b"/" + path if path else path: kind for path, kind in found.items()}

    def apply(
        self, row: Row, found: Versions | None = None, *, is_belated: bool = False
    ) -> None:
        """`found` is what was there when the row was reported; `is_belated` as in
        `Belief.deleted`."""
        before = dict(self.versions) if row.kind is Kind.MOVED else {}
        self._apply(row, is_belated)
        self.versions.update(found or {})
        for path, version in (found or {}).items():
            # A move reports no change, so what is known moves along; but what was
            # looked at by the old name was perhaps the next one there.
            known = before.get((row.source or b"") + path[len(row.path) :])
            if version is not None and known is not None and known[0] == version[0]:
                self.versions[path] = known

    def _apply(self, row: Row, is_belated: bool) -> None:
        kind, path, is_dir, source, is_new = row
        match kind:
            case Kind.MOVED:
                assert source is not None
                self.moved(source, path, is_new)
            case Kind.EXISTS | Kind.CREATED:
                self.created(path, is_dir)
            case Kind.CHANGED:
                self.changed(path, is_dir)
            case Kind.DELETED:
                # The requested path takes everything with it, reported or not.
                self.deleted(path, is_dir, is_belated=is_belated or not path)


def _refuse(contradiction: str) -> NoReturn:
    raise Contradiction(contradiction)


def outdated(
    disk: Disk, subscription: Subscription, belief: StrictBelief
) -> set[bytes]:
    """Files that have changed since their last report to the client."""
    found = set()
    for path in belief.entries():
        before = belief.versions.get(path)
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

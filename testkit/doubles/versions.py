"""The versions of files that a client finds when it reads them at each report.

So a change that was never reported shows.
"""

from gamin.core.model.subscription import Subscription
from gamin.events import Kind, Row
from gamin.paths import join, parent
from testkit.doubles.disk import Disk

Version = tuple[int, int, int] | None
"""Which file it is, how often it was written, its mode; None where that is not fixed:
nothing is there, or no regular file; it has had several names, and changes are reported
under one; or its directory could not be read for a while, and so not be watched."""
Versions = dict[bytes, Version]


def version_at(disk: Disk, subscription: Subscription, path: bytes) -> Version:
    """The version at a row's path; the empty path is the subscription's own."""
    real = path or disk.real(subscription.path)
    try:
        return None if real is None else _version(disk, real)
    except OSError:
        return None


def probe_versions(disk: Disk, subscription: Subscription, row: Row) -> Versions:
    """The versions at a row's path; for a moved directory also below it."""
    if row.kind is Kind.DELETED:
        return {}
    if row.kind is not Kind.MOVED or not row.is_dir:
        return {row.path: version_at(disk, subscription, row.path)}
    return {row.path: None, **_below(disk, row.path)}


def _below(disk: Disk, path: bytes) -> Versions:
    found = {}
    try:
        entries = disk.listing(path)
    except OSError:
        return {}
    for name, inode in entries.items():
        below = join(path, name)
        found[below] = _version(disk, below)
        if inode.is_dir:
            found |= _below(disk, below)
    return found


def _version(disk: Disk, path: bytes) -> Version:
    inode = disk.inode(path)
    if disk.inode(parent(path)).has_been_secret:
        return None
    if inode.is_dir or inode.target is not None or inode.has_been_linked:
        return None
    return inode.number, inode.written, inode.mode

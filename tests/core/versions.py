"""What clients would find in files if they looked whenever they are told something.

So a change shows that nobody was told of. Which rows tell what is said by `picture`.
"""

from gamin.core.subscriptions import Subscription
from gamin.events import Kind, Row
from gamin.paths import join
from tests.core.disk import Disk, Inode

Version = tuple[int, int, int] | None
"""Which file it is, how often it was written, its mode; None where nothing can be said:
it is not there, no file, or has had several names, and changes are told under one."""
Versions = dict[bytes, Version]


def version_at(disk: Disk, subscription: Subscription, path: bytes) -> Version:
    """Of what a row speaks; the empty path is the subscription's own."""
    try:
        inode = disk.inode(path or subscription.path, follow=not path)
    except OSError:
        return None
    return _version(inode)


def looked_at(disk: Disk, subscription: Subscription, row: Row) -> Versions:
    """What is found because of a row: of a directory that was moved, all below it."""
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
        found[below] = _version(inode)
        if inode.is_dir:
            found |= _below(disk, below)
    return found


def _version(inode: Inode) -> Version:
    if inode.is_dir or inode.target is not None or inode.has_been_linked:
        return None
    return inode.number, inode.written, inode.mode

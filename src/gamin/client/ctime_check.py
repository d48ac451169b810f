"""Answers what a session asks about the disk: did this change since?

When it is asked, and what is told then, is decided by the session.

Everything sets the ctime of what it happens to (content, mode, renaming), and no
program can set it back. But what is in a directory is not touched when the directory
is renamed: so where another one may have come to a place, all in it counts as changed.
A rename sets the ctimes of the directory and of those it leaves and comes to. So does
a new entry in both, so that more may be told than is so, but never less.
"""

import os
import stat
from collections.abc import Iterable, Iterator

from gamin.paths import parent
from gamin.protocol.gam.client import Event, NeedsStat


def resolve_stats(told: Iterable[Event | NeedsStat]) -> Iterator[Event]:
    """The events, with every question replaced by its event or by nothing."""
    may_be_other: dict[tuple[bytes, int], bool] = {}
    for one in told:
        if isinstance(one, Event):
            yield one
            continue
        way = (parent(one.path), one.since_ns)
        if way not in may_be_other:
            may_be_other[way] = may_be_replaced(*way)
        if may_be_other[way] or changed_since(one.path, one.since_ns):
            yield one.event


def may_be_replaced(path: bytes, since_ns: int) -> bool:
    """Whether another directory, or link, may have come to `path` or above it."""
    while path != b"/":
        above = parent(path)
        if _ctime(path) > since_ns and _ctime(above) > since_ns:
            return True
        path = above
    return False


def newer(files: Iterable[str], folders: Iterable[str], since_ns: int) -> list[str]:
    """Those of the files that may be other than they were.

    `folders` are the directories they are in, parents before their children; that the
    first one is the same as before is known.
    """
    may_be_other: dict[str, bool] = {}
    has_changed: dict[str, bool] = {}
    for folder in folders:
        above = folder.rpartition("/")[0] or "/"
        has_changed[folder] = _ctime(os.fsencode(folder)) > since_ns
        may_be_other[folder] = may_be_other.get(above, False) or (
            has_changed[folder] and has_changed.get(above, False)
        )
    return [
        file
        for file in files
        if may_be_other.get(file.rpartition("/")[0] or "/")
        or changed_since(os.fsencode(file), since_ns)
    ]


def _ctime(path: bytes) -> int:
    """0 where there is nothing."""
    try:
        return os.lstat(path).st_ctime_ns
    except OSError:
        return 0


def changed_since(path: bytes, since_ns: int) -> bool:
    """True if the object, or what a symbolic link leads to, is newer by its ctime."""
    try:
        status = os.lstat(path)
        if stat.S_ISLNK(status.st_mode) and status.st_ctime_ns <= since_ns:
            status = os.stat(path)
    except OSError:
        return False  # gone again, and its Deleted is on the way
    return status.st_ctime_ns > since_ns

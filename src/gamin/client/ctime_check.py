"""Decides by ctimes whether files have changed since a given time.

The session decides when to ask and what to report then.

Everything that happens to a file (content, mode, renaming) sets its ctime, and no
program can set it back. But renaming a directory does not touch what is in it: where
another directory may have come to a path, everything in it counts as changed. A rename
sets the ctimes of the directory and of the two directories it leaves and enters. So
does a new entry in both, so these checks may report more than has changed, never less.

A path that cannot be read at this moment counts as changed, for the same reason.
"""

import os
import stat
from collections.abc import Iterable, Iterator

from gamin.paths import parent
from gamin.protocol.gam.client import Event, NeedsStat

_UNKNOWN_NS = 1 << 63
"""The ctime of an inaccessible file: later than any other, in nanoseconds."""


def resolve_stats(received: Iterable[Event | NeedsStat]) -> Iterator[Event]:
    """Yield the events, each question replaced by its event or by nothing."""
    may_be_other: dict[tuple[bytes, int], bool] = {}
    for one in received:
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
    """Return those of the files that may have changed after `since_ns`.

    `folders` are the directories that contain them, parents before their children.
    The caller knows that the first one is the same directory as before.
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
    try:
        return os.lstat(path).st_ctime_ns
    except OSError:
        return _UNKNOWN_NS


def changed_since(path: bytes, since_ns: int) -> bool:
    """Whether the object, or what a symbolic link leads to, may be newer by its ctime.

    A dangling link has the ctime of the link alone.
    """
    try:
        status = os.lstat(path)
    except OSError:
        return True  # renamed meanwhile, perhaps to come back
    changed_ns = status.st_ctime_ns
    if stat.S_ISLNK(status.st_mode) and changed_ns <= since_ns:
        try:
            changed_ns = os.stat(path).st_ctime_ns
        except OSError:
            return False
    return changed_ns > since_ns

"""Answers what a session asks about the disk: did this change since?

When it is asked, and what is told then, is decided by the session.
"""

import os
import stat
from collections.abc import Iterable, Iterator

from gamin.protocol.v1_client import Event, Examine


def answered(told: Iterable[Event | Examine]) -> Iterator[Event]:
    """The events, with every question replaced by its event or by nothing."""
    for one in told:
        match one:
            case Event():
                yield one
            case Examine(path, since_ns, event):
                if changed_since(path, since_ns):
                    yield event


def changed_since(path: bytes, since_ns: int) -> bool:
    """True if the object, or what a symbolic link leads to, is newer by its ctime.

    By the ctime, because everything sets it (content, mode, renaming) and no program
    can set it back.
    """
    try:
        status = os.lstat(path)
        if stat.S_ISLNK(status.st_mode) and status.st_ctime_ns <= since_ns:
            status = os.stat(path)
    except OSError:
        return False  # gone again, and its Deleted is on the way
    return status.st_ctime_ns > since_ns

"""What the disk answers when the core asks what is at a path.

When it is asked, and what follows from it, is left to `watcher`.
"""

import errno
import os
import stat
from typing import NamedTuple


class Glance(NamedTuple):
    found: bool | bytes | None
    """Whether it is a directory, or where the link leads; None: nothing one may see."""
    is_newer: bool = False
    """Its ctime is not older than what was asked for."""
    is_known: bool = True
    """What is there, or that nothing is. Else nobody may say."""


def glance(path: bytes, since_ns: int) -> Glance:
    """Look at a path, but not where a link leads; `since_ns` of 0 asks for no ctime."""
    try:
        status = os.lstat(path)
        if stat.S_ISLNK(status.st_mode):
            return Glance(os.readlink(path))
    except OSError as error:
        return Glance(None, is_known=error.errno in (errno.ENOENT, errno.ENOTDIR))
    except ValueError:  # NUL in it
        return Glance(None, is_known=False)
    return Glance(
        stat.S_ISDIR(status.st_mode), 0 < since_ns <= status.st_ctime_ns, True
    )


def is_newer(entry: os.DirEntry[bytes], since_ns: int) -> bool:
    """By its ctime; not if it is gone."""
    try:
        return entry.stat(follow_symlinks=False).st_ctime_ns >= since_ns
    except OSError:
        return False

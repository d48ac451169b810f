"""What the disk answers when the core asks what is at a path.

When it is asked, and what follows from it, is left to `watcher`.
"""

import errno
import os
import stat
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Probe(NamedTuple):
    found: bool | bytes | None
    """Whether it is a directory, or where the link leads; None: nothing one may see."""
    is_newer: bool = False
    """Its ctime is not older than what was asked for."""
    is_known: bool = True
    """What is there, or that nothing is. Else nobody may say."""


def probe(path: bytes, since_ns: int) -> Probe:
    """Look at a path, but not where a link leads; `since_ns` of 0 asks for no ctime."""
    try:
        status = os.lstat(path)
        if stat.S_ISLNK(status.st_mode):
            return Probe(os.readlink(path))
    except OSError as error:
        return Probe(None, is_known=error.errno in (errno.ENOENT, errno.ENOTDIR))
    except ValueError:  # NUL in it
        return Probe(None, is_known=False)
    return Probe(stat.S_ISDIR(status.st_mode), 0 < since_ns <= status.st_ctime_ns, True)


def scan(path: bytes) -> list[os.DirEntry[bytes]]:
    """What is in a directory. OSError where that may not be known."""
    return list(os.scandir(path))  # closes itself at its end, be that an error


def split_entries(
    entries: Iterable[os.DirEntry[bytes]],
) -> tuple[list[bytes], list[bytes]]:
    """The names of the subdirectories, and of all others."""
    directories: list[bytes] = []
    others: list[bytes] = []
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            directories.append(entry.name)
        else:
            others.append(entry.name)
    return directories, others


def changed_since(entries: Sequence[os.DirEntry[bytes]], since_ns: int) -> list[bytes]:
    """The names of those with a ctime that is not older; not of what is gone."""
    return [entry.name for entry in entries if _is_newer(entry, since_ns)]


def _is_newer(entry: os.DirEntry[bytes], since_ns: int) -> bool:
    try:
        return entry.stat(follow_symlinks=False).st_ctime_ns >= since_ns
    except OSError:
        return False

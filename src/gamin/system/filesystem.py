"""The real file system, behind the interface in `gamin.engine.ports`."""

import errno
import os
import stat
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from gamin.system import reach
from gamin.system.spare_descriptor import SPARE


class Probe(NamedTuple):
    """What `probe` found at a path."""

    found: bool | bytes | None
    """True for a directory, False for another file, the target of a symbolic link, None
    where nothing is or nothing can be seen."""
    is_newer: bool = False
    """Whether its ctime is not older than the time asked for."""
    error: int = 0
    """The errno that kept us from looking; 0 if the answer is certain."""


_NOTHING_THERE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG}
"""Errors of a look that are certain answers: no such name can exist."""


def probe(path: bytes, changed_since_ns: int) -> Probe:
    """Look at a path without following a symbolic link; never raises.

    `changed_since_ns` is a real time in nanoseconds; 0 asks for no comparison.
    """
    try:
        status = os.lstat(path)
        if stat.S_ISLNK(status.st_mode):
            return Probe(os.readlink(path))
    except OSError as error:
        number = error.errno or errno.EIO
        return Probe(None, error=0 if number in _NOTHING_THERE else number)
    except ValueError:  # NUL in it
        return Probe(None)
    is_newer = 0 < changed_since_ns <= status.st_ctime_ns
    return Probe(stat.S_ISDIR(status.st_mode), is_newer)


def scan(
    path: bytes, changed_since_ns: int
) -> tuple[list[bytes], list[bytes], Collection[bytes]]:
    """The names of the subdirectories, the names of all other entries, and which of
    both have a ctime from the real time `changed_since_ns` on; 0 asks for none.

    Raises OSError where the directory cannot be listed.
    """
    found: Iterable[os.DirEntry[bytes]]
    try:
        # scandir closes its descriptor when it is exhausted, be that by an error.
        found = os.scandir(path)
    except OSError as error:
        found = SPARE.list_after(error, path)
    mounted = reach.mounted_in(path)
    if not (changed_since_ns or mounted):
        return *split_entries(found), ()
    entries = list(found)
    # What a distant mount has is for its own thread to find out.
    here = [e for e in entries if e.name not in mounted] if mounted else entries
    directories, others = split_entries(here)
    directories += [entry.name for entry in entries if entry.name in mounted]
    changed = changed_since(here, changed_since_ns) if changed_since_ns else ()
    return directories, others, changed


def split_entries(
    entries: Iterable[os.DirEntry[bytes]],
) -> tuple[list[bytes], list[bytes]]:
    """The names of the subdirectories, and the names of all other entries."""
    directories: list[bytes] = []
    others: list[bytes] = []
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            directories.append(entry.name)
        else:
            others.append(entry.name)
    return directories, others


def changed_since(entries: Sequence[os.DirEntry[bytes]], since_ns: int) -> list[bytes]:
    """The names of the entries with a ctime from `since_ns` on, if they still exist."""
    return [entry.name for entry in entries if _is_newer(entry, since_ns)]


def _is_newer(entry: os.DirEntry[bytes], since_ns: int) -> bool:
    try:
        return entry.stat(follow_symlinks=False).st_ctime_ns >= since_ns
    except OSError:
        return False

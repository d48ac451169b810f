"""Files that changed while watching was set up, found by their times.

A library that sets up its watches one by one misses what changes behind it. The
service reports everything from the moment at which all is watched; this fills the gap
between the call and that moment. Deletions in the gap cannot be found.
"""

import os
import stat
import time
from collections.abc import Iterable, Iterator

from gamin.compat import settings

SLOW_START = 0.03
"""Seconds. If watching takes longer to begin (a server starts, a large tree is
scanned), files that changed meanwhile are looked for."""


class Beginning:
    """The moment before paths are watched."""

    def __init__(self) -> None:
        # The times of files come from a clock that may be 10 ms behind this one. So
        # nothing from before the call is reported, and what changed in its first
        # 10 ms may not be.
        self._began, self._began_ns = time.monotonic(), time.time_ns()

    def changes(
        self,
        roots: Iterable[str],
        *,
        recursive: bool,
        skip: frozenset[str] = frozenset(),
    ) -> Iterator[tuple[bool, str]]:
        """As `changed_after`, once the roots are watched. Nothing after a quick start,
        nor where only the server knows what git ignores."""
        is_slow = time.monotonic() - self._began > SLOW_START
        if is_slow and not settings.vcs_ignore():
            yield from changed_after(
                roots, self._began_ns, recursive=recursive, skip=skip
            )


def changed_after(
    roots: Iterable[str], since_ns: int, *, recursive: bool, skip: frozenset[str]
) -> Iterator[tuple[bool, str]]:
    """Yield (is new, path) of the files that changed after `since_ns`.

    `skip` are names of entries to leave out. A file counts as new if its directory
    changed as well, since Python does not say when a file was created: an old file
    that was written in a directory that got another entry is taken for a new one.
    """
    pending = list(roots)
    top = len(pending)
    for number, path in enumerate(pending):
        try:
            status = os.stat(path)
        except OSError:
            continue
        if not stat.S_ISDIR(status.st_mode):
            if status.st_ctime_ns > since_ns:
                yield False, path
            continue
        if recursive or number < top:
            is_young = status.st_ctime_ns > since_ns
            found = list(_entries(path, since_ns, skip))
            for entry_path, is_dir, has_changed in found:
                if is_dir:
                    pending.append(entry_path)
                if has_changed:
                    yield is_young, entry_path


def _entries(
    path: str, since_ns: int, skip: frozenset[str]
) -> Iterator[tuple[str, bool, bool]]:
    """(path, is a directory, has changed); a directory's own changes do not count."""
    try:
        entries = list(os.scandir(path))
    except OSError:
        return
    for entry in entries:
        if entry.name in skip:
            continue
        try:
            is_dir = entry.is_dir(follow_symlinks=False)
            status = None if is_dir else entry.stat(follow_symlinks=False)
        except OSError:
            continue
        changed = status is not None and status.st_ctime_ns > since_ns
        yield entry.path, is_dir, changed

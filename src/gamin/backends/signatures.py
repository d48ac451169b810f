"""Reads and compares the signatures of a directory's entries.

`snapshot` decides when to read, and keeps what was known before.

A signature is the raw result of `system.statx`, or only its beginning where only names
matter. It is decoded only when it differs from the one before.
"""

import os
from collections.abc import Iterable, Mapping
from stat import S_IFDIR, S_IFREG, S_ISDIR

from gamin.events import (
    ATTRIB,
    CLOSE_WRITE,
    CREATE,
    DELETE,
    IS_DIR,
    MODIFY,
    MOVED_FROM,
    MOVED_TO,
)
from gamin.system import reach, statx

# A poller sees that a file was written, not whether the writer has finished.
CONTENT = MODIFY | CLOSE_WRITE

UNKNOWN = statx.kind(0, 0)  # it exists, but its status was refused
# A distant mount is on it: its own thread reads it.
MOUNTED = statx.kind(S_IFDIR, 0)
# It was found and is gone again: whatever has the name next is another entry.
GONE_AGAIN = {False: statx.kind(S_IFREG, 0), True: statx.kind(S_IFDIR, 0)}


def read_kinds(path: bytes) -> dict[bytes, bytes]:
    """The entries of a directory, without a status for each. Raises OSError.

    The mode says only whether the entry is a directory.
    """
    mounted = reach.mounted_in(path)
    with os.scandir(path) as entries:
        return {
            entry.name: MOUNTED
            if entry.name in mounted
            else statx.kind(
                S_IFDIR if entry.is_dir(follow_symlinks=False) else 0, entry.inode()
            )
            for entry in entries
        }


def read_details(
    path: bytes, names: Iterable[bytes], known: Mapping[bytes, bytes]
) -> dict[bytes, bytes]:
    """The entries of `names` that exist; one without access stays as in `known`.

    Raises OSError if the directory itself cannot be opened.
    """
    # Closed after each poll: an open directory would prevent unmounting.
    mounted = reach.mounted_in(path)
    if mounted:
        names = list(names)
    here = [name for name in names if name not in mounted] if mounted else names
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        found, refused = statx.read(directory, here)
    finally:
        os.close(directory)
    if mounted:
        found.update((name, MOUNTED) for name in names if name in mounted)
    for name in refused:
        found[name] = known.get(name, UNKNOWN)
    return found


def read_one(path: bytes, name: bytes, is_detailed: bool) -> bytes | None:
    """The present signature of one entry of directory `path`; None if there is none.

    Raises OSError as `read_details`.
    """
    found = read_details(path, [name], {}).get(name)
    if found is None or is_detailed:
        return found
    _, inode, _ = statx.identity(found)
    return statx.kind(S_IFDIR if S_ISDIR(statx.mode(found)) else 0, inode)


def found_there(now: bytes | None, is_dir: bool) -> bytes:
    """The signature of an entry that was found a moment ago. `now` is the present
    signature, which may belong to another entry already."""
    if now == UNKNOWN or (now is not None and _directory_bit(now) == is_dir * IS_DIR):
        return now
    return GONE_AGAIN[is_dir]


def disproved(
    known: Mapping[bytes, bytes], found: Mapping[bytes, bool | None]
) -> dict[bytes, int]:
    """The known entries that a scan found to be of another kind (`found` says whether
    they are directories) or missing (None), with the mask of their deletion."""
    wrong = {}
    for name, is_dir in found.items():
        was = known.get(name)
        if was is None:
            continue
        if is_dir is None or (
            was != UNKNOWN and _directory_bit(was) != is_dir * IS_DIR
        ):
            wrong[name] = DELETE | _directory_bit(was)
    return wrong


def differences(
    known: Mapping[bytes, bytes], current: Mapping[bytes, bytes], mask: int
) -> list[tuple[int, bytes]]:
    """The differences as mask and name: deletions, then creations, then the rest.

    Returns only what `mask` asks for. An entry that is another file now was replaced,
    as by a rename over it. Another directory, or an entry of another kind, is reported
    as deleted and created, because everything in it is different.
    """
    if current is known or current == known:
        return []
    deleted, created, changed = [], [], []
    for name, was in known.items():
        now = current.get(name)
        if now is None:
            deleted.append((DELETE | _directory_bit(was), name))
        elif now == was or was == UNKNOWN:
            continue
        elif statx.identity(was) != statx.identity(now):
            if not _directory_bit(was) | _directory_bit(now):
                created.append((MOVED_TO, name))
                continue
            deleted.append((DELETE | _directory_bit(was), name))
            created.append((CREATE | _directory_bit(now), name))
        elif kind := _change(statx.unpack(was), statx.unpack(now), mask):
            changed.append((kind | _directory_bit(now), name))
    for name, now in current.items():
        if name not in known:
            created.append((CREATE | _directory_bit(now), name))
    return [
        *(deleted if mask & (DELETE | MOVED_FROM) else ()),
        *(created if mask & (CREATE | MOVED_TO) else ()),
        *changed,
    ]


def _directory_bit(signature: bytes) -> int:
    return IS_DIR if S_ISDIR(statx.mode(signature)) else 0


def _change(was: statx.Status, now: statx.Status, mask: int) -> int:
    """The one change to report of an entry, content before rights; 0 for none."""
    has_new_mode = was.mode != now.mode
    if S_ISDIR(now.mode):
        # Its times and size only show that something in it changed.
        return mask & ATTRIB if has_new_mode else 0
    is_written = (was.size, was.written) != (now.size, now.written)
    if is_written and mask & CONTENT:
        return mask & CONTENT
    if has_new_mode or (was.changed != now.changed and not is_written):
        return mask & ATTRIB
    return 0

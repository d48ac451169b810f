"""What is sent of a batch of changes, before it is numbered and encoded."""

import os
from collections.abc import Iterable, Iterator, Sequence

from gamin.events import Event, Kind
from gamin.fleet.message import LISTING, RESYNC, RESYNCED, Content, Status
from gamin.system.generation import Generations

ENTRIES_PER_PIECE = 500
"""Paths in one message of a listing."""
BYTES_PER_PIECE = 100_000
"""Bytes of such a message, about."""
MAX_GENERATIONS = 64
"""Changes of a whole batch up to which inode generations are asked for. Each costs
2.7 µs beside 28 for the whole message, which counts only where many come at once."""
BYTES_PER_ENTRY = 64
"""What an entry takes besides its path, at most."""

KINDS_WITH_STATUS = {Kind.CREATED.value, Kind.CHANGED.value, Kind.MOVED.value}


def contents_of(events: Iterable[Event], prefix: str) -> list[Content]:
    """The changes of one batch, with paths relative to the tree.

    A rename across the border of the tree is a creation or a deletion.
    """
    found = []
    for event in events:
        path = _relative(event.path, prefix)
        dest = None if event.dest is None else _relative(event.dest, prefix)
        kind = event.kind.value
        if event.kind is Kind.MOVED and dest is None:
            kind = Kind.DELETED.value
        elif event.kind is Kind.MOVED and path is None:
            kind, path, dest = Kind.CREATED.value, dest, None
        if path is not None:
            found.append(Content(kind, path, dest, event.is_dir, event.recovered))
    return found


def _relative(path: str, prefix: str) -> str | None:
    if path + "/" == prefix:
        return ""
    return path[len(prefix) :] if path.startswith(prefix) else None


def listing(batch: Sequence[Event], prefix: str) -> Iterator[Content]:
    """Everything there is, in pieces. Not a list: it may be a million paths."""
    yield Content(RESYNC)
    entries: list[tuple[str, bool]] = []
    size = 0
    for event in batch:
        path = event.path[len(prefix) :]
        if not path or not event.path.startswith(prefix):
            continue
        entries.append((path, event.is_dir))
        size += 3 * len(path) + BYTES_PER_ENTRY
        if len(entries) == ENTRIES_PER_PIECE or size > BYTES_PER_PIECE:
            yield Content(LISTING, entries=entries)
            entries, size = [], 0
    if entries:
        yield Content(LISTING, entries=entries)
    yield Content(RESYNCED)


def with_status(
    contents: Sequence[Content], prefix: str, *, with_generation: bool
) -> list[Content]:
    """With what can be seen of the files now. Reads the disk."""
    generations = Generations() if with_generation else None
    return [
        Content(
            *content[:5],
            _status(prefix + (content.dest or content.path), generations),
        )
        if content.kind in KINDS_WITH_STATUS
        else content
        for content in contents
    ]


def _status(path: str, generations: Generations | None) -> Status | None:
    try:
        found = os.lstat(path)
    except OSError:
        return None  # gone again: its deletion comes next
    inode, generation = found.st_ino, None
    if generations is not None:
        generation = generations.of(os.fsencode(path), inode)
    return Status(found.st_size, found.st_mtime_ns, inode, generation)

"""The rows of a message as events, applied to the belief in the same pass.

`compact`, `belief` and `events` define what rows mean, and handle every row that is not
a file that appears, disappears or is written. Nearly all rows are such files; each of
the three modules would have to visit every row again.
"""

from typing import Final

from gamin.errors import RemoteProtocolError
from gamin.events import Event, Kind, detailed, new_event
from gamin.protocol.watchman.client.belief import Belief
from gamin.protocol.watchman.client.events import events_from_rows
from gamin.protocol.watchman.codec.compact import (
    FILE_CHANGED,
    FILE_CREATED,
    FILE_DELETED,
    SEPARATOR,
    check_names,
    decode_compact,
    is_half,
    split_details,
)

# Looked up once: a member of an enum costs 0.1 µs each time on 3.11.
_CREATED: Final = Kind.CREATED
_DELETED: Final = Kind.DELETED
_CHANGED: Final = Kind.CHANGED


def decode_detailed(
    text: str, root: str, belief: Belief, *, recovered: bool
) -> list[Event]:
    """As `decode_and_apply`, for rows with details."""
    plain, details = split_details(text)
    events = decode_and_apply(plain, root, belief, recovered=recovered)
    return [*map(detailed, events, details)]


def decode_and_apply(
    text: str, root: str, belief: Belief, *, recovered: bool
) -> list[Event]:
    """Return one event per row of `text`, below `root` as the user wrote it.

    Raises RemoteProtocolError.
    """
    if not text:
        return []
    check_names(text)
    prefix = root.rstrip("/") + "/"
    new, folders = new_event, belief.folders
    found: list[Event] = []
    at: str | None = None
    names: set[str] = set()
    half = ""
    for row in text.split(SEPARATOR):
        mark, name = row[:1], row[1:]
        if name and not half:
            is_new = mark == FILE_CREATED
            if (is_new or mark == FILE_DELETED) and name not in folders:
                folder, _, entry = name.rpartition("/")
                if folder != at:
                    if is_new or folder in folders:
                        at, names = folder, belief.names_in(folder)
                    else:  # a deletion says nothing about a folder that is unknown
                        at, names = None, set()
                if is_new:
                    names.add(entry)
                    event = (_CREATED, prefix + name, None, False, recovered)
                else:
                    names.discard(entry)
                    event = (_DELETED, prefix + name, None, False, recovered)
                found.append(new(event))
                continue
            if mark == FILE_CHANGED:
                found.append(new((_CHANGED, prefix + name, None, False, recovered)))
                continue
        if not row:
            raise RemoteProtocolError("a row that says nothing")
        if is_half(mark) and not half:
            half = row
            continue
        rows = decode_compact(half + SEPARATOR + row if half else row)
        belief.apply(rows)
        found += events_from_rows(rows, root, recovered=recovered)
        at, half = None, ""
    if half:
        raise RemoteProtocolError("half a rename")
    return found

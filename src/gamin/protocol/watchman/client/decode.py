"""The rows of a message, as events and taken into the picture in one pass.

What rows mean is defined by `compact`, `picture` and `row_events`, which see to all
that is not a file that comes, goes or is written. These are nearly all there are, and
each of the three would have to look at every row.
"""

from typing import Final

from gamin.errors import RemoteProtocolError
from gamin.events import Event, Kind
from gamin.protocol.watchman.client.belief import Belief
from gamin.protocol.watchman.client.events import events_from_rows
from gamin.protocol.watchman.codec.compact import (
    FILE_CHANGED,
    FILE_CREATED,
    FILE_DELETED,
    SEPARATOR,
    decode_compact,
    is_half,
)

_CREATED: Final = Kind.CREATED
_DELETED: Final = Kind.DELETED
_CHANGED: Final = Kind.CHANGED


def decode_and_apply(
    text: str, root: str, picture: Belief, *, recovered: bool
) -> list[Event]:
    """One event per row of `text`, below `root` as the user wrote it.

    Raises RemoteProtocolError.
    """
    if not text:
        return []
    prefix = root.rstrip("/") + "/"
    new = tuple.__new__  # a NamedTuple's constructor takes three times as long
    found: list[Event] = []
    at: str | None = None
    names: set[str] = set()
    half = ""
    for row in text.split(SEPARATOR):
        mark, name = row[:1], row[1:]
        if name and not half:
            is_new = mark == FILE_CREATED
            if is_new or (mark == FILE_DELETED and not picture.is_folder(name)):
                folder, _, entry = name.rpartition("/")
                if folder != at:
                    at, names = folder, picture.names_in(folder)
                if is_new:
                    names.add(entry)
                    event = (_CREATED, prefix + name, None, False, recovered)
                else:
                    names.discard(entry)
                    event = (_DELETED, prefix + name, None, False, recovered)
                found.append(new(Event, event))
                continue
            if mark == FILE_CHANGED:
                event = (_CHANGED, prefix + name, None, False, recovered)
                found.append(new(Event, event))
                continue
        if not row:
            raise RemoteProtocolError("a row that says nothing")
        if is_half(mark) and not half:
            half = row
            continue
        rows = decode_compact(half + SEPARATOR + row if half else row)
        picture.apply(rows)
        found += events_from_rows(rows, root, recovered=recovered)
        at, half = None, ""
    if half:
        raise RemoteProtocolError("half a rename")
    return found

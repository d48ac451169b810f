"""The rows of a message, as events and taken into the picture in one pass.

What rows mean is defined by `compact`, `picture` and `row_events`, which see to all
that is not a file that comes, goes or is written. These are nearly all there are, and
each of the three would have to look at every row.
"""

from typing import Final

from gamin.errors import RemoteProtocolError
from gamin.events import Event, Kind
from gamin.protocol.modern.compact import (
    FILE_CHANGED,
    FILE_CREATED,
    FILE_DELETED,
    SEPARATOR,
    decode_compact,
    is_half,
)
from gamin.protocol.modern.picture import Picture
from gamin.protocol.modern.row_events import events

_CREATED: Final = Kind.CREATED
_DELETED: Final = Kind.DELETED
_CHANGED: Final = Kind.CHANGED


def heard(text: str, root: str, picture: Picture, *, recovered: bool) -> list[Event]:
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
        if half or not name:
            is_plain = False
        elif mark == FILE_CREATED:
            is_plain = True
            folder, _, entry = name.rpartition("/")
            if folder != at:
                at, names = folder, picture.opened(folder)
            names.add(entry)
            event = (_CREATED, prefix + name, None, False, recovered)
        elif mark == FILE_DELETED and not picture.is_folder(name):
            is_plain = True
            folder, _, entry = name.rpartition("/")
            if folder != at:
                at, names = folder, picture.opened(folder)
            names.discard(entry)
            event = (_DELETED, prefix + name, None, False, recovered)
        elif mark == FILE_CHANGED:
            is_plain = True
            event = (_CHANGED, prefix + name, None, False, recovered)
        else:
            is_plain = False
        if is_plain:
            found.append(new(Event, event))
        elif not row:
            raise RemoteProtocolError("a row that says nothing")
        elif is_half(mark) and not half:
            half = row
        else:
            rows = decode_compact(half + SEPARATOR + row if half else row)
            picture.told(rows)
            found += events(rows, root, recovered=recovered)
            at, half = None, ""
    if half:
        raise RemoteProtocolError("half a rename")
    return found

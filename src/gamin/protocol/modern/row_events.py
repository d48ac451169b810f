"""Rows and names of a message as the events that `gamin.watch()` yields.

Which message belongs to which path is left to `watching`.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from gamin.errors import RemoteProtocolError
from gamin.events import Event, Kind

_KINDS = {kind.value: kind for kind in Kind}


def events(
    rows: Sequence[dict[str, Any]], root: str, *, recovered: bool = False
) -> list[Event]:
    """One event per row of EVENT_FIELDS, below `root` as the user wrote it.

    A row without a name is the root itself. Raises RemoteProtocolError for rows that
    were not asked for.
    """
    prefix = root.rstrip("/") + "/"
    found = []
    try:
        for row in rows:
            name, source = row["name"], row["moved_from"]
            path = prefix + name if name else root
            kind = _KINDS[row["kind"]]
            if kind is Kind.MOVED:
                event = Event(kind, prefix + source, path, row["is_dir"], recovered)
            else:
                event = Event(kind, path, None, row["is_dir"], recovered)
            found.append(event)
    except (KeyError, TypeError):
        raise RemoteProtocolError("a row without the fields of an event") from None
    return found


def named(
    kind: Kind, entries: Iterable[tuple[str, bool]], root: str, *, recovered: bool
) -> list[Event]:
    """An event of that kind per name, which comes with whether it is a directory."""
    prefix = root.rstrip("/") + "/"
    return [
        Event(kind, prefix + name if name else root, None, is_dir, recovered)
        for name, is_dir in entries
    ]

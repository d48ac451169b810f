"""Rows and names of a message as the events that `gamin.watch()` yields."""

from collections.abc import Collection, Iterable, Sequence

from gamin.events import Event, Kind, new_event
from gamin.protocol.watchman.client.belief import Belief
from gamin.protocol.watchman.codec.compact import WireRow


def events_from_rows(
    rows: Iterable[WireRow], root: str, *, recovered: bool = False
) -> list[Event]:
    """Return one event per row, below `root` as the user wrote it.

    A row without a name means the root itself.
    """
    prefix = root.rstrip("/") + "/"
    found = []
    for kind, name, is_dir, source in rows:
        path, dest = (name, None) if source is None else (source, prefix + name)
        path = prefix + path if path else root
        found.append(new_event((kind, path, dest, is_dir, recovered)))
    return found


def events_of_kind(
    kind: Kind, entries: Iterable[tuple[str, bool]], root: str, *, recovered: bool
) -> list[Event]:
    """Return an event of `kind` per entry: a name, and whether it is a directory."""
    rows = ((kind, name, is_dir, None) for name, is_dir in entries)
    return events_from_rows(rows, root, recovered=recovered)


def listed_entries(belief: Belief) -> Collection[tuple[str, bool]]:
    """Everything in the belief, without the watched directory itself."""
    return [entry for entry in belief.walk() if entry != ("", True)]


def full_listing(belief: Belief, text: str) -> list[Event]:
    """Report everything that exists, in place of changes that nobody can name.

    No event at all would look like no change, so an empty directory, and a path that
    is missing, is reported itself.
    """
    found = events_of_kind(Kind.EXISTS, listed_entries(belief), text, recovered=True)
    if not found:
        kind = Kind.DELETED if belief.is_missing else Kind.EXISTS
        found = [Event(kind, text, None, not belief.is_missing, recovered=True)]
    return found


def is_full_listing(events: Sequence[Event]) -> bool:
    """Whether a batch is `full_listing` of what exists: nothing else is there."""
    return bool(events) and events[0].kind is Kind.EXISTS and events[0].recovered

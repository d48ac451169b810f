"""Formats of events: lines, JSON objects and templates, and the writer of batches."""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from gamin.events import Event, Kind

if TYPE_CHECKING:
    from gamin.fleet.message import FleetEvent

Show = Callable[[str], str]
"""Turns a name into text: `gamin.paths.printable` or `raw`."""


def raw(name: str) -> str:
    """The name unchanged; only for records that end in NUL, which no name contains."""
    return name


class EventRecord(NamedTuple):
    """One event of a batch, and the clock after that batch."""

    event: Event
    clock: str | None
    half: str = ""
    """MOVED_FROM or MOVED_TO for one of the two records of a move, else empty."""
    marker: str = ""
    """What `gamin follow` received in place of an event, as "resync"; else empty."""
    message: "FleetEvent | None" = None
    """What `gamin follow` received."""


Record = Callable[[EventRecord], str]


class Writer:
    """Writes batches as bytes, so that each name is written byte for byte."""

    def __init__(
        self,
        stream: BinaryIO,
        record: Record,
        end: str = "\n",
        *,
        splits_moves: bool = False,
    ) -> None:
        self._stream = stream
        self._record = record
        self._end = end
        self._splits_moves = splits_moves

    def write(self, batch: Iterable[Event], clock: str | None) -> None:
        """Write the whole batch and flush. Raises OSError."""
        items: Iterable[EventRecord] = (EventRecord(event, clock) for event in batch)
        if self._splits_moves:
            items = (half for item in items for half in halves(item))
        text = "".join(self._record(item) + self._end for item in items)
        self._stream.write(text.encode("utf-8", "surrogateescape"))
        self._stream.flush()


def halves(item: EventRecord) -> tuple[EventRecord, ...]:
    """A move as inotify reports it: one record for each of the two paths."""
    event = item.event
    if event.dest is None:
        return (item,)
    return (
        item._replace(half="MOVED_FROM"),
        item._replace(event=event._replace(path=event.dest), half="MOVED_TO"),
    )


def line_record(show: Show) -> Record:
    """Kind, tab, path; a move adds a tab and the new path."""

    def record(item: EventRecord) -> str:
        event = item.event
        line = f"{event.kind.value}\t{show(event.path)}"
        return line if event.dest is None else f"{line}\t{show(event.dest)}"

    return record


def json_record(item: EventRecord) -> str:
    """A JSON object in ASCII. Bytes that are not UTF-8 are \\udc80 to \\udcff."""
    event, clock = item.event, item.clock
    members: dict[str, object] = {"kind": event.kind.value, "path": event.path}
    if event.kind is Kind.MOVED:
        members["dest"] = event.dest
    members |= {"is_dir": event.is_dir, "clock": clock}
    if event.recovered:
        members["recovered"] = True
    return json.dumps(members)


# Colours of the terminal (ECMA-48, SGR): green, yellow, red, cyan, dim.
_COLOURS = {
    Kind.CREATED: "32",
    Kind.CHANGED: "33",
    Kind.DELETED: "31",
    Kind.MOVED: "36",
    Kind.EXISTS: "2",
}


def coloured(record: Record) -> Record:
    """`line_record` with the kind in colour."""

    def coloured_record(item: EventRecord) -> str:
        kind, tab, rest = record(item).partition("\t")
        return f"\x1b[{_COLOURS[item.event.kind]}m{kind}\x1b[0m{tab}{rest}"

    return coloured_record


def wants_colour(when: str, stream: BinaryIO, environ: Mapping[str, str]) -> bool:
    """Whether to colour, for --color=WHEN. See https://no-color.org."""
    if when != "auto":
        return when == "always"
    is_plain = bool(environ.get("NO_COLOR")) or environ.get("TERM") == "dumb"
    return stream.isatty() and not is_plain


def relative_to(directory: str) -> Callable[[Event], Event]:
    """Makes the paths of an event relative to `directory`."""
    prefix = directory.rstrip("/") + "/"

    def shorten(path: str) -> str:
        if path.startswith(prefix):
            short = path[len(prefix) :]
        else:
            short = os.path.relpath(path, directory)
        # A name with a dash in front must not be taken for an option later.
        return f"./{short}" if short.startswith("-") else short

    def relative(event: Event) -> Event:
        dest = None if event.dest is None else shorten(event.dest)
        return event._replace(path=shorten(event.path), dest=dest)

    return relative

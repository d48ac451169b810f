"""How changes are written: as lines, as JSON, by a template, each record at once.

When there is something to write is left to the commands.
"""

import json
import os
import string
from collections.abc import Callable, Sequence
from typing import BinaryIO, NamedTuple

from gamin.events import Event, Kind

Show = Callable[[str], str]
"""How a name looks: `gamin.paths.printable`, or `raw`."""


def raw(name: str) -> str:
    """As it is; only for records that end in NUL, which no name has."""
    return name


class EventRecord(NamedTuple):
    """One event of a batch, and the clock after that batch."""

    event: Event
    clock: str | None


Record = Callable[[EventRecord], str]


class Writer:
    """Writes batches as bytes, so that a name comes out as the bytes it is made of."""

    def __init__(self, stream: BinaryIO, record: Record, end: str = "\n") -> None:
        self._stream = stream
        self._record = record
        self._end = end

    def write(self, batch: Sequence[Event], clock: str | None) -> None:
        """The whole batch, and flush. Raises OSError."""
        records = [self._record(EventRecord(event, clock)) for event in batch]
        text = "".join(record + self._end for record in records)
        self._stream.write(text.encode("utf-8", "surrogateescape"))
        self._stream.flush()


def line_record(show: Show) -> Record:
    """Kind, tab, path; a move has one tab and one path more."""

    def record(told: EventRecord) -> str:
        event = told.event
        line = f"{event.kind.value}\t{show(event.path)}"
        return line if event.dest is None else f"{line}\t{show(event.dest)}"

    return record


def json_record(told: EventRecord) -> str:
    """An object in ASCII; bytes that are not UTF-8 are escapes, \\udc80 to \\udcff."""
    event, clock = told
    members: dict[str, object] = {"kind": event.kind.value, "path": event.path}
    if event.kind is Kind.MOVED:
        members["dest"] = event.dest
    members |= {"is_dir": event.is_dir, "clock": clock}
    if event.recovered:
        members["recovered"] = True
    return json.dumps(members)


class Field(NamedTuple):
    """What a template may name."""

    meaning: str
    value: Callable[[EventRecord], str]


def _now(told: EventRecord) -> str:
    # Imported late: it takes as long as all of this module, and is seldom asked for.
    from datetime import datetime

    return datetime.now().astimezone().isoformat(timespec="milliseconds")


FIELDS = {
    "kind": Field(
        "exists, created, changed, deleted or moved", lambda told: told.event.kind.value
    ),
    "path": Field("what changed", lambda told: told.event.path),
    "dest": Field("where it is now, if moved", lambda told: told.event.dest or ""),
    "name": Field(
        "the last part of the path", lambda told: os.path.basename(told.event.path)
    ),
    "dir": Field(
        "the directory it is in", lambda told: os.path.dirname(told.event.path)
    ),
    "type": Field(
        "file or directory", lambda told: "directory" if told.event.is_dir else "file"
    ),
    "time": Field("when it was printed, ISO 8601", _now),
    "clock": Field("what to give as --since later", lambda told: told.clock or ""),
    "recovered": Field(
        "'recovered' if found by comparing with the disk",
        lambda told: "recovered" if told.event.recovered else "",
    ),
}


class Template:
    """A text with {FIELD}s in it; {{ and }} stand for the braces themselves."""

    def __init__(self, text: str) -> None:
        """Raises ValueError for anything in braces that is not just a field's name."""
        self._parts: list[tuple[str, Field | None]] = []
        for literal, name, spec, conversion in string.Formatter().parse(text):
            if name is None:
                self._parts.append((literal, None))
            elif name in FIELDS and not spec and not conversion:
                self._parts.append((literal, FIELDS[name]))
            else:
                known = ", ".join(FIELDS)
                raise ValueError(f"no field {name!r}; there are {known}")

    def record(self, show: Show) -> Record:
        def record(told: EventRecord) -> str:
            return "".join(
                literal + (show(field.value(told)) if field else "")
                for literal, field in self._parts
            )

        return record

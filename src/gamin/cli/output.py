"""Formats of events: lines, JSON objects and templates, and the writer of batches."""

import json
import os
import string
from collections.abc import Callable, Sequence
from typing import BinaryIO, NamedTuple

from gamin.events import Event, Kind

Show = Callable[[str], str]
"""Turns a name into text: `gamin.paths.printable` or `raw`."""


def raw(name: str) -> str:
    """The name unchanged; only for records that end in NUL, which no name contains."""
    return name


class EventRecord(NamedTuple):
    """One event of a batch, and the clock after that batch."""

    event: Event
    clock: str | None


Record = Callable[[EventRecord], str]


class Writer:
    """Writes batches as bytes, so that each name is written byte for byte."""

    def __init__(self, stream: BinaryIO, record: Record, end: str = "\n") -> None:
        self._stream = stream
        self._record = record
        self._end = end

    def write(self, batch: Sequence[Event], clock: str | None) -> None:
        """Write the whole batch and flush. Raises OSError."""
        records = [self._record(EventRecord(event, clock)) for event in batch]
        text = "".join(record + self._end for record in records)
        self._stream.write(text.encode("utf-8", "surrogateescape"))
        self._stream.flush()


def line_record(show: Show) -> Record:
    """Kind, tab, path; a move adds a tab and the new path."""

    def record(item: EventRecord) -> str:
        event = item.event
        line = f"{event.kind.value}\t{show(event.path)}"
        return line if event.dest is None else f"{line}\t{show(event.dest)}"

    return record


def json_record(item: EventRecord) -> str:
    """A JSON object in ASCII. Bytes that are not UTF-8 are \\udc80 to \\udcff."""
    event, clock = item
    members: dict[str, object] = {"kind": event.kind.value, "path": event.path}
    if event.kind is Kind.MOVED:
        members["dest"] = event.dest
    members |= {"is_dir": event.is_dir, "clock": clock}
    if event.recovered:
        members["recovered"] = True
    return json.dumps(members)


class Field(NamedTuple):
    """A field that a template can contain."""

    meaning: str
    value: Callable[[EventRecord], str]


def _now(item: EventRecord) -> str:
    # Imported late: datetime takes as long as this whole module, and few need it.
    from datetime import datetime

    return datetime.now().astimezone().isoformat(timespec="milliseconds")


FIELDS = {
    "kind": Field(
        "exists, created, changed, deleted or moved", lambda item: item.event.kind.value
    ),
    "path": Field("the path that changed", lambda item: item.event.path),
    "dest": Field("the new path, if moved", lambda item: item.event.dest or ""),
    "name": Field(
        "the last part of the path", lambda item: os.path.basename(item.event.path)
    ),
    "dir": Field(
        "the directory of the path", lambda item: os.path.dirname(item.event.path)
    ),
    "type": Field(
        "file or directory", lambda item: "directory" if item.event.is_dir else "file"
    ),
    "time": Field("the time of printing, ISO 8601", _now),
    "clock": Field("the value for --since later", lambda item: item.clock or ""),
    "recovered": Field(
        "'recovered' if found by comparing with the disk",
        lambda item: "recovered" if item.event.recovered else "",
    ),
}


class Template:
    """A text that contains {FIELD}s. {{ and }} stand for single braces."""

    def __init__(self, text: str) -> None:
        """Raises ValueError if braces contain anything but the name of a field."""
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
        def record(item: EventRecord) -> str:
            return "".join(
                literal + (show(field.value(item)) if field else "")
                for literal, field in self._parts
            )

        return record

"""Templates of --format: our fields, and the letters of inotifywait."""

import os
import re
import string
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from gamin.cli.output import EventRecord, Record, Show
from gamin.events import Kind


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
        "exists, created, changed, deleted or moved",
        lambda item: item.marker or item.event.kind.value,
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


INOTIFY_NAMES = {
    Kind.EXISTS: "EXISTS",
    Kind.CREATED: "CREATE",
    Kind.CHANGED: "MODIFY",
    Kind.DELETED: "DELETE",
}
"""What inotifywait calls the kinds; EXISTS is ours."""

LETTERS = {
    "w": "the directory of the path, with a slash; a watched file itself",
    "f": "the name in that directory; empty for a watched file",
    "e": "inotify's names of the event, like CREATE,ISDIR",
    "T": "the time of printing, see --timefmt",
    "0": "NUL",
    "n": "a newline",
}
"""The letters that inotifywait knows, after a percent sign."""

DEFAULT_TIME = "%Y-%m-%d %H:%M:%S"

_LETTER = re.compile("%([%A-Za-z0-9])")


class Template:
    """A text that contains {FIELD}s and %LETTERs. {{, }} and %% stand for themselves.

    A text with letters is meant for what reads inotifywait's output: a move gives two
    records there.
    """

    def __init__(self, text: str, fields: Mapping[str, Field] = FIELDS) -> None:
        """Raises ValueError if braces contain anything but the name of one of the
        `fields`, or a percent sign is followed by an unknown letter."""
        self._fields = fields
        self._parts: list[tuple[str, str]] = []
        """(kind, text), where kind is "text", "field" or "letter"."""
        for literal, name, spec, conversion in string.Formatter().parse(text):
            self._add_literal(literal)
            if name is None:
                continue
            if name not in fields or spec or conversion:
                raise ValueError(f"no field {name!r}; there are {', '.join(fields)}")
            self._parts.append(("field", name))

    @property
    def splits_moves(self) -> bool:
        has_letters = any(kind == "letter" for kind, _ in self._parts)
        return has_letters and ("field", "dest") not in self._parts

    def record(
        self, show: Show, watched: Sequence[str] = (), time_format: str = DEFAULT_TIME
    ) -> Record:
        """Formats an event; `watched` are the PATHs, which `%w` depends on."""
        parts = [
            self._part(kind, text, frozenset(watched), time_format)
            for kind, text in self._parts
        ]

        def record(item: EventRecord) -> str:
            return "".join(
                part if isinstance(part, str) else show(part(item)) for part in parts
            )

        return record

    def _add_literal(self, literal: str) -> None:
        for number, part in enumerate(_LETTER.split(literal)):
            if number % 2 == 0:
                self._parts.append(("text", part))
            elif part == "%":
                self._parts.append(("text", "%"))
            elif part in LETTERS:
                self._parts.append(("letter", part))
            else:
                known = ", ".join(f"%{letter}" for letter in LETTERS)
                raise ValueError(f"no letter '%{part}'; there are {known} and %%")

    def _part(
        self, kind: str, text: str, watched: frozenset[str], time_format: str
    ) -> str | Callable[[EventRecord], str]:
        match kind, text:
            case "field", name:
                return self._fields[name].value
            case "letter", "0":
                return "\0"
            case "letter", "n":
                return "\n"
            case "letter", "e":
                return _inotify_names
            case "letter", "T":
                return lambda item: _time(time_format)
            case "letter", "w":
                return lambda item: _place(item.event.path, watched)[0]
            case "letter", "f":
                return lambda item: _place(item.event.path, watched)[1]
            case _:
                return text


def _inotify_names(item: EventRecord) -> str:
    if item.marker:
        return item.marker.upper()
    name = item.half or INOTIFY_NAMES.get(item.event.kind, "MOVED_FROM")
    return f"{name},ISDIR" if item.event.is_dir else name


def _place(path: str, watched: frozenset[str]) -> tuple[str, str]:
    """%w and %f: together they are the path."""
    if path in watched:
        return path, ""
    directory, slash, name = path.rpartition("/")
    return directory + slash, name


def _time(time_format: str) -> str:
    import time

    return time.strftime(time_format)

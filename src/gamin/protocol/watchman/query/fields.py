"""The fields of a row that a client can ask for, and how each is made.

A codec writes them by their type (`gamin.protocol.watchman.codec`).
"""

import stat
from collections.abc import Callable
from enum import Enum, auto
from typing import NamedTuple

from gamin.protocol.watchman.clocks import Timeline
from gamin.protocol.watchman.errors import BadQuery
from gamin.protocol.watchman.query.file_row import FileRow
from gamin.protocol.watchman.query.file_terms import SECOND, TYPES


class FieldType(Enum):
    """What a field's values are; decides how a codec writes them."""

    NAME = auto()
    """The bytes of a file's name, or None."""
    TEXT = auto()
    FLAG = auto()
    INTEGER = auto()
    """Of at most 64 bits."""
    REAL = auto()
    VALUE = auto()
    """Any value of JSON."""


class Field(NamedTuple):
    type: FieldType
    make: Callable[[FileRow, Timeline], object]


SHA1 = "content.sha1hex"
DEFAULT_FIELDS = ("name", "exists", "new", "size", "mode")

LETTERS = {kind: letter for letter, kind in TYPES.items()}


def _symlink_target(row: FileRow, now: Timeline) -> bytes | None:
    if not stat.S_ISLNK(row.stat.st_mode):
        return None
    return row.disk.readlink(row.name)


def _integer(name: str) -> Field:
    return Field(FieldType.INTEGER, lambda row, _: getattr(row.stat, name))


def _time(letter: str, unit: int) -> Field:
    name = f"st_{letter}time_ns"
    return Field(FieldType.INTEGER, lambda row, _: getattr(row.stat, name) // unit)


def _fractional_time(letter: str) -> Field:
    name = f"st_{letter}time_ns"
    return Field(FieldType.REAL, lambda row, _: getattr(row.stat, name) / SECOND)


def _type(row: FileRow, now: Timeline) -> str:
    return LETTERS.get(stat.S_IFMT(row.stat.st_mode), "?")


FIELDS: dict[str, Field] = {
    "name": Field(FieldType.NAME, lambda row, _: row.name),
    "exists": Field(FieldType.FLAG, lambda row, _: row.exists),
    "new": Field(FieldType.FLAG, lambda row, _: row.is_new),
    "size": Field(FieldType.INTEGER, lambda row, _: row.stat.st_size),
    "mode": Field(FieldType.INTEGER, lambda row, _: row.stat.st_mode),
    **{name: _integer(f"st_{name}") for name in ("uid", "gid", "ino", "dev", "nlink")},
    "type": Field(FieldType.TEXT, _type),
    "symlink_target": Field(FieldType.NAME, _symlink_target),
    SHA1: Field(FieldType.VALUE, lambda row, _: row.sha1),
    "cclock": Field(FieldType.TEXT, lambda row, now: str(now.clock(row.born_tick))),
    "oclock": Field(FieldType.TEXT, lambda row, now: str(now.clock(row.changed_tick))),
}
for _letter in "mca":
    FIELDS[f"{_letter}time"] = _time(_letter, SECOND)
    FIELDS[f"{_letter}time_ms"] = _time(_letter, SECOND // 1_000)
    FIELDS[f"{_letter}time_us"] = _time(_letter, SECOND // 1_000_000)
    FIELDS[f"{_letter}time_ns"] = _time(_letter, 1)
    FIELDS[f"{_letter}time_f"] = _fractional_time(_letter)

# Ours; none of them asks the disk.
OWN_FIELDS: dict[str, Field] = {
    "kind": Field(FieldType.TEXT, lambda row, _: row.kind.value),
    "moved_from": Field(FieldType.NAME, lambda row, _: row.source),
    "is_dir": Field(FieldType.FLAG, lambda row, _: row.is_dir),
}
FIELDS |= OWN_FIELDS


def check_fields(value: object) -> tuple[str, ...]:
    """The names of the fields. Raises BadQuery for what is not a list of them."""
    if not isinstance(value, list):
        raise BadQuery("field list must be an array of strings")
    for name in value:
        if not isinstance(name, str):
            raise BadQuery("field list must be an array of strings")
        if name not in FIELDS:
            raise BadQuery(f"unknown field name '{name}'")
    return tuple(dict.fromkeys(value))

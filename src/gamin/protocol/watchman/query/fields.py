"""The fields of a row that a client can ask for, and how each is made.

Writing them as JSON is left to `encoder`.
"""

import stat
from collections.abc import Callable, Iterable, Sequence

from gamin.protocol.watchman.clocks import Timeline
from gamin.protocol.watchman.errors import BadQuery
from gamin.protocol.watchman.names import to_text
from gamin.protocol.watchman.query.file_row import FileRow
from gamin.protocol.watchman.query.file_terms import SECOND, TYPES

Field = Callable[[FileRow, Timeline], object]

DEFAULT_FIELDS = ("name", "exists", "new", "size", "mode")

_LETTERS = {kind: letter for letter, kind in TYPES.items()}


def _symlink_target(row: FileRow, now: Timeline) -> str | None:
    if not stat.S_ISLNK(row.stat.st_mode):
        return None
    target = row.disk.readlink(row.name)
    return None if target is None else to_text(target)


def _time(letter: str, unit: int) -> Field:
    name = f"st_{letter}time_ns"
    return lambda row, _: getattr(row.stat, name) // unit


def _fractional_time(letter: str) -> Field:
    name = f"st_{letter}time_ns"
    return lambda row, _: getattr(row.stat, name) / SECOND


FIELDS: dict[str, Field] = {
    "name": lambda row, _: to_text(row.name),
    "exists": lambda row, _: row.exists,
    "new": lambda row, _: row.is_new,
    "size": lambda row, _: row.stat.st_size,
    "mode": lambda row, _: row.stat.st_mode,
    "uid": lambda row, _: row.stat.st_uid,
    "gid": lambda row, _: row.stat.st_gid,
    "ino": lambda row, _: row.stat.st_ino,
    "dev": lambda row, _: row.stat.st_dev,
    "nlink": lambda row, _: row.stat.st_nlink,
    "type": lambda row, _: _LETTERS.get(stat.S_IFMT(row.stat.st_mode), "?"),
    "symlink_target": _symlink_target,
    "cclock": lambda row, now: str(now.clock(row.born_tick)),
    "oclock": lambda row, now: str(now.clock(row.changed_tick)),
}
for _letter in "mca":
    FIELDS[f"{_letter}time"] = _time(_letter, SECOND)
    FIELDS[f"{_letter}time_ms"] = _time(_letter, SECOND // 1_000)
    FIELDS[f"{_letter}time_us"] = _time(_letter, SECOND // 1_000_000)
    FIELDS[f"{_letter}time_ns"] = _time(_letter, 1)
    FIELDS[f"{_letter}time_f"] = _fractional_time(_letter)

# Ours; none of them asks the disk.
OWN_FIELDS: dict[str, Field] = {
    "kind": lambda row, _: row.kind.value,
    "moved_from": lambda row, _: None if row.source is None else to_text(row.source),
    "is_dir": lambda row, _: row.is_dir,
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


def render(
    rows: Iterable[FileRow], fields: Sequence[str], now: Timeline
) -> list[object]:
    """A plain value for each row if one field is asked for, else an object."""
    if len(fields) == 1:
        field = FIELDS[fields[0]]
        return [field(row, now) for row in rows]
    makers = [(name, FIELDS[name]) for name in fields]
    return [{name: make(row, now) for name, make in makers} for row in rows]

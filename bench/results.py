"""The measured values as rows, and the tables made of them.

Pure: the driver measures and writes the files.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from statistics import median, mode

YARDSTICK = "raw"

Value = float | str


class Unit(Enum):
    SECONDS = "s"
    BYTES = "bytes"
    COUNT = "count"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Column:
    key: str
    title: str
    unit: Unit
    ratio: bool = False
    """Whether to show its ratio to the yardstick's value of the same repetition."""


@dataclass(frozen=True, slots=True)
class Row:
    """One peer at one work, once."""

    work: str
    peer: str
    repeat: int
    values: dict[str, Value] = field(default_factory=dict)
    note: str = ""
    """Why there are no values."""


def table(columns: Sequence[Column], rows: Sequence[Row]) -> list[str]:
    """A Markdown table of one work: a line per peer, medians over its repetitions.

    Repetitions without values are left out, and the peer's name says so.
    """
    lines = [
        _line(["", *(column.title for column in columns)]),
        _line(["---"] + ["---:"] * len(columns)),
    ]
    for peer in dict.fromkeys(row.peer for row in rows):
        tried = [row for row in rows if row.peer == peer]
        own = [row for row in tried if row.values]
        if not own:
            lines.append(_line([peer, tried[0].note] + [""] * (len(columns) - 1)))
            continue
        done = "" if own == tried else f" ({len(own)} of {len(tried)})"
        cells = [cell(column, own, rows) for column in columns]
        lines.append(_line([peer + done, *cells]))
    return lines


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def cell(column: Column, own: Sequence[Row], rows: Sequence[Row]) -> str:
    """The cell of `column` for the peer that `own` belongs to."""
    values = [row.values[column.key] for row in own if column.key in row.values]
    if not values:
        return "-"
    numbers = [value for value in values if not isinstance(value, str)]
    if not numbers:
        return str(mode(values))
    shown = show(median(numbers), column.unit)
    ratio = ratio_of(column.key, own, rows) if column.ratio else None
    return shown if ratio is None else f"{shown} ({show_ratio(ratio)})"


def ratio_of(key: str, own: Sequence[Row], rows: Sequence[Row]) -> float | None:
    """The median, over repetitions, of own value to the yardstick's.

    Each is compared within its repetition, because the machine is not equally fast
    all the time. None for the yardstick itself, and where there is none.
    """
    yardstick = {
        row.repeat: row.values.get(key) for row in rows if row.peer == YARDSTICK
    }
    ratios = []
    for row in own:
        value, unit = row.values.get(key), yardstick.get(row.repeat)
        if row.peer == YARDSTICK or isinstance(value, str) or isinstance(unit, str):
            continue
        if value is not None and unit:
            ratios.append(value / unit)
    return median(ratios) if ratios else None


def show(value: float, unit: Unit) -> str:
    match unit:
        case Unit.SECONDS:
            return _seconds(value)
        case Unit.BYTES:
            return f"{value / 2**20:.1f} MiB"
        case Unit.COUNT | Unit.TEXT:
            return f"{value:,.0f}"


def _seconds(value: float) -> str:
    for size, name in ((1, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if abs(value) >= size:
            return f"{_digits(value / size)} {name}"
    return f"{value * 1e9:.0f} ns" if value else "0"


def show_ratio(ratio: float) -> str:
    return f"{_digits(ratio)}x"


def _digits(value: float) -> str:
    """The value with three significant digits."""
    return f"{value:,.{max(0, 3 - len(str(int(abs(value)))))}f}"

"""The grid of `gamin report`: directories by time. Pure."""

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

MAX_ROWS = 40
MAX_COLUMNS = 120

MIN_SHARE = 0.01
"""The share of all changes below which a directory is not divided further."""

MIN_SPAN = 0.1
"""Seconds that a column stands for at least."""

MAX_NAMES = 5
"""Names that a cell lists."""


class Row(NamedTuple):
    """A directory: its own entries, or everything below it."""

    directory: str
    is_whole: bool
    """Whether it stands for all directories below it too."""

    @property
    def label(self) -> str:
        return self.directory.rstrip("/") + ("/…" if self.is_whole else "/")


class Cell(NamedTuple):
    row: int
    column: int
    changes: int
    names: tuple[tuple[str, int], ...]
    """The names that changed most, with how often they did."""


class HeatMap(NamedTuple):
    rows: list[Row]
    totals: list[int]
    """Changes of each row."""
    columns: int
    start: float
    span: float
    """Seconds that a column stands for."""
    cells: list[Cell]
    """The cells with a change."""


def heat_map(
    changes: Sequence[tuple[float, str]],
    start: float,
    max_rows: int = MAX_ROWS,
    max_columns: int = MAX_COLUMNS,
) -> HeatMap:
    """Count changes, given as (time, path), by directory and time."""
    end = max((time for time, _ in changes), default=start)
    start = min([start, *(time for time, _ in changes)])
    span = max(MIN_SPAN, (end - start) / max_columns)
    columns = min(max_columns, int((end - start) / span) + 1)
    rows = choose_rows((_parent(path) for _, path in changes), max_rows)
    numbers = {row: number for number, row in enumerate(rows)}
    names: dict[tuple[int, int], Counter[str]] = {}
    totals = [0] * len(rows)
    for time, path in changes:
        row = numbers[_row_of(_parent(path), numbers)]
        column = min(columns - 1, int((time - start) / span))
        totals[row] += 1
        inside = path[len(rows[row].directory.rstrip("/")) + 1 :]
        names.setdefault((row, column), Counter())[inside or path] += 1
    cells = [
        Cell(row, column, counts.total(), tuple(counts.most_common(MAX_NAMES)))
        for (row, column), counts in sorted(names.items())
    ]
    return HeatMap(rows, totals, columns, start, span, cells)


def choose_rows(directories: Iterable[str], max_rows: int) -> list[Row]:
    """At most `max_rows` rows that cover the directories, in the order of the tree.

    Begins with the root as one row and replaces the busiest row by its subdirectories
    as long as there is room.
    """
    own = Counter(directories)
    if not own:
        return []
    below: Counter[str] = Counter()
    children: dict[str, set[str]] = {}
    for directory, count in own.items():
        below[directory] += count
        child = directory
        for above in _above(directory):
            below[above] += count
            children.setdefault(above, set()).add(child)
            child = above
    chosen = {"/"}
    heap = [(-below["/"], "/")]
    split: set[str] = set()
    while heap:
        _, directory = heapq.heappop(heap)
        parts = children.get(directory, set())
        added = len(parts) - (directory not in own)
        is_small = below[directory] < MIN_SHARE * below["/"]
        if not parts or is_small or len(chosen) + added > max_rows:
            continue
        split.add(directory)
        if directory not in own:
            chosen.discard(directory)
        chosen |= parts
        for part in parts:
            heapq.heappush(heap, (-below[part], part))
    rows = [Row(each, each not in split and each in children) for each in chosen]
    return sorted(rows, key=lambda row: row.directory.split("/"))


def _row_of(directory: str, rows: dict[Row, int]) -> Row:
    own = Row(directory, False)
    if own in rows:
        return own
    whole = (Row(above, True) for above in (directory, *_above(directory)))
    return next(row for row in whole if row in rows)


def _parent(path: str) -> str:
    return path.rpartition("/")[0] or "/"


def _above(directory: str) -> Iterator[str]:
    """The directories above, the nearest first."""
    while directory != "/":
        directory = _parent(directory)
        yield directory

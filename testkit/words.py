"""Rows in words, so that a test reads as what a client receives."""

import os
from collections.abc import Iterable

from gamin.events import Row


def as_words(rows: Iterable[Row]) -> list[str]:
    """One line per row. A slash at the end marks a directory; "it" was asked for."""
    return [_line(row) for row in rows]


def _line(row: Row) -> str:
    path = os.fsdecode(row.path) or "it"
    slash = "/" if row.is_dir else ""
    source = "" if row.source is None else f"{os.fsdecode(row.source)}{slash} "
    return f"{row.kind.value} {source}{path}{slash}"

"""Rows in words, so that a test reads as what a client receives."""

import os
from collections.abc import Iterable

from gamin.events import (
    AnyRow,
    Row,
    as_rows,
)


def as_words(rows: Iterable[AnyRow]) -> list[str]:
    """One line per row. A slash at the end marks a directory; "it" was asked for."""
    return [_line(row) for row in as_rows(rows)]


def _line(row: Row) -> str:
    path = os.fsdecode(row.path) or "it"
    slash = "/" if row.is_dir else ""
    source = "" if row.source is None else f"{os.fsdecode(row.source)}{slash} "
    return f"{row.kind.value} {source}{path}{slash}"

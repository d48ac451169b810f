"""Evaluates expressions for the tests of their terms."""

from typing import Any

import pytest

from gamin.protocol.watchman.errors import BadRequest
from gamin.protocol.watchman.query.expression import parse_expression
from gamin.protocol.watchman.query.file_row import FileRow
from testkit.rows import NOW, row


def matches(expression: object, asked: FileRow, *, fold: bool = False) -> bool:
    return parse_expression(expression, fold=fold).matches(asked, NOW)


def matching(expression: object, *names: str) -> list[str]:
    """The names that match."""
    return [name for name in names if matches(expression, row(name.encode()))]


def complaint(expression: Any) -> str:
    """The error text for an invalid expression, without its prefix."""
    with pytest.raises(BadRequest) as refused:
        parse_expression(expression)
    return refused.value.reason

"""The type of a term of an expression, and the checks of its arguments."""

import operator
from collections.abc import Callable, Sequence
from typing import NoReturn

from gamin.protocol.watchman.clocks import Timeline
from gamin.protocol.watchman.errors import BadQuery
from gamin.protocol.watchman.names import to_bytes
from gamin.protocol.watchman.query.file_row import FileRow

Term = Callable[[FileRow, Timeline], bool]
"""A predicate of a row; the timeline gives ticks their meaning."""

Arguments = Sequence[object]
Builder = Callable[[str, Arguments, bool], Term]
"""Makes a term from its name, its arguments, and whether case is ignored."""

COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}


def comparison(arguments: Arguments) -> Callable[[int], bool]:
    """Compile `[..., op, number]` into a predicate of numbers."""
    match arguments:
        case [_, str(name), int(operand)] if not isinstance(operand, bool):
            if name not in COMPARISONS:
                raise BadQuery(f"integer comparator opname `{name}' is invalid")
            compare = COMPARISONS[name]
            return lambda number: compare(number, operand)
        case [_, str(), _]:
            raise BadQuery("integer comparator operand must be an integer")
        case [_, _, _]:
            raise BadQuery("integer comparator op must be a string")
        case _:
            raise BadQuery("integer comparator must have 3 elements")


def text_or_texts(value: object, complaint: str) -> list[bytes]:
    """Return one string or a list of strings as bytes."""
    values = value if isinstance(value, list) else [value]
    return [text(item, complaint) for item in values]


def text(value: object, complaint: str) -> bytes:
    if not isinstance(value, str):
        refuse(complaint)
    return to_bytes(value)


def refuse(complaint: str) -> NoReturn:
    raise BadQuery(complaint)

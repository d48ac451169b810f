import pytest

from gamin.protocol.watchman.errors import BadQuery
from gamin.protocol.watchman.query.term import comparison


@pytest.mark.parametrize(
    ("op", "fitting"),
    [
        ("eq", {2}),
        ("ne", {1, 3}),
        ("gt", {3}),
        ("ge", {2, 3}),
        ("lt", {1}),
        ("le", {1, 2}),
    ],
)
def test_comparisons(op: str, fitting: set[int]) -> None:
    fits = comparison(["size", op, 2])
    assert {number for number in (1, 2, 3) if fits(number)} == fitting


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["size"], "integer comparator must have 3 elements"),
        (["size", "gt", 1, 2], "integer comparator must have 3 elements"),
        (["size", 1, 1], "integer comparator op must be a string"),
        (["size", "gt", "1"], "integer comparator operand must be an integer"),
        (["size", "gt", True], "integer comparator operand must be an integer"),
        (["size", "x", 1], "integer comparator opname `x' is invalid"),
    ],
)
def test_invalid_comparisons_are_refused(
    arguments: list[object], complaint: str
) -> None:
    with pytest.raises(BadQuery, match=complaint):
        comparison(arguments)

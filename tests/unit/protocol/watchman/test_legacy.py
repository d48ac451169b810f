import pytest

from gamin.protocol.watchman.errors import BadQuery
from gamin.protocol.watchman.legacy import FIELDS, expression
from gamin.protocol.watchman.query.fields import check_fields
from testkit.expressions import matching

NAMES = ("a.c", "b.h", "sub/x.c", "sub/y.gz", "sub/z")


@pytest.mark.parametrize(
    ("rules", "names"),
    [
        pytest.param(["*.c"], ["a.c"], id="a whole name"),
        pytest.param(["*.c", "*.h"], ["a.c", "b.h"], id="any of two"),
        pytest.param(["-X", "sub/*"], ["a.c", "b.h"], id="all but some"),
        pytest.param(["sub/*", "-X", "*/*.gz"], ["sub/x.c", "sub/z"], id="some but"),
        pytest.param(["-X", "a.c", "-I", "*"], ["b.h"], id="back to taking in"),
        pytest.param(["!", "*.c"], ["b.h", "sub/x.c", "sub/y.gz", "sub/z"], id="not"),
        pytest.param(["-p", r"\.c$"], ["a.c", "sub/x.c"], id="an expression"),
        pytest.param(["-P", r"^A", "b.h"], ["a.c", "b.h"], id="then a pattern again"),
        pytest.param(["a.c", "--", "b.h"], ["a.c"], id="the end of the list"),
    ],
)
def test_a_list_of_patterns_becomes_an_expression(
    rules: list[object], names: list[str]
) -> None:
    assert matching(expression(rules, position=3), *NAMES) == names


def test_one_list_of_patterns_is_one_term() -> None:
    """Clients see it in `trigger-list`."""
    assert expression(["a"], position=3) == ["anyof", ["match", "a", "wholename"]]


@pytest.mark.parametrize("rules", [[], ["-X"], ["-p"], ["!"], ["--", "a.c"]])
def test_a_list_without_patterns_is_no_expression(rules: list[object]) -> None:
    assert expression(rules, position=3) is None


def test_an_invalid_pattern_is_counted_in_the_request() -> None:
    with pytest.raises(BadQuery, match="rule @ position 4 is not a string value"):
        expression(["a", 1], position=3)


def test_the_fields_of_old_commands_exist() -> None:
    assert check_fields(list(FIELDS)) == FIELDS

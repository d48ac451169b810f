from typing import Any

import pytest

from gamin.protocol.watchman.query.expression import (
    MAX_DEPTH,
    parse_expression,
)
from gamin.protocol.watchman.query.limits import DEFAULT_LIMITS
from testkit.expressions import complaint, matches
from testkit.rows import FakeDisk, row


@pytest.mark.parametrize(
    ("expression", "answer"),
    [
        (["allof", "true", "true"], True),
        (["allof", "true", "false"], False),
        (["anyof", "false", "true"], True),
        (["anyof", "false"], False),
        (["not", "false"], True),
        (["not", ["anyof", "false", ["allof", "true", "exists"]]], False),
    ],
)
def test_terms_are_combined(expression: Any, answer: bool) -> None:
    assert matches(expression, row()) is answer


def test_a_term_whose_answer_does_not_matter_is_not_asked() -> None:
    disk = FakeDisk(None)
    assert not matches(["allof", ["name", "x"], ["size", "eq", 0]], row(disk=disk))
    assert matches(["anyof", ["name", "a.c"], ["size", "eq", 0]], row(disk=disk))
    assert disk.probes == []


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("foo", "unknown expression term 'foo'"),
        (["foo", 1], "unknown expression term 'foo'"),
        (["not", "foo"], "unknown expression term 'foo'"),
        ("not", 'must use ["not", expr]'),
        (["not"], 'must use ["not", expr]'),
        (["not", "true", "true"], 'must use ["not", expr]'),
        ("allof", 'must use ["allof", expr...]'),
        (["allof"], 'must use ["allof", expr...]'),
        (["anyof"], 'must use ["anyof", expr...]'),
        ([1], "first element of an expression must be a string"),
        ([], "expected array or string for an expression"),
        ({}, "expected array or string for an expression"),
        (1, "expected array or string for an expression"),
    ],
)
def test_invalid_expressions_are_refused(expression: Any, text: str) -> None:
    assert complaint(expression) == text


def nested(depth: int) -> Any:
    expression: Any = "true"
    for _ in range(depth):
        expression = ["not", expression]
    return expression


def test_the_deepest_expression_has_an_answer() -> None:
    assert matches(nested(MAX_DEPTH), row())


def test_a_deeper_expression_is_refused() -> None:
    assert "nested" in complaint(nested(MAX_DEPTH + 1))
    assert "nested" in complaint(nested(900))


def test_an_expression_that_would_stop_the_others_is_refused() -> None:
    assert "more than" in complaint(["anyof", *(["true"] * DEFAULT_LIMITS.terms)])


@pytest.mark.parametrize("term", ["match", "imatch", "pcre", "ipcre"])
def test_more_patterns_than_anybody_needs_are_refused(term: str) -> None:
    several = [[term, str(number)] for number in range(DEFAULT_LIMITS.patterns)]
    parse_expression(["anyof", *several])
    assert "patterns" in complaint(["anyof", *several, [term, "one more"]])


def test_longer_patterns_than_anybody_needs_are_refused() -> None:
    count = DEFAULT_LIMITS.pattern_bytes // 4000 + 1
    several = [["pcre", "x" * 4000] for _ in range(count)]
    assert "characters" in complaint(["anyof", *several])


def test_the_price_of_an_expression_is_the_number_of_its_terms() -> None:
    assert parse_expression("exists").price == 1
    assert parse_expression(["allof", ["not", "exists"], "true"]).price == 4


def test_expressions_that_are_written_the_same_are_equal() -> None:
    written = ["allof", ["name", "a"], "exists"]
    assert parse_expression(written) == parse_expression(list(written))
    assert hash(parse_expression(written)) == hash(parse_expression(list(written)))
    assert parse_expression(written) != parse_expression(written, fold=True)
    assert parse_expression(written) != parse_expression("exists")

import pytest

from gamin.patterns.re2 import (
    InvalidPattern,
    match_from,
    matches_somewhere,
    matches_whole,
)


def test_a_pattern_that_stops_a_backtracking_matcher_is_answered() -> None:
    matches = matches_whole(b"(?:a*)*" * 50 + b"b")
    assert not matches(b"a" * 4000)


def test_our_expressions_see_bytes() -> None:
    assert matches_whole(b"..")(b"\xff\n")


def test_a_match_may_begin_within_a_text() -> None:
    match = match_from(b"a+")
    assert match(b"xaa", 1)
    assert not match(b"xaa")
    assert not match(b"xaab", 1)


def test_expressions_of_a_peer_see_characters() -> None:
    assert matches_somewhere(b"^.$", fold=False)("é".encode())


def test_names_that_are_not_utf_8_can_still_be_found() -> None:
    assert matches_somewhere(rb"abc", fold=False)(b"\xff\xfeabc\xff")


def test_case_is_ignored_on_request() -> None:
    assert matches_somewhere(b"^A", fold=True)(b"abc")
    assert not matches_somewhere(b"^A", fold=False)(b"abc")


@pytest.mark.parametrize("expression", [b"(", b"(?=a)", rb"(a)\1", b"\xff", b"a{9999}"])
def test_a_pattern_that_needs_more_than_linear_time_is_refused(
    expression: bytes,
) -> None:
    with pytest.raises(InvalidPattern):
        matches_somewhere(expression, fold=False)

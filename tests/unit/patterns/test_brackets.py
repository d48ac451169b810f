import pytest

from gamin.patterns.brackets import EVERY_BYTE, ByteClass, expression_of, read_class
from gamin.patterns.re2 import matches_whole


@pytest.mark.parametrize(
    ("pattern", "members"),
    [
        pytest.param(b"[abc]", b"abc", id="bytes"),
        pytest.param(b"[a-c]", b"abc", id="a range"),
        pytest.param(b"[]a]", b"]a", id="a bracket that comes first"),
        pytest.param(b"[a-]", b"a-", id="a dash that comes last"),
        pytest.param(b"[-a]", b"-a", id="a dash that comes first"),
        pytest.param(b"[c-a]", b"c", id="a range the wrong way round"),
        pytest.param(b"[\\]a]", b"]a", id="an escaped bracket"),
        pytest.param(b"[a-\\]b]", b"ab", id="an escaped end of a range"),
        pytest.param(b"[[:digit:]]", b"0123456789", id="a name"),
        pytest.param(b"[[:digit:]x-z]", b"0123456789xyz", id="a name and a range"),
        pytest.param(b"[[:a]", b"[:a", id="a bracket and a colon"),
    ],
)
def test_members_of_a_class(pattern: bytes, members: bytes) -> None:
    # A range the wrong way round holds what it began with, as in Watchman.
    assert read_class(pattern, 0, fold=False) == ByteClass(
        frozenset(members), len(pattern)
    )


@pytest.mark.parametrize(
    "pattern", [b"[", b"[]", b"[a", b"[a-", b"[\\", b"[[:nope:]]", b"[[:"]
)
def test_a_class_without_an_end_or_a_meaning_is_none(pattern: bytes) -> None:
    assert read_class(pattern, 0, fold=False) is None


@pytest.mark.parametrize("pattern", [b"[!ab]", b"[^ab]"])
def test_a_class_can_be_negated(pattern: bytes) -> None:
    found = read_class(pattern, 0, fold=False)
    assert found is not None
    assert found.members == EVERY_BYTE - frozenset(b"ab")


def test_negation_comes_after_ignoring_case() -> None:
    found = read_class(b"[!A]", 0, fold=True)
    assert found is not None
    assert ord("a") not in found.members


def test_a_class_ends_where_its_bracket_is() -> None:
    assert read_class(b"x[a]y", 1, fold=False) == ByteClass(frozenset(b"a"), 4)


def test_a_name_may_mean_other_members() -> None:
    found = read_class(b"[[:odd:]]", 0, named={b"odd": frozenset(b"13")})
    assert found == ByteClass(frozenset(b"13"), 9)


@pytest.mark.parametrize("members", [b"", b"a", b"abd", b"]-^\\", bytes(range(256))])
def test_the_expression_of_a_set_matches_its_members_only(members: bytes) -> None:
    matches = matches_whole(expression_of(frozenset(members)).encode())
    assert frozenset(b for b in EVERY_BYTE if matches(bytes([b]))) == frozenset(members)

"""What one rule file means, as groups of patterns."""

import pytest

from gamin.patterns.rule_groups import (
    MAX_PATTERNS,
    MAX_TEXT,
    MAX_WILDCARDS,
    exceeded_limit,
    groups_of_text,
    size_of,
)


def test_neighbours_of_one_meaning_are_one_group_and_the_last_is_the_first() -> None:
    groups = groups_of_text(b"a\nb\n!c\n/d\n")
    assert [(group.ignores, b"c" in group.names) for group in groups] == [
        (True, False),
        (False, True),
        (True, False),
    ]
    assert b"d" in groups[0].paths
    assert {b"a", b"b"} <= groups[2].names
    assert size_of(groups) == 0


def test_only_patterns_with_wildcards_have_a_size() -> None:
    assert size_of(groups_of_text(b"name\n")) == 0
    assert size_of(groups_of_text(b"*.a*b\n")) > 0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"x\n" + b"#" * MAX_TEXT, "bytes"),
        (b"x\n" * (MAX_PATTERNS + 1), "patterns"),
        (b"x\n" + b"*.abc\n" * (MAX_WILDCARDS // 5 + 1), "wildcards"),
    ],
    ids=["text", "patterns", "wildcards"],
)
def test_a_text_beyond_a_limit_has_a_reason_and_no_groups(
    text: bytes, reason: str
) -> None:
    assert reason in (exceeded_limit(text) or "")
    assert groups_of_text(text) == ()

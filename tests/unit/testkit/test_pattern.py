"""The matcher of scenarios accepts every right outcome, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testkit.scenario.pattern import (
    CODES,
    EventRecord,
    Pattern,
    PatternError,
    Times,
    matches,
    parse,
)


def received(text: str) -> list[EventRecord]:
    words = [event.split() for event in text.split(",") if event.strip()]
    return [EventRecord(CODES[kind], path.encode()) for kind, path in words]


def pattern(text: str) -> Pattern:
    return parse(text.strip("\n").split("\n"))


ANY_ORDER = """
    created box
    any order:
        created a
        ?changed a
        deleted b
    created c
"""


@pytest.mark.parametrize(
    ("lines", "events", "right"),
    [
        pytest.param("created a", "created a", True, id="the event"),
        pytest.param("created a", "", False, id="nothing instead of an event"),
        pytest.param("created a", "deleted a", False, id="another kind"),
        pytest.param("created a", "created b", False, id="another name"),
        pytest.param("created a", "created a, created a", False, id="once too often"),
        pytest.param("nothing", "", True, id="nothing"),
        pytest.param("nothing", "created a", False, id="an event instead of nothing"),
        pytest.param(
            "deleted a\ncreated b", "created b, deleted a", False, id="the wrong order"
        ),
        pytest.param("?changed a\ndeleted a", "deleted a", True, id="option not taken"),
        pytest.param(
            "?changed a\ndeleted a", "changed a, deleted a", True, id="option taken"
        ),
        pytest.param(
            "?changed a\ndeleted a", "deleted a, changed a", False, id="option too late"
        ),
        pytest.param("changed a *2..3", "changed a", False, id="too few"),
        pytest.param(
            "changed a *2..3", "changed a, changed a, changed a", True, id="enough"
        ),
        pytest.param("changed a *2", "changed a, changed a", True, id="exactly"),
        pytest.param("{created a, deleted a | }", "", True, id="the empty choice"),
        pytest.param(
            "{created a, deleted a | }", "created a, deleted a", True, id="the full one"
        ),
        pytest.param(
            "{created a, deleted a | }", "created a", False, id="half a choice"
        ),
        pytest.param(
            "{changed a | {?deleted a, created a}}\nchanged a",
            "created a, changed a",
            True,
            id="groups in groups",
        ),
        pytest.param(
            "created a\n?changed a\nchanged a", "created a, changed a", True, id="greed"
        ),
        pytest.param(
            "exists f[9..11]", "exists f9, exists f10, exists f11", True, id="range"
        ),
        pytest.param(
            ANY_ORDER,
            "created box, deleted b, created a, created c",
            True,
            id="any order",
        ),
        pytest.param(
            ANY_ORDER,
            "created box, deleted b, changed a, created a, created c",
            True,
            id="any order with its option",
        ),
        pytest.param(
            ANY_ORDER, "created box, created a, created c", False, id="one missing"
        ),
        pytest.param(
            ANY_ORDER,
            "deleted b, created box, created a, created c",
            False,
            id="out of the group",
        ),
    ],
)
def test_a_pattern_accepts_exactly_its_events(
    lines: str, events: str, right: bool
) -> None:
    assert matches(pattern(lines), received(events)) is right


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("    vanished a", id="an unknown kind"),
        pytest.param("    created", id="no name"),
        pytest.param("    created a b", id="a word too many"),
        pytest.param("    {created a | deleted a", id="an open group"),
        pytest.param("    created a }", id="a group never begun"),
        pytest.param("    created a *some", id="a count that is none"),
        pytest.param("    ?created a *2", id="an option with a count"),
        pytest.param("    any order:", id="an empty group"),
        pytest.param(
            "    any order:\n        {created a | }", id="nested in any order"
        ),
    ],
)
def test_invalid_patterns_are_refused(text: str) -> None:
    with pytest.raises(PatternError):
        pattern(text)


def test_names_reach_every_byte() -> None:
    assert parse([r"    created \xff\ \n\x7c,changed ü"]) == (
        Times(EventRecord(CODES["created"], b"\xff \n|")),
        Times(EventRecord(CODES["changed"], "ü".encode())),
    )


SOME_EVENTS = st.lists(
    st.builds(EventRecord, st.sampled_from([1, 2, 5]), st.sampled_from([b"a", b"b"])),
    max_size=6,
)


@given(expected=SOME_EVENTS, received=SOME_EVENTS)
def test_a_plain_list_matches_itself_alone(
    expected: list[EventRecord], received: list[EventRecord]
) -> None:
    plain = tuple(Times(event) for event in expected)
    assert matches(plain, expected)
    assert matches(plain, received) is (expected == received)

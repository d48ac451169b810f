import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.protocol.watchman.clocks import (
    MAX_CURSOR_NAME,
    Clock,
    ClockSpec,
    Cursor,
    Stale,
    Timestamp,
    parse_clockspec,
)
from gamin.protocol.watchman.errors import BadRequest
from testkit.rows import NOW

numbers = st.integers(0, 2**64 - 1)


@given(st.builds(Clock, numbers, numbers, numbers, numbers))
def test_a_clock_survives_as_text(clock: Clock) -> None:
    assert parse_clockspec(str(clock)) == clock


@pytest.mark.parametrize(
    ("value", "spec"),
    [
        pytest.param("c:1:2:3:4", Clock(1, 2, 3, 4), id="a clock"),
        pytest.param("n:mine", Cursor("mine"), id="a named cursor"),
        pytest.param("n:", Cursor(""), id="a cursor with an empty name"),
        pytest.param(1_700_000_000, Timestamp(1_700_000_000), id="seconds"),
        pytest.param(-1, Timestamp(-1), id="seconds before 1970"),
        pytest.param("c:12:34", Stale(), id="the form of very old servers"),
        pytest.param("c:1:2:3:4:5", Stale(), id="too many numbers"),
        pytest.param("c:-1:2:3:4", Stale(), id="negative numbers"),
        pytest.param("c:1:2:3:" + "9" * 5000, Stale(), id="a monstrous tick"),
        pytest.param({"clock": "c:1:2:3:4"}, Clock(1, 2, 3, 4), id="a fat clock"),
        pytest.param({}, Stale(), id="a fat clock without a clock"),
    ],
)
def test_points_in_time(value: object, spec: ClockSpec) -> None:
    assert parse_clockspec(value) == spec


@pytest.mark.parametrize(
    "value",
    ["", "x", "c:", "c:1", "c:a:b:c:d", None, True, 1.5, [], {"clock": 1}],
)
def test_anything_else_is_refused(value: object) -> None:
    with pytest.raises(BadRequest, match=r"^invalid clockspec$"):
        parse_clockspec(value)


def test_clocks_of_source_control_are_refused_with_a_reason() -> None:
    with pytest.raises(BadRequest, match="source control"):
        parse_clockspec({"clock": "c:1:2:3:4", "scm": {"mergebase-with": "main"}})


@pytest.mark.parametrize(
    ("spec", "tick"),
    [
        pytest.param(NOW.clock(10), 10, id="the oldest that is remembered"),
        pytest.param(NOW.clock(100), 100, id="the latest"),
        pytest.param(NOW.clock(9), None, id="one that is forgotten"),
        pytest.param(NOW.clock(101), None, id="one that is still to come"),
        pytest.param(NOW.clock(50)._replace(start=1), None, id="an earlier server"),
        pytest.param(NOW.clock(50)._replace(pid=1), None, id="another server"),
        pytest.param(NOW.clock(50)._replace(root=1), None, id="another root"),
        pytest.param(Stale(), None, id="no clock of today"),
    ],
)
def test_a_clock_says_where_a_client_continues(
    spec: ClockSpec, tick: int | None
) -> None:
    assert NOW.resume(spec) == tick


def test_a_cursor_has_no_name_that_takes_much_memory() -> None:
    name = "x" * (MAX_CURSOR_NAME - 2)
    assert parse_clockspec(f"n:{name}") == Cursor(name)
    with pytest.raises(BadRequest, match="too long"):
        parse_clockspec(f"n:{name}y")

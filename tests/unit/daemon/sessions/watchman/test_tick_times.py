from hypothesis import given
from hypothesis import strategies as st

from gamin.daemon.sessions.watchman.tick_times import MAX_TIMES, TickTimes


def test_the_time_before_the_first_tick_is_unknown() -> None:
    times = TickTimes()
    assert times.before(100) is None
    times.note(100, 7)
    assert times.before(100) is None


def test_the_last_tick_before_a_second_is_found() -> None:
    times = TickTimes()
    for second, tick in [(100, 7), (100, 8), (103, 9)]:
        times.note(second, tick)
    assert [times.before(second) for second in (101, 103, 104)] == [8, 8, 9]


def test_a_clock_that_is_set_back_stands_still() -> None:
    times = TickTimes()
    times.note(100, 7)
    times.note(50, 8)
    assert times.before(101) == 8
    assert times.before(100) is None


@given(st.lists(st.integers(1, 3), max_size=3 * MAX_TIMES), st.data())
def test_forgetting_ticks_makes_no_other_tick_older(
    steps: list[int], data: st.DataObject
) -> None:
    """A change is rather reported once too often than not at all."""
    times, truth, second = TickTimes(), [], 0
    for tick, step in enumerate(steps, start=1):
        second += step
        times.note(second, tick)
        truth.append((second, tick))
    asked = data.draw(st.integers(0, second + 1))
    exact = max((tick for at, tick in truth if at < asked), default=0)
    assert (times.before(asked) or 0) <= exact


def test_the_record_does_not_grow_for_ever() -> None:
    times = TickTimes()
    for second in range(10 * MAX_TIMES):
        times.note(second, second)
    assert times.before(10 * MAX_TIMES) == 10 * MAX_TIMES - 1
    assert len(times._seconds) <= MAX_TIMES

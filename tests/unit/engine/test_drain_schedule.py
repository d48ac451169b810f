"""How soon the kernel is drained again, with times that are passed in."""

import pytest

from gamin.engine.drain_schedule import (
    BACK_TO_BACK_DRAINS,
    BACK_TO_BACK_PAUSE,
    BACK_TO_BACK_SECONDS,
    BURST_EVENTS,
    BURST_PAUSE,
    LARGE_READ,
    STORM_EVENTS,
    STORM_PAUSE,
    DrainSchedule,
)
from gamin.engine.ports import AT_ONCE
from gamin.system.inotify import BUFFER

WHEN_READABLE = None


class Drains:
    """A schedule, and what it says after each drain."""

    def __init__(self) -> None:
        self.schedule = DrainSchedule()
        self.now = 1000.0
        self.behind = 0

    def next_after(self, count: int, seconds: float = 1.0) -> object:
        """Seconds until the next drain, after one that began so long after the last."""
        self.now += seconds
        self.schedule.on_drained(count, self.behind, self.now)
        due_at = self.schedule.due_at
        if due_at is None or due_at == AT_ONCE:
            return due_at
        return pytest.approx(due_at - self.now)


@pytest.fixture
def drains() -> Drains:
    return Drains()


def test_rare_events_are_read_at_once(drains: Drains) -> None:
    for _ in range(100):
        seconds = 2 * BACK_TO_BACK_SECONDS
        assert drains.next_after(BURST_EVENTS - 1, seconds) == WHEN_READABLE


@pytest.mark.parametrize(
    ("count", "pause"),
    [
        pytest.param(BURST_EVENTS, BURST_PAUSE, id="a burst"),
        pytest.param(STORM_EVENTS, STORM_PAUSE, id="a storm"),
    ],
)
def test_the_next_drain_waits_after_many_events(
    drains: Drains, count: int, pause: float
) -> None:
    assert drains.next_after(count) == pause
    assert drains.next_after(count, pause) == pause
    assert drains.next_after(0, pause) == WHEN_READABLE


def test_there_is_no_pause_while_much_is_read_ahead(drains: Drains) -> None:
    drains.behind = LARGE_READ
    assert drains.next_after(STORM_EVENTS) == AT_ONCE
    assert drains.next_after(1, 0.0) == AT_ONCE
    drains.behind = 0
    assert drains.next_after(0, 0.0) == WHEN_READABLE


def test_a_small_rest_waits_for_more_in_a_storm_only(drains: Drains) -> None:
    drains.behind = LARGE_READ - 1
    assert drains.next_after(STORM_EVENTS) == STORM_PAUSE
    assert drains.next_after(1, STORM_PAUSE) == AT_ONCE


def test_drains_back_to_back_wait_until_one_finds_nothing(drains: Drains) -> None:
    soon = BACK_TO_BACK_SECONDS / 2
    seen = [drains.next_after(1, soon) for _ in range(BACK_TO_BACK_DRAINS + 1)]
    assert seen == [WHEN_READABLE] * BACK_TO_BACK_DRAINS + [BACK_TO_BACK_PAUSE]
    assert drains.next_after(1, BACK_TO_BACK_PAUSE) == BACK_TO_BACK_PAUSE
    assert drains.next_after(0, BACK_TO_BACK_PAUSE) == WHEN_READABLE
    assert drains.next_after(1, soon) == WHEN_READABLE


def test_events_read_ahead_outside_of_a_drain_make_one_due(drains: Drains) -> None:
    schedule = drains.schedule
    schedule.on_read_ahead(0)
    assert schedule.due_at == WHEN_READABLE
    schedule.on_read_ahead(1)
    assert schedule.due_at == AT_ONCE


def test_events_read_ahead_during_a_pause_wait_for_its_end(drains: Drains) -> None:
    assert drains.next_after(STORM_EVENTS) == STORM_PAUSE
    due_at = drains.schedule.due_at
    drains.schedule.on_read_ahead(1)
    assert drains.schedule.due_at == due_at


def test_a_large_read_is_one_read_of_the_backend() -> None:
    assert LARGE_READ == BUFFER

"""The timer: when it becomes readable, and that it does not otherwise."""

import select
from collections.abc import Iterator

import pytest

from gamin.system.timerfd import Timer

NEVER = 3600.0
DEADLINE_MS = 10_000


@pytest.fixture
def timer() -> Iterator[Timer]:
    timer = Timer()
    yield timer
    timer.close()


def goes_off(timer: Timer, within_ms: int = DEADLINE_MS) -> bool:
    waiting = select.poll()
    waiting.register(timer, select.POLLIN)
    return bool(waiting.poll(within_ms))


def test_a_new_timer_is_not_armed(timer: Timer) -> None:
    assert not goes_off(timer, within_ms=0)
    assert timer.read() == 0


def test_it_goes_off_and_is_read_once(timer: Timer) -> None:
    timer.arm(0.001)
    assert goes_off(timer)
    assert timer.read() == 1
    assert timer.read() == 0
    assert not goes_off(timer, within_ms=0)


@pytest.mark.parametrize("first", [0.0, -5.0, 1e-12])
def test_a_time_that_is_past_means_at_once(timer: Timer, first: float) -> None:
    timer.arm(first)
    assert goes_off(timer)


def test_with_an_interval_it_goes_off_again(timer: Timer) -> None:
    timer.arm(0.0, interval=0.001)
    expirations = 0
    while expirations < 3:
        assert goes_off(timer)
        expirations += timer.read()


def test_disarmed_it_forgets_an_expiry_that_nobody_read(timer: Timer) -> None:
    timer.arm(0.0)
    assert goes_off(timer)
    timer.disarm()
    assert not goes_off(timer, within_ms=0)
    assert timer.read() == 0


def test_arming_again_replaces_the_time(timer: Timer) -> None:
    timer.arm(0.0)
    assert goes_off(timer)
    timer.arm(NEVER)
    assert not goes_off(timer, within_ms=0)

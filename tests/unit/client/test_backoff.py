"""When a client connects again, and when it gives up."""

import logging

import pytest

from gamin.client.backoff import (
    MAX_BROKEN_CONNECTIONS,
    MAX_PAUSE,
    MIN_PAUSE,
    Backoff,
    ServerUnstable,
)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def backoff(clock: Clock) -> Backoff:
    """Of a client that a server has served."""
    made = Backoff(clock)
    made.served()
    return made


def test_the_first_attempt_after_a_loss_is_made_at_once(backoff: Backoff) -> None:
    assert backoff.pause == 0
    backoff.lost(1)
    assert backoff.pause == 0


def test_pauses_grow_up_to_a_limit_and_pass_with_time(
    backoff: Backoff, clock: Clock
) -> None:
    pauses = []
    for pid in range(1, 15):
        backoff.lost(pid)
        pauses.append(backoff.pause)
    assert pauses[:3] == pytest.approx([0, MIN_PAUSE, 2 * MIN_PAUSE])
    assert pauses[-1] == pytest.approx(MAX_PAUSE)
    clock.now += MAX_PAUSE / 2
    assert backoff.pause == pytest.approx(MAX_PAUSE / 2)
    clock.now += MAX_PAUSE
    assert backoff.pause == 0


def test_a_process_that_hangs_up_every_time_is_an_error(backoff: Backoff) -> None:
    for _ in range(MAX_BROKEN_CONNECTIONS - 1):
        backoff.lost(1)
    with pytest.raises(ServerUnstable, match=f"{MAX_BROKEN_CONNECTIONS} connections"):
        backoff.lost(1)
    assert backoff.pause == 0, "the next call tries again at once"


def test_processes_that_end_one_after_another_are_no_error_and_reported_once(
    backoff: Backoff, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        for pid in range(1, 50):
            backoff.lost(pid)
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_a_server_that_serves_ends_the_trouble(backoff: Backoff) -> None:
    for _ in range(3):
        for _ in range(MAX_BROKEN_CONNECTIONS - 1):
            backoff.lost(1)
        backoff.served()
        assert backoff.pause == 0


def test_a_client_that_was_never_served_gives_up_after_several_processes(
    clock: Clock,
) -> None:
    backoff = Backoff(clock)
    for pid in range(1, MAX_BROKEN_CONNECTIONS):
        backoff.lost(pid)
    with pytest.raises(ServerUnstable):
        backoff.lost(MAX_BROKEN_CONNECTIONS)

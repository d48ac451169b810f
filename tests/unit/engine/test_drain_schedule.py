"""How soon the kernel is drained again, with a clock that is told the time."""

import os
from collections.abc import Iterator

import pytest

from gamin.daemon.io.loop import Callback, Loop, Timer
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
from testkit.doubles.disk import Disk
from testkit.doubles.kernel import KernelInMemory

AT_ONCE = "as soon as there is something"


class Kernel(KernelInMemory):
    """Always has something to read."""

    def __init__(self) -> None:
        super().__init__(Disk(lambda: 0))
        self._readable, self._other = os.pipe()
        os.write(self._other, b"x")

    def fileno(self) -> int:
        return self._readable

    def close(self) -> None:
        os.close(self._readable)
        os.close(self._other)


class RecordingLoop(Loop):
    """Says when it will call."""

    def __init__(self) -> None:
        super().__init__()
        self.when: object = None
        self.soon = 0

    def add_reader(self, fd: int, call: Callback) -> None:
        super().add_reader(fd, call)
        self.when = AT_ONCE

    def call_later(self, seconds: float, call: Callback) -> Timer:
        self.when = seconds
        return super().call_later(0.0, call)

    def call_soon(self, call: Callback) -> None:
        self.when = 0.0
        self.soon += 1
        super().call_soon(call)


class Drains:
    """A pace, and what it says after each drain."""

    def __init__(self) -> None:
        self.kernel = Kernel()
        self.loop = RecordingLoop()
        self.now = 0.0
        self.pace = DrainSchedule(
            self.kernel, self.loop, self.nothing, lambda: self.now
        )

    def nothing(self) -> None: ...

    def next_after(self, count: int, seconds: float = 1.0) -> object:
        """When the next drain is, after one that came so long after the last one."""
        self.loop.run_once(0)  # of whatever was due
        self.now += seconds
        self.pace.on_drained(count)
        return self.loop.when


@pytest.fixture
def drains() -> Iterator[Drains]:
    drains = Drains()
    yield drains
    drains.pace.stop()
    drains.loop.close()
    drains.kernel.close()


def test_what_happens_now_and_then_is_read_at_once(drains: Drains) -> None:
    for _ in range(100):
        assert drains.next_after(BURST_EVENTS - 1, 2 * BACK_TO_BACK_SECONDS) == AT_ONCE


@pytest.mark.parametrize(
    ("count", "pause"),
    [
        pytest.param(BURST_EVENTS, BURST_PAUSE, id="a flood"),
        pytest.param(STORM_EVENTS, STORM_PAUSE, id="a torrent"),
    ],
)
def test_much_at_a_time_is_read_later(drains: Drains, count: int, pause: float) -> None:
    assert drains.next_after(count) == pause
    assert drains.next_after(count, pause) == pause
    assert drains.next_after(0, pause) == AT_ONCE


def test_there_is_no_pause_while_much_was_read_and_not_taken_in(
    drains: Drains,
) -> None:
    drains.kernel.queued_bytes = LARGE_READ
    assert drains.next_after(STORM_EVENTS) == 0.0
    assert drains.next_after(1, 0.0) == 0.0
    drains.kernel.queued_bytes = 0
    assert drains.next_after(0, 0.0) == AT_ONCE


def test_a_rest_waits_for_more_in_a_flood_and_for_nothing_else(drains: Drains) -> None:
    drains.kernel.queued_bytes = LARGE_READ - 1
    assert drains.next_after(STORM_EVENTS) == STORM_PAUSE
    assert drains.next_after(1, STORM_PAUSE) == 0.0


def test_little_again_and_again_is_read_later_until_there_is_nothing(
    drains: Drains,
) -> None:
    told = [
        drains.next_after(1, BACK_TO_BACK_SECONDS / 2)
        for _ in range(BACK_TO_BACK_DRAINS + 1)
    ]
    assert told == [AT_ONCE] * BACK_TO_BACK_DRAINS + [BACK_TO_BACK_PAUSE]
    assert drains.next_after(1, BACK_TO_BACK_PAUSE) == BACK_TO_BACK_PAUSE
    assert drains.next_after(0, BACK_TO_BACK_PAUSE) == AT_ONCE
    assert drains.next_after(1, BACK_TO_BACK_SECONDS / 2) == AT_ONCE


def test_what_was_read_ahead_is_taken_in_once_though_nothing_happens(
    drains: Drains,
) -> None:
    drains.pace.schedule_read_ahead()
    assert drains.loop.soon == 0
    drains.kernel.queued_bytes = 1
    for _ in range(3):
        drains.pace.schedule_read_ahead()
    drains.pace.on_drained(1)
    assert drains.loop.soon == 1
    drains.loop.run_once(0)
    drains.pace.schedule_read_ahead()
    assert drains.loop.soon == 2

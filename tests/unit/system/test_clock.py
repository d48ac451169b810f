"""The real-time clock is compared with one that nobody can set."""

import time

import pytest

from gamin.system.clock import real_time_offset_ns


def test_time_that_passes_does_not_change_the_offset() -> None:
    before = real_time_offset_ns()
    assert abs(real_time_offset_ns() - before) < 60_000_000_000


def test_the_offset_is_less_after_the_clock_was_set_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = real_time_offset_ns()
    hour_ns = 3_600_000_000_000
    now_ns = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now_ns - hour_ns)
    assert real_time_offset_ns() < before - hour_ns // 2

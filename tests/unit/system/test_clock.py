"""The real-time clock is compared with one that nobody can set."""

import time

import pytest

from gamin.system.clock import real_time_offset_ns

HOUR_NS = 3_600_000_000_000
REAL_NS, MONOTONIC_NS = 500_000 * HOUR_NS, 7 * HOUR_NS


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """What both clocks show: they stand still until a test moves them."""
    shown = {"real": REAL_NS, "monotonic": MONOTONIC_NS}
    monkeypatch.setattr(time, "time_ns", lambda: shown["real"])
    monkeypatch.setattr(time, "monotonic_ns", lambda: shown["monotonic"])
    return shown


def test_time_that_passes_does_not_change_the_offset(clocks: dict[str, int]) -> None:
    before = real_time_offset_ns()
    clocks["real"] += HOUR_NS
    clocks["monotonic"] += HOUR_NS
    assert real_time_offset_ns() == before == REAL_NS - MONOTONIC_NS


def test_the_offset_is_an_hour_less_after_the_real_clock_was_set_back_an_hour(
    clocks: dict[str, int],
) -> None:
    before = real_time_offset_ns()
    clocks["real"] -= HOUR_NS
    assert real_time_offset_ns() == before - HOUR_NS

"""The daemon's loop over real pipes, iteration by iteration."""

import logging
import os
import signal
import time
from collections.abc import Iterator
from functools import partial

import pytest

from gamin.daemon.io.loop import MAX_EVENTS_PER_WAIT, Loop

SOON = 10.0
"""Seconds after which a test that waits gives up."""


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def test_a_reader_is_called_in_every_turn_in_which_there_is_something(
    loop: Loop, pipe: tuple[int, int]
) -> None:
    calls: list[str] = []
    loop.add_reader(pipe[0], lambda: calls.append("read"))
    loop.run_once(0)
    os.write(pipe[1], b"x")
    loop.run_once(SOON)
    loop.run_once(SOON)
    assert calls == ["read", "read"]


def test_a_descriptor_can_have_a_reader_and_a_writer(loop: Loop) -> None:
    calls: list[str] = []
    outlet, inlet = os.pipe()
    loop.add_writer(inlet, lambda: calls.append("write"))
    loop.add_reader(inlet, lambda: calls.append("read"))
    loop.run_once(0)
    os.close(outlet)  # an end concerns both
    loop.run_once(0)
    loop.remove_writer(inlet)
    loop.run_once(0)
    loop.remove_reader(inlet)
    loop.run_once(0)
    os.close(inlet)
    assert calls == ["write", "read", "write", "read"]


def test_a_descriptor_removed_in_the_same_iteration_is_not_called(loop: Loop) -> None:
    calls: list[int] = []
    pipes = [os.pipe() for _ in range(2)]

    def read(outlet: int) -> None:
        calls.append(outlet)
        for other, _ in pipes:
            loop.remove_reader(other)

    for outlet, inlet in pipes:
        os.write(inlet, b"x")
        loop.add_reader(outlet, partial(read, outlet))
    loop.run_once(0)
    for ends in pipes:
        for end in ends:
            os.close(end)
    assert len(calls) == 1


def test_every_descriptor_is_served_when_many_are_ready(loop: Loop) -> None:
    called: set[int] = set()
    outlets = []
    for number in range(MAX_EVENTS_PER_WAIT + 1):
        outlet, inlet = os.pipe()
        os.close(inlet)
        outlets.append(outlet)
        loop.add_reader(outlet, partial(called.add, number))
    loop.run_once(0)
    loop.run_once(0)
    for outlet in outlets:
        os.close(outlet)
    assert len(called) == MAX_EVENTS_PER_WAIT + 1


def test_timers_are_called_in_their_order_whoever_was_made_first(loop: Loop) -> None:
    calls: list[str] = []
    now = time.monotonic()
    loop.call_at(now - 1, lambda: calls.append("second"))
    loop.call_at(now - 2, lambda: calls.append("first"))
    loop.call_at(now - 1, lambda: calls.append("third"))
    loop.call_at(now + 100, lambda: calls.append("never"))
    loop.run_once()
    assert calls == ["first", "second", "third"]


def test_a_turn_ends_when_a_timer_is_due(loop: Loop) -> None:
    calls: list[float] = []
    loop.call_later(0.01, lambda: calls.append(time.monotonic()))
    started = time.monotonic()
    while not calls:
        loop.run_once(SOON)
    assert started + 0.01 <= calls[0] < started + SOON


def test_a_cancelled_timer_is_not_called_and_leaves_nothing_behind(loop: Loop) -> None:
    calls: list[str] = []
    kept = loop.call_later(0, lambda: calls.append("kept"))
    gone = loop.call_later(0, lambda: calls.append("gone"))
    gone.cancel()
    gone.cancel()
    loop.run_once(0)
    kept.cancel()
    loop.run_once(0)
    assert calls == ["kept"]


def test_a_timer_may_cancel_the_next(loop: Loop) -> None:
    now = time.monotonic()
    calls: list[str] = []
    second = loop.call_at(now - 1, lambda: calls.append("second"))
    loop.call_at(now - 2, second.cancel)
    loop.run_once()
    assert calls == []


def test_a_timer_that_sets_itself_for_the_past_leaves_others_their_turn(
    loop: Loop, pipe: tuple[int, int]
) -> None:
    calls: list[str] = []

    def again() -> None:
        calls.append("timer")
        assert len(calls) < 9, "the loop does nothing else"
        loop.call_at(0.0, again)

    again()
    loop.add_reader(pipe[0], lambda: calls.append("read"))
    os.write(pipe[1], b"x")
    loop.call_soon(lambda: calls.append("soon"))
    loop.run_once()
    assert calls == ["timer", "read", "timer", "soon"]


def test_call_soon_is_served_without_waiting(loop: Loop) -> None:
    calls: list[str] = []

    def again() -> None:
        calls.append("soon")
        if len(calls) < 3:
            loop.call_soon(again)

    loop.call_soon(again)
    loop.run_once()
    assert calls == ["soon"]
    loop.run_once()
    loop.run_once()
    assert calls == ["soon"] * 3


def test_a_bug_in_one_callback_is_logged_and_the_others_are_called(
    loop: Loop, caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[str] = []

    def broken() -> None:
        raise ZeroDivisionError

    loop.call_soon(broken)
    loop.call_soon(lambda: calls.append("next"))
    with caplog.at_level(logging.ERROR):
        loop.run_once(0)
        loop.run_once(0)  # writing the log may take all the time of an iteration
    assert calls == ["next"]
    assert "ZeroDivisionError" in caplog.text


def test_a_callback_without_memory_is_reported_and_the_others_are_called(
    loop: Loop,
) -> None:
    calls: list[str] = []

    def exhausted() -> None:
        raise MemoryError

    loop.on_no_memory = lambda: calls.append("no memory")
    loop.call_soon(exhausted)
    loop.call_soon(lambda: calls.append("next"))
    loop.run_once(0)
    loop.run_once(0)
    assert calls == ["no memory", "next"]


def test_an_iteration_that_has_no_memory_to_begin_is_reported(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(_longest: float | None = None) -> None:
        raise MemoryError

    monkeypatch.setattr(loop, "run_once", exhausted)
    loop.on_no_memory = loop.stop
    loop.run()


def test_a_signal_wakes_the_loop_and_is_called_in_an_iteration(loop: Loop) -> None:
    calls: list[str] = []
    loop.add_signal_handler(signal.SIGUSR1, lambda: calls.append("usr1"))
    loop.add_signal_handler(signal.SIGUSR2, loop.stop)
    os.kill(os.getpid(), signal.SIGUSR1)
    os.kill(os.getpid(), signal.SIGUSR2)
    assert calls == []
    loop.run()
    assert calls == ["usr1"]


def test_signals_have_their_usual_meaning_again_after_the_loop() -> None:
    loop = Loop()
    loop.add_signal_handler(signal.SIGUSR1, loop.stop)
    loop.close()
    assert signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL
    assert signal.set_wakeup_fd(-1) == -1


def test_the_end_comes_after_the_turn_in_which_it_was_asked_for(loop: Loop) -> None:
    calls: list[str] = []
    loop.call_soon(loop.stop)
    loop.call_soon(lambda: calls.append("still"))
    loop.run()
    assert calls == ["still"]


def test_calls_of_a_turn_end_when_they_take_long(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gamin.daemon.io.loop.SOON_SECONDS", 0.0)
    calls: list[int] = []
    for number in range(3):
        loop.call_soon(partial(calls.append, number))
    for done in range(1, 4):
        loop.run_once(0)
        assert calls == list(range(done))

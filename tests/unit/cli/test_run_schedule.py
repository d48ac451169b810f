"""When a run is due, for each meaning of a change during a run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.cli.run_schedule import MAX_SPANS, Action, RunSchedule, WhenBusy

DEBOUNCE = 1.0


def schedule(when_busy: WhenBusy = WhenBusy.QUEUE) -> RunSchedule:
    return RunSchedule(when_busy, DEBOUNCE)


def test_nothing_is_due_before_the_first_change() -> None:
    new = schedule()
    assert new.decide(100) is Action.WAIT
    assert new.deadline() is None


def test_a_requested_run_is_due_at_once() -> None:
    new = schedule()
    new.request(["/a"], 5)
    assert new.decide(5) is Action.START
    assert new.pending == ["/a"]


def test_a_run_starts_when_changes_have_paused() -> None:
    new = schedule()
    new.changed(["/a"], 10)
    new.changed(["/b", "/a"], 10.5)
    assert new.decide(11) is Action.WAIT
    assert new.deadline() == 11.5
    assert new.decide(11.5) is Action.START
    assert new.pending == ["/a", "/b"]


def test_changes_that_never_pause_cannot_prevent_a_run() -> None:
    new = schedule()
    now = 0.0
    while new.decide(now) is Action.WAIT:
        new.changed([f"/{now}"], now)
        now += DEBOUNCE / 2
    assert now == MAX_SPANS * DEBOUNCE


def test_a_queued_change_waits_for_the_end_of_the_run() -> None:
    new = schedule()
    new.started()
    new.changed(["/a"], 0)
    assert new.decide(100) is Action.WAIT
    assert new.deadline() is None
    new.ended()
    assert new.decide(100) is Action.START


def test_a_dropped_change_causes_no_run() -> None:
    new = schedule(WhenBusy.DROP)
    new.started()
    new.changed(["/a"], 0)
    new.ended()
    assert new.decide(100) is Action.WAIT
    new.changed(["/b"], 100)
    assert new.decide(101) is Action.START


def test_a_restart_stops_the_run_and_starts_the_next_one_at_its_end() -> None:
    new = schedule(WhenBusy.RESTART)
    new.started()
    new.changed(["/a"], 0)
    assert new.decide(1) is Action.STOP
    new.stopping()
    new.changed(["/b"], 2)
    assert new.decide(100) is Action.WAIT
    new.ended()
    assert new.decide(100) is Action.START
    assert new.pending == ["/a", "/b"]


@given(
    st.sampled_from([WhenBusy.QUEUE, WhenBusy.RESTART]),
    st.lists(st.sampled_from(["change", "tick", "end"]), max_size=30),
)
def test_every_change_is_part_of_a_later_run(
    when_busy: WhenBusy, steps: list[str]
) -> None:
    new = schedule(when_busy)
    running = stopping = False
    unseen: set[str] = set()
    for now, step in enumerate([*steps, "tick", "end", "tick", "tick"]):
        if step == "change":
            new.changed([f"/{now}"], now)
            unseen.add(f"/{now}")
        elif step == "end" and running:
            new.ended()
            running = stopping = False
        elif step == "tick":
            action = new.decide(now * 100)
            if action is Action.START:
                assert not running
                unseen -= set(new.pending)
                new.started()
                running = True
            elif action is Action.STOP:
                assert running
                assert not stopping
                new.stopping()
                stopping = True
    assert unseen == set(new.pending)
    assert not unseen


def test_a_batch_without_paths_is_no_change() -> None:
    new = schedule()
    new.changed([], 0)
    assert new.deadline() is None


@pytest.mark.parametrize("when_busy", list(WhenBusy))
def test_forgotten_changes_cause_no_run(when_busy: WhenBusy) -> None:
    new = schedule(when_busy)
    new.changed(["/a"], 0)
    new.forget()
    assert new.decide(100) is Action.WAIT

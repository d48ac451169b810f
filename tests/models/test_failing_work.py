"""What fails in the executor counts as lost, and keeps nothing else from being done."""

from collections.abc import Callable

import pytest

from gamin.core.model.subscription import Scope, Subscription
from gamin.engine.drain_schedule import BURST_EVENTS
from gamin.engine.ports import AT_ONCE
from tests.models.test_order_of_work import (
    KERNEL,
    PIECE,
    POLLED,
    Bug,
    Watched,
)


@pytest.fixture
def shell() -> Watched:
    return Watched()


def fail_in_the_drain(shell: Watched) -> None:
    shell.drops_next = True
    with pytest.raises(Bug):
        shell.executor.due()


def fail_in_the_core(shell: Watched) -> None:
    def fail(now: float) -> None:
        raise Bug

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shell.monitor, "due", fail)
        patch.setattr(shell.monitor, "deadline", lambda: 0.0)
        with pytest.raises(Bug):
            shell.executor.due()


def fail_in_the_answers(shell: Watched) -> None:
    def fail(end: float, work: Callable[[], object]) -> None:
        raise Bug

    distant = shell.executor.distant
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distant, "inbox", [None])
        patch.setattr(distant, "apply_until", fail)
        with pytest.raises(Bug):
            shell.executor.due()


def fail_in_a_system_call(shell: Watched) -> None:
    shell.fails(shell.executor.due)


@pytest.mark.parametrize(
    "fail",
    [fail_in_the_drain, fail_in_the_core, fail_in_the_answers, fail_in_a_system_call],
)
def test_what_fails_counts_as_lost_and_keeps_nothing_else_from_being_done(
    fail: Callable[[Watched], None],
) -> None:
    """The system call is that of polling: the drain and the core make none."""
    shell = Watched()
    shell.crawl(20)
    shell.touch(BURST_EVENTS)
    shell.drain()
    shell.disk.touch(KERNEL + b"/late")
    shell.disk.touch(POLLED + b"/polled")
    shell.at(shell.polling.deadline())
    before = len(shell.batches)
    fail(shell)
    assert shell.monitor.recovery.is_unresolved
    assert len(shell.batches) > before
    sent = shell.names()
    assert ("polled" in sent) is (fail is not fail_in_a_system_call)
    shell.sleep(3)
    assert {"late", "polled"} <= sent | shell.names()
    assert not shell.executor.is_crawling
    assert not shell.monitor.recovery.is_unresolved


def test_a_scan_that_fails_keeps_neither_the_crawl_nor_the_drain_from_being_done(
    shell: Watched,
) -> None:
    shell.lose(b"lost")
    shell.drain()
    shell.executor.recover()
    shell.crawl(20)
    shell.disk.touch(KERNEL + b"/late")
    before = len(shell.batches)
    shell.fails(shell.executor.due)
    assert len(shell.batches) > before
    assert shell.is_known(b"late")
    assert shell.monitor.recovery.due_at is not None


def test_a_listing_that_fails_counts_as_lost_and_the_drain_follows(
    shell: Watched,
) -> None:
    shell.crawl(20)
    shell.disk.touch(KERNEL + b"/late")
    shell.fails(shell.executor.due)
    assert shell.is_known(b"late")
    assert shell.monitor.recovery.is_unresolved


def test_effects_that_fail_count_as_lost(shell: Watched) -> None:
    shell.disk.makedirs(b"/other")
    asked = Subscription(0, 9, b"/other", Scope.TREE)
    effects = shell.monitor.subscribe(asked, shell.now)
    shell.fails(lambda: shell.do(effects))
    assert shell.monitor.recovery.is_unresolved


@pytest.mark.parametrize("name", ["drain", "synchronise"])
def test_what_was_read_ahead_is_due_although_the_call_failed(name: str) -> None:
    pieces = Watched(PIECE)
    pieces.touch(5 * PIECE)
    pieces.drops_next = True
    with pytest.raises(Bug):
        getattr(pieces.executor, name)()
    assert pieces.executor.is_drain_scheduled
    assert pieces.executor.deadline() == AT_ONCE
    assert pieces.monitor.recovery.is_unresolved

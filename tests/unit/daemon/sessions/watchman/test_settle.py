from collections.abc import Iterator

import pytest

from gamin.daemon.io.loop import Loop
from gamin.daemon.sessions.watchman.settle import MAX_SETTLE_SPANS, SettleTimer


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop()
    yield made
    made.close()


def test_a_quiet_tree_is_settled(loop: Loop) -> None:
    SettleTimer(loop, 0.001, loop.stop).restart()
    loop.run()  # ends, or the test takes too long


def test_a_settling_that_is_canceled_never_ends(loop: Loop) -> None:
    settled: list[None] = []
    timer = SettleTimer(loop, 0.001, lambda: settled.append(None))
    timer.restart()
    timer.cancel()
    loop.call_later(0.01, loop.stop)
    loop.run()
    assert not settled


def test_changes_put_it_off_but_not_for_ever(loop: Loop) -> None:
    """Each change comes sooner than the span, so that it never gets quiet."""
    timer = SettleTimer(loop, 0.004, loop.stop)

    def change() -> None:
        timer.restart()
        loop.call_later(0.001, change)

    change()
    loop.run()
    assert MAX_SETTLE_SPANS > 1


def test_what_is_not_reported_yet_puts_it_off_but_not_for_ever() -> None:
    now = [0.0]
    settled: list[float] = []
    loop = Loop(lambda: now[0])
    timer = SettleTimer(loop, 1.0, lambda: settled.append(now[0]), lambda: now[0] < 2.5)
    endless = SettleTimer(loop, 1.0, lambda: settled.append(-now[0]), lambda: True)
    timer.restart()
    endless.restart()
    for second in range(MAX_SETTLE_SPANS + 2):
        now[0] = float(second)
        loop.run_once(0)
    assert settled == [3.0, -MAX_SETTLE_SPANS]
    loop.close()

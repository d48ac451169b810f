"""Steps that wait for a mount, on a real loop and real threads."""

import threading
from collections.abc import Iterator

import pytest

from gamin.daemon.io import errands as errands_module
from gamin.daemon.io.errands import Answer, Errands, MountStalled, Steps, aside
from gamin.daemon.io.loop import Loop
from gamin.system import reach
from gamin.system.errands import Errand, at
from testkit.no_threads import no_thread_can_start
from testkit.waiting import eventually

SOON = 20.0
"""Seconds within which a busy machine answers."""


@pytest.fixture(autouse=True)
def mount() -> Iterator[None]:
    reach.use({b"/net": False})
    yield
    reach.use({})


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


@pytest.fixture
def threads(loop: Loop) -> Iterator[Errands]:
    threads = Errands(loop)
    yield threads
    threads.close()


class Run:
    """Drives steps as a session does."""

    def __init__(self, loop: Loop, threads: Errands, steps: Steps[int]) -> None:
        self.loop = loop
        self.threads = threads
        self.result: int | None = None
        self.waits = 0
        self.steps = self._kept(steps)
        self._go_on()
        loop.call_later(SOON, loop.stop)
        loop.run()

    def _kept(self, steps: Steps[int]) -> Steps[None]:
        try:
            self.result = yield from steps
        finally:
            self.loop.stop()

    def _go_on(self) -> None:
        for step in self.steps:
            if step is not None:
                self.waits += 1
                step(self.threads, self._go_on)
                return


def test_a_call_that_is_safe_is_made_at_once(loop: Loop, threads: Errands) -> None:
    run = Run(loop, threads, aside(lambda: at(b"/etc", lambda: 7)))
    assert (run.result, run.waits) == (7, 0)


def test_a_call_on_a_distant_mount_is_waited_for(loop: Loop, threads: Errands) -> None:
    run = Run(loop, threads, aside(lambda: at(b"/net/d", lambda: 7)))
    assert (run.result, run.waits) == (7, 1)


def stalled(steps: Steps[int]) -> Steps[int]:
    with pytest.raises(MountStalled, match="/net does not answer"):
        yield from steps
    return 0


def test_a_mount_that_does_not_answer_in_time_is_an_error(
    loop: Loop, threads: Errands
) -> None:
    hang = threading.Event()

    def call() -> int:
        return int(hang.wait(SOON))

    steps = stalled(aside(lambda: at(b"/net/d", call), 0.01))
    try:
        assert Run(loop, threads, steps).result == 0
    finally:
        hang.set()


def test_an_answer_that_somebody_else_gives_is_waited_for(
    loop: Loop, threads: Errands
) -> None:
    def steps(answer: Answer, seconds: float) -> Steps[int]:
        yield lambda errands, done: answer.wait(seconds, errands, done)
        return int(answer.is_given)

    given, late = Answer(), Answer()
    loop.call_later(0.01, given.give)
    assert Run(loop, threads, steps(given, SOON)).result == 1
    given.give()
    assert late.is_given is False


def test_nobody_is_called_after_the_end(loop: Loop) -> None:
    threads = Errands(loop)
    errand = Errand(b"/net", lambda: 7)
    calls: list[int] = []
    threads.start(errand, lambda: calls.append(1), None)
    errand.wait(SOON)
    threads.close()
    loop.call_later(0, loop.stop)
    loop.run()
    assert calls == []


def test_who_raises_keeps_nobody_else_from_going_on(
    loop: Loop, threads: Errands
) -> None:
    calls: list[int] = []
    first, second = Errand(b"/net", lambda: 1), Errand(b"/net", lambda: 2)
    threads.start(first, lambda: calls.append(1 // 0), None)
    threads.start(second, lambda: calls.append(2), None)
    eventually(lambda: len(threads._over) == 2, what="the end of both")

    def has_gone_on() -> bool:
        loop.run_once(0)
        return calls == [2]

    eventually(has_gone_on, what="the second one")


def test_a_call_that_no_thread_can_make_is_made_later(
    loop: Loop, threads: Errands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errands_module, "RETRY_SECONDS", 0.0)
    calls: list[int] = []
    errand = Errand(b"/net", lambda: calls.append(1))
    with no_thread_can_start():
        threads.start(errand, loop.stop, None)
        loop.run_once(0)
    loop.call_later(SOON, loop.stop)
    loop.run()
    assert errand.is_over
    assert calls == [1]

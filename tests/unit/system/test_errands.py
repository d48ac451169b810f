"""Threads that wait for mounts, with calls that hang as long as a test says."""

import threading
from collections.abc import Iterator

import pytest

from gamin.system import errands, reach
from gamin.system.errands import Distant, Errand, at
from testkit.no_threads import no_thread_can_start

SOON = 20.0
"""Seconds within which a busy machine answers."""


@pytest.fixture(autouse=True)
def two_mounts() -> Iterator[None]:
    reach.use({b"/net": False, b"/far": False})
    yield
    reach.use({})


@pytest.fixture
def hang() -> Iterator[threading.Event]:
    """Calls wait for it; they go on at the end of the test at the latest."""
    event = threading.Event()
    yield event
    event.set()


def started(errand: Errand[int]) -> Errand[int]:
    errand.start(lambda: None)
    return errand


def test_a_call_on_a_local_path_is_made_at_once() -> None:
    assert at(b"/etc", lambda: 7) == 7


def test_a_call_on_a_distant_path_is_refused_on_the_loops_thread() -> None:
    calls: list[int] = []
    with pytest.raises(Distant) as refused:
        at(b"/net/d", lambda: calls.append(1))
    assert refused.value.point == b"/net"
    assert calls == []


def test_a_thread_makes_the_call_and_says_when_it_is_over() -> None:
    done = threading.Event()
    errand = Errand(b"/net", lambda: at(b"/net/d", lambda: 7))
    errand.start(done.set)
    assert done.wait(SOON)
    assert errand.is_over
    assert errand.result() == 7


def test_what_the_call_raises_is_its_result() -> None:
    def fails() -> int:
        raise PermissionError

    with pytest.raises(PermissionError):
        started(Errand(b"/net", fails)).wait(SOON)


def test_whoever_waits_too_long_gets_an_error(hang: threading.Event) -> None:
    errand = started(Errand(b"/net", lambda: hang.wait(SOON) and 1))
    with pytest.raises(TimeoutError):
        errand.wait(0.01)
    assert errand.is_given_up


def test_a_mount_that_hangs_delays_no_other_one(hang: threading.Event) -> None:
    started(Errand(b"/net", lambda: hang.wait(SOON) and 1))
    assert started(Errand(b"/far", lambda: 7)).wait(SOON) == 7


def test_an_errand_that_was_given_up_is_not_begun(hang: threading.Event) -> None:
    calls: list[int] = []
    first = started(Errand(b"/net", lambda: hang.wait(SOON) and 1))
    second = Errand(b"/net", lambda: calls.append(1))
    second.is_given_up = True
    second.start(lambda: None)
    hang.set()
    first.wait(SOON)
    started(Errand(b"/net", lambda: 1)).wait(SOON)
    assert calls == []


def test_the_thread_of_one_mount_asks_that_of_another() -> None:
    names: list[str] = []

    def inner() -> int:
        names.append(threading.current_thread().name)
        return 7

    errand = Errand(b"/net", lambda: at(b"/far/d", inner))
    assert started(errand).wait(SOON) == 7
    assert names == ["/far"]


def test_a_mount_that_hangs_is_stalled_after_a_while(
    hang: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errands, "STALLED_SECONDS", 0.0)
    begun = threading.Event()

    def call() -> int:
        begun.set()
        return hang.wait(SOON) and 1

    errand = started(Errand(b"/net", call))
    assert begun.wait(SOON)
    assert errands.is_stalled(b"/net")
    assert not errands.is_stalled(b"/far")
    monkeypatch.undo()
    hang.set()
    assert errand.wait(SOON)


def test_a_thread_that_cannot_start_is_an_error_and_the_next_one_is_tried() -> None:
    # The thread of another test's mount may not have ended yet.
    errand = Errand(b"/net/of this test", lambda: 7)
    with no_thread_can_start(), pytest.raises(OSError, match="start new thread"):
        errand.start(lambda: None)
    assert started(errand).wait(SOON) == 7

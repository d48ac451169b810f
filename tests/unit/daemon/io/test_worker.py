"""Jobs in a thread: slices, ends and errors."""

import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial

import pytest

from gamin.daemon.io import worker as worker_module
from gamin.daemon.io.loop import Loop
from gamin.daemon.io.worker import Worker
from testkit.descriptors import no_free_descriptor
from testkit.no_threads import no_thread_can_start
from testkit.waiting import eventually


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


@pytest.fixture
def worker(loop: Loop) -> Worker:
    return Worker(loop, "a test")


def wait_until(loop: Loop, condition: Callable[[], bool]) -> None:
    def is_so() -> bool:
        loop.run_once(0.05)
        return condition()

    eventually(is_so, what="the work")


def steps(count: int, into: list[str], name: str) -> Iterator[None]:
    for _ in range(count):
        into.append(name)
        yield


def test_the_end_of_a_job_is_reported_on_the_loops_thread(
    loop: Loop, worker: Worker
) -> None:
    threads: list[threading.Thread] = []

    def work() -> Iterator[None]:
        threads.append(threading.current_thread())
        yield

    worker.start(work(), lambda: threads.append(threading.current_thread()))
    wait_until(loop, lambda: len(threads) == 2)
    assert threads[0] is not threading.main_thread()
    assert threads[1] is threading.main_thread()
    eventually(lambda: not threads[0].is_alive(), what="the end of the thread")


class Wanted:
    """Something that a job needs."""


def test_a_job_that_is_canceled_before_it_begins_keeps_nothing(
    loop: Loop, worker: Worker
) -> None:
    hangs, goes_on = threading.Event(), threading.Event()

    def first() -> Iterator[None]:
        hangs.set()
        goes_on.wait(20)
        yield

    def second(wanted: Wanted, done: list[str]) -> Iterator[None]:
        yield from steps(1, done, repr(wanted))

    done: list[str] = []
    wanted = Wanted()
    gone = weakref.ref(wanted)
    worker.start(first(), lambda: done.append("first"))
    assert hangs.wait(20)
    job = worker.start(second(wanted, done), partial(done.append, repr(wanted)))
    del wanted
    job.cancel()
    assert gone() is None
    goes_on.set()
    wait_until(loop, lambda: bool(done))
    assert done == ["first"]


def test_a_long_job_and_a_short_one_take_turns(
    loop: Loop, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "TURN_SECONDS", 0.0)
    done: list[str] = []
    go = threading.Event()

    def long() -> Iterator[None]:
        assert go.wait(10)
        for _ in range(1000):
            yield
        done.append("worked")

    worker.start(long(), lambda: done.append("long"))
    worker.start(iter(()), lambda: done.append("short"))
    go.set()
    wait_until(loop, lambda: len(done) == 3)
    assert done.index("short") < done.index("long")


def test_a_job_that_fails_is_logged_and_reported_with_its_error(
    loop: Loop, worker: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    ended: list[str] = []

    def fail() -> Iterator[None]:
        yield
        raise ValueError("no luck")

    job = worker.start(fail(), lambda: ended.append("failed"))
    worker.start(iter(()), lambda: ended.append("next"))
    wait_until(loop, lambda: len(ended) == 2)
    assert str(job.error) == "no luck"
    assert ended == ["failed", "next"]
    assert "no luck" in caplog.text


def test_who_raises_when_a_job_ends_keeps_nobody_from_hearing_of_others(
    loop: Loop, worker: Worker
) -> None:
    ended: list[str] = []
    go = threading.Event()

    def wait() -> Iterator[None]:
        assert go.wait(10)
        yield

    def fail() -> None:
        ended.append("failed")
        raise ValueError("no luck")

    worker.start(wait(), fail)
    worker.start(iter(()), lambda: ended.append("other"))
    go.set()
    eventually(lambda: worker._thread is None, what="the end of both")
    wait_until(loop, lambda: len(ended) == 2)
    assert ended == ["failed", "other"]


@pytest.mark.parametrize("lack", [no_thread_can_start, no_free_descriptor])
def test_a_job_that_no_thread_can_do_is_done_later(
    loop: Loop,
    worker: Worker,
    monkeypatch: pytest.MonkeyPatch,
    lack: Callable[[], AbstractContextManager[None]],
) -> None:
    monkeypatch.setattr(worker_module, "RETRY_SECONDS", 0.0)
    ended: list[str] = []
    with lack():
        worker.start(iter(()), lambda: ended.append("first"))
        worker.start(iter(()), lambda: ended.append("second"))
        loop.run_once(0)
        assert not ended
    wait_until(loop, lambda: len(ended) == 2)
    assert ended == ["first", "second"]


def test_a_canceled_job_reports_nothing(loop: Loop, worker: Worker) -> None:
    begun, go = threading.Event(), threading.Event()
    ended: list[str] = []

    def wait() -> Iterator[None]:
        begun.set()
        assert go.wait(10)
        yield

    job = worker.start(wait(), lambda: ended.append("canceled"))
    assert begun.wait(10)
    job.cancel()
    go.set()
    worker.start(iter(()), lambda: ended.append("other"))
    wait_until(loop, lambda: bool(ended))
    assert ended == ["other"]

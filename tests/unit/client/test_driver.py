"""The driver of a watch, run by hand: what it waits for, and what it does then."""

import errno
import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pytest

import gamin
from gamin.client.arguments import make_session
from gamin.client.connect import connect_watchman
from gamin.client.driver import Call, Driver, Steps, StopEvent, Wait
from gamin.client.locate import ANSWER_PATIENCE
from gamin.client.watch import Watch
from gamin.protocol.watchman.client.watched_path import WatchOptions
from testkit.watches import SOON, created, kill_server

T = TypeVar("T")


class Scene:
    """A clock, and a server that accepts connections and sends nothing."""

    def __init__(self) -> None:
        self.now = 0.0
        self.theirs: list[socket.socket] = []
        self.ours: list[socket.socket] = []
        self.waits: list[Wait] = []

    def monotonic(self) -> float:
        return self.now

    def connect(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        self.ours.append(ours)
        self.theirs.append(theirs)
        return ours

    def driver(self, stop_event: StopEvent | None = None) -> Driver:
        return Driver(
            make_session(["/a"], WatchOptions(), None),
            connect=self.connect,
            stop_event=stop_event,
            monotonic=self.monotonic,
        )

    def run(self, steps: Steps[T]) -> T:
        """Run the steps to the end; every wait lasts until its time-out."""
        try:
            step = next(steps)
            while True:
                if isinstance(step, Call):
                    step = steps.send(step.function())
                else:
                    self.waits.append(step)
                    assert step.seconds is not None, "nothing would ever happen"
                    self.now += step.seconds
                    step = steps.send(False)
        except StopIteration as done:
            found: T = done.value
            return found


@pytest.fixture
def scene() -> Iterator[Scene]:
    made = Scene()
    yield made
    for each in made.ours + made.theirs:
        each.close()


@pytest.mark.usefixtures("session")
def test_a_server_that_does_not_answer_is_an_error_after_its_patience(
    scene: Scene,
) -> None:
    driver = scene.driver()
    with pytest.raises(gamin.ServerUnresponsive, match=f"process {os.getpid()} "):
        scene.run(driver.open())
    assert scene.now == ANSWER_PATIENCE
    assert scene.ours[0].fileno() == -1
    with pytest.raises(gamin.ServerUnresponsive):
        scene.run(driver.open())
    assert len(scene.ours) == 2, "the next call connects again"


def test_a_stop_event_is_checked_while_the_server_does_not_answer(
    scene: Scene,
) -> None:
    class Stop:
        def is_set(self) -> bool:
            return scene.now > 1

    driver = scene.driver(Stop())
    scene.run(driver.open())
    assert driver.closed
    assert 1 < scene.now < 1.2


def test_a_call_that_was_cancelled_is_made_again(scene: Scene) -> None:
    driver = scene.driver()
    steps = driver.open()
    assert isinstance(next(steps), Call)
    steps.close()
    again = driver.open()
    assert isinstance(next(again), Call)
    again.close()


def test_an_error_of_connecting_comes_out_and_the_next_call_tries_again(
    scene: Scene,
) -> None:
    driver = scene.driver()
    for _ in range(2):
        steps = driver.open()
        assert isinstance(next(steps), Call)
        with pytest.raises(OSError, match="descriptors"):
            steps.throw(OSError(errno.EMFILE, "no descriptors"))


def test_a_connection_made_after_the_watch_was_closed_is_not_used(
    scene: Scene,
) -> None:
    driver = scene.driver()
    steps = driver.open()
    call = next(steps)
    assert isinstance(call, Call)
    driver.closed = True
    with pytest.raises(StopIteration):
        steps.send(call.function())
    driver.channel.close()
    assert scene.ours[0].fileno() == -1


@pytest.mark.usefixtures("own_server")
def test_servers_that_are_killed_before_they_could_serve_are_no_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kills = 0

    def connect() -> socket.socket:
        nonlocal kills
        connected = connect_watchman()
        if kills:
            kills -= 1
            kill_server()
        return connected

    session = make_session([tmp_path], WatchOptions(), None)
    with Watch(session, connect=connect, timeout=SOON) as watch:
        assert not watch.catching_up
        kills = 6
        with caplog.at_level(logging.WARNING, "gamin.client.backoff"):
            kill_server()
            (tmp_path / "file").touch()
            assert next(watch) == [created(tmp_path / "file", recovered=True)]
        assert kills == 0
        assert len(caplog.records) == 1
        assert not watch.catching_up

"""The one descriptor of a watch."""

import os
import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from gamin.client.readiness import Readiness


@pytest.fixture
def readiness() -> Iterator[Readiness]:
    with closing(Readiness()) as made:
        yield made


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def is_readable(readiness: Readiness) -> bool:
    return bool(select.select([readiness], [], [], 0)[0])


def test_readiness_is_readable_when_the_connection_is(
    readiness: Readiness, pair: tuple[socket.socket, socket.socket]
) -> None:
    ours, theirs = pair
    readiness.follow(ours, False)
    assert not readiness.wait(0)
    theirs.send(b"x")
    assert readiness.wait(None)
    assert is_readable(readiness)


def test_a_writable_connection_makes_it_readable_only_on_request(
    readiness: Readiness, pair: tuple[socket.socket, socket.socket]
) -> None:
    ours, _ = pair
    readiness.follow(ours, True)
    assert readiness.wait(0)
    readiness.follow(ours, False)
    assert not readiness.wait(0)


def test_a_connection_that_a_fork_keeps_open_is_forgotten(
    readiness: Readiness, pair: tuple[socket.socket, socket.socket]
) -> None:
    ours, theirs = pair
    copy = os.dup(ours.fileno())  # as a forked process has one
    try:
        readiness.follow(ours, False)
        readiness.forget()
        ours.close()
        theirs.close()
        assert not readiness.wait(0)
    finally:
        os.close(copy)


def test_the_descriptor_stays_the_same_for_another_connection(
    readiness: Readiness, pair: tuple[socket.socket, socket.socket]
) -> None:
    before = readiness.fileno()
    readiness.follow(pair[0], False)
    readiness.forget()
    readiness.follow(pair[1], False)
    pair[0].send(b"x")
    assert readiness.wait(0)
    assert readiness.fileno() == before


def test_waking_makes_it_readable_for_good_and_may_come_too_late() -> None:
    readiness = Readiness()
    readiness.wake()
    assert readiness.wait(0)
    assert readiness.wait(0)
    readiness.close()
    readiness.wake()


def test_a_nudge_makes_it_readable_once(readiness: Readiness) -> None:
    readiness.nudge()
    readiness.nudge()
    assert readiness.wait(None)
    assert not readiness.wait(0)
    readiness.clear()
    assert not readiness.wait(0)


@pytest.fixture
def while_writing(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], object]]:
    """What happens between the write of a nudge and its end, once."""
    write, actions = os.eventfd_write, list[Callable[[], object]]()

    def write_and_act(descriptor: int, value: int) -> None:
        write(descriptor, value)
        while actions:
            actions.pop(0)()

    monkeypatch.setattr(os, "eventfd_write", write_and_act)
    return actions


def test_a_runner_that_wakes_up_before_a_nudge_returns_does_so_once(
    readiness: Readiness, while_writing: list[Callable[[], object]]
) -> None:
    seen: list[bool] = []
    while_writing += [lambda: seen.append(readiness.wait(0))] * 2
    readiness.nudge()
    assert seen == [True, False]
    assert not readiness.wait(0)


def test_a_nudge_during_another_one_is_not_lost(
    readiness: Readiness, while_writing: list[Callable[[], object]]
) -> None:
    other = threading.Thread(target=readiness.nudge)
    while_writing += [lambda: readiness.wait(0), other.start]
    readiness.nudge()
    other.join()
    assert readiness.wait(0)
    assert not readiness.wait(0)


def test_waking_during_a_nudge_is_for_good(
    readiness: Readiness, while_writing: list[Callable[[], object]]
) -> None:
    while_writing += [lambda: readiness.wait(0), readiness.wake]
    readiness.nudge()
    assert readiness.wait(0)
    assert readiness.wait(0)


def test_readiness_is_readable_when_its_alarm_goes_off(readiness: Readiness) -> None:
    readiness.alarm(None)
    readiness.alarm(60)
    assert not is_readable(readiness)
    readiness.alarm(0)
    assert readiness.wait(None)
    assert is_readable(readiness)
    readiness.alarm(60)
    assert not is_readable(readiness)
    readiness.alarm(0)
    assert readiness.wait(None)
    readiness.alarm(None)
    assert not is_readable(readiness)

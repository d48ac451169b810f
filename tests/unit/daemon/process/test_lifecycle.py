"""Which callers stay connected, on real sockets and with a real loop."""

import os
import select
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from gamin.daemon.io.addresses import Language, acquire
from gamin.daemon.io.loop import Loop
from gamin.daemon.process.lifecycle import MAX_UNGREETED, Server
from gamin.system.address import find

HELLO = b"\0"


class Caller(NamedTuple):
    """A caller, and its server."""

    connected: socket.socket
    server: Server
    loop: Loop


@pytest.fixture
def greeting_seconds() -> float:
    """Callers have no time to say hello."""
    return 0.0


@pytest.fixture
def caller(session: str, tmp_path: Path, greeting_seconds: float) -> Iterator[Caller]:
    environment = {"GAMIN_SOCKET_DIR": str(tmp_path)}
    listening = acquire(find(environment, os.getuid(), session=session))
    loop = Loop()
    server = Server(listening, loop, None, cwd=b"/", greeting_seconds=greeting_seconds)
    listener = listening.of(Language.ORIGINAL)[0]
    with socket.socket(socket.AF_UNIX) as connected:
        connected.settimeout(20)
        connected.connect(listener.socket.getsockname())
        yield Caller(connected, server, loop)
    loop.close()


def end_after_an_iteration(caller: Caller) -> None:
    """The timer of the hello expires in the iteration that accepts the caller."""
    caller.loop.call_later(0.0, lambda: caller.loop.call_soon(caller.loop.stop))
    caller.server.run()


def test_a_caller_whose_hello_the_server_reads_too_late_is_answered(
    caller: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    caller.connected.sendall(HELLO)
    end_after_an_iteration(caller)
    assert caller.connected.recv(1) == HELLO
    assert caplog.messages == []


def test_a_caller_who_says_nothing_in_time_is_disconnected(
    caller: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    end_after_an_iteration(caller)
    assert caller.connected.recv(1) == b""
    assert caplog.messages == [f"pid {os.getpid()} dropped: it did not say hello"]


def test_a_caller_who_leaves_without_a_hello_causes_no_complaint(
    caller: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    caller.connected.close()
    end_after_an_iteration(caller)
    assert caplog.messages == []


NEVER = pytest.mark.parametrize("greeting_seconds", [3600.0])
"""The time to say hello does not end in the test."""


@NEVER
def test_a_server_that_ends_before_a_caller_says_hello_does_not_listen_again(
    caller: Caller,
) -> None:
    files = [each.file for each in caller.server.listening.listeners if each.file]
    end_after_an_iteration(caller)
    assert caller.connected.recv(1) == b""
    assert caller.server.listening.listeners == []
    assert not [each for each in files if os.path.exists(each.path)]


@NEVER
def test_the_oldest_of_too_many_callers_without_a_hello_is_disconnected(
    caller: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    name = caller.connected.getpeername()
    with ExitStack() as several:
        later = [
            several.enter_context(socket.socket(socket.AF_UNIX))
            for _ in range(MAX_UNGREETED)
        ]
        for each in later:
            each.connect(name)

        def until_one_is_disconnected() -> None:
            closed = select.select([caller.connected, *later], [], [], 0)[0]
            if closed:
                assert closed == [caller.connected]
                caller.loop.stop()
            else:
                caller.loop.call_soon(until_one_is_disconnected)

        caller.loop.call_soon(until_one_is_disconnected)
        caller.server.run()
    assert caplog.messages == [f"pid {os.getpid()} dropped: it did not say hello"]

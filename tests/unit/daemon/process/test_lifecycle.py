"""Which callers stay connected, on real sockets and with a real loop."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from gamin.daemon.io.addresses import Language, acquire
from gamin.daemon.io.loop import Loop
from gamin.daemon.process.lifecycle import Server
from gamin.system.address import find

HELLO = b"\0"


class Caller(NamedTuple):
    """A caller, and its server, where callers have no time to say hello."""

    connected: socket.socket
    server: Server
    loop: Loop


@pytest.fixture
def caller(session: str, tmp_path: Path) -> Iterator[Caller]:
    environment = {"GAMIN_SOCKET_DIR": str(tmp_path)}
    listening = acquire(find(environment, os.getuid(), session=session))
    loop = Loop()
    server = Server(listening, loop, None, cwd=b"/", greeting_seconds=0.0)
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

"""The limits of one client, and the behaviour of a server that has reached its own."""

import socket
import threading
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from gamin.client.locate import NoServer, ServerUnresponsive
from gamin.errors import GaminError
from gamin.protocol.gam.packets import EventCode
from testkit.daemon import (
    Daemon,
    daemon,
    is_hung_up,
    nothing_comes,
    packet,
    until,
    watched,
    works,
)
from testkit.waiting import eventually

FILE, DIRECTORY, CANCEL = 1, 2, 3
ACKNOWLEDGE = 7


def silent(served: Daemon) -> socket.socket:
    """A connection that has not said hello."""
    with served.connect() as known:
        address = known.getpeername()
    calling = socket.socket(socket.AF_UNIX)
    calling.connect(address)
    return calling


def call(name: str | bytes) -> socket.socket | None:
    """A new connection; None while the backlog of the server is full."""
    caller = socket.socket(socket.AF_UNIX)
    caller.setblocking(False)
    try:
        caller.connect(name)
    except BlockingIOError:
        caller.close()
        return None
    caller.setblocking(True)
    return caller


def test_a_client_without_a_hello_is_disconnected(session: str, tmp_path: Path) -> None:
    with daemon(session, tmp_path) as served:
        with silent(served) as mute:
            assert is_hung_up(mute)
        assert works(served, tmp_path / "box")
        [line] = served.log()
        assert "hello" in line


def test_forty_callers_that_come_again_at_once_keep_nobody_out(
    session: str, tmp_path: Path
) -> None:
    with daemon(session, tmp_path) as served, silent(served) as known:
        name, ended = known.getpeername(), threading.Event()

        def call_again_and_again() -> None:
            while not ended.is_set():
                with socket.socket(socket.AF_UNIX) as calling, suppress(OSError):
                    calling.settimeout(5)
                    calling.connect(name)
                    calling.recv(1)

        callers = [threading.Thread(target=call_again_and_again) for _ in range(40)]
        for each in callers:
            each.start()
        try:
            for number in range(2):
                assert works(served, tmp_path / f"box{number}")
        finally:
            ended.set()
            for each in callers:
                each.join()
        assert len(served.log()) < 100


def test_silent_clients_of_watchman_s_language_make_room_for_others(
    session: str, tmp_path: Path
) -> None:
    with daemon(session, tmp_path) as served, ExitStack() as several:
        speaking = several.enter_context(served.watchman())
        speaking.settimeout(10)
        speaking.sendall(b'["get-pid"]\n')
        assert b"pid" in speaking.recv(1 << 16)
        mute = [several.enter_context(served.watchman()) for _ in range(1100)]
        assert works(served, tmp_path / "box")
        assert is_hung_up(mute[0])
        assert len(served.log()) < 100
        speaking.sendall(b'["get-pid"]\n')
        assert b"pid" in speaking.recv(1 << 16)


def test_a_thousand_and_twenty_four_clients_and_no_more(
    session: str, tmp_path: Path
) -> None:
    with daemon(session, tmp_path) as served, ExitStack() as several:
        clients = [several.enter_context(served.connect()) for _ in range(1024)]
        with pytest.raises(GaminError):
            served.connect()
        assert "too many connections" in served.log()[-1]
        clients[0].close()
        eventually(lambda: _answers(served), what="room for another")
        assert works(served, tmp_path / "box")


def _answers(served: Daemon) -> bool:
    try:
        served.connect().close()
    except (NoServer, ServerUnresponsive, GaminError, OSError):
        return False
    return True


def test_callers_wait_and_the_server_sleeps_while_there_are_no_free_descriptors(
    session: str, tmp_path: Path
) -> None:
    few = ["prlimit", "--nofile=32:32"]
    with daemon(session, tmp_path, prefix=few) as served, ExitStack() as several:
        mute = silent(served)
        name = mute.getpeername()
        mute.close()
        callers: list[socket.socket] = []

        def one_more_calls() -> bool:
            # Callers may fill the backlog before the server runs at all.
            if caller := call(name):
                callers.append(several.enter_context(caller))
                caller.sendall(b"\0")
            return bool(served.log())

        eventually(one_more_calls, what="a line in the log")
        spent = served.ticks()
        assert nothing_comes(callers[-1], 1.0)
        assert served.ticks() - spent < 20
        assert len(served.log()) < 10
        several.close()
        eventually(lambda: _answers(served), what="an answer")
        assert works(served, tmp_path / "box")


def test_a_client_that_leaves_much_behind_holds_up_nobody(
    session: str, tmp_path: Path
) -> None:
    place = tmp_path / "box"
    place.mkdir()
    with daemon(session, tmp_path) as served, served.client() as neighbour:
        watched(neighbour, place)
        with served.connect() as many:
            for number in range(20_000):
                many.sendall(packet(number, FILE + 16, place / str(number)))
            many.sendall(packet(0, CANCEL))
            many.settimeout(10)
            assert many.recv(1 << 16)
        (place / "new").touch()
        until(neighbour, (EventCode.CREATED, b"new"))


def test_a_client_that_does_not_read_delays_nobody_and_gets_its_events_later(
    session: str, tmp_path: Path
) -> None:
    place = tmp_path / "box"
    place.mkdir()
    with daemon(session, tmp_path) as served, served.client() as deaf:
        watched(deaf, place)
        names = [b"%0200d" % number for number in range(3000)]
        for name in names:
            (place / name.decode()).touch()
        assert works(served, tmp_path / "other")
        until(deaf, *((EventCode.CREATED, name) for name in names))


def test_requests_are_not_read_while_answers_pile_up(
    session: str, tmp_path: Path
) -> None:
    with daemon(session, tmp_path) as served, served.connect() as deaf:
        pair = packet(1, FILE + 16, b"/" + b"x" * 4000) + packet(1, CANCEL)
        deaf.settimeout(1)
        with pytest.raises(TimeoutError):
            deaf.sendall(pair * 5000)
        assert works(served, tmp_path / "box")
        deaf.settimeout(10)
        assert deaf.recv(1 << 16)

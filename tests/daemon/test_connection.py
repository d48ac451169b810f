"""A connection over a pair of sockets: it reads and sends, and waits for nobody."""

import asyncio
import socket
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from gamin.credentials import Peer
from gamin.daemon.connection import Connection

MUCH = b"x" * (4 << 20)  # more than the buffers of a socket


class Listener:
    """A face that keeps what it is told."""

    def __init__(self) -> None:
        self.heard = b""
        self.told = asyncio.Event()
        self.writable_again = asyncio.Event()
        self.losses = 0

    def received(self, data: bytes) -> None:
        self.heard += data
        self.told.set()

    def writable(self) -> None:
        self.writable_again.set()

    def lost(self) -> None:
        self.losses += 1
        self.told.set()


@contextmanager
def connected() -> Iterator[tuple[Connection, Listener, socket.socket]]:
    ours, theirs = socket.socketpair()
    loop = asyncio.get_running_loop()
    gone: list[Connection] = []
    connection = Connection(ours, Peer(1, 2, 3), loop, gone.append)
    listener = connection.speaker = Listener()
    with theirs:
        yield connection, listener, theirs
        connection.close()
    assert gone == [connection]
    assert listener.losses == 1


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, 10))


def test_what_comes_is_heard() -> None:
    async def test() -> None:
        with connected() as (connection, listener, theirs):
            connection.read(True)
            theirs.sendall(b"hello")
            await listener.told.wait()
            assert listener.heard == b"hello"

    run(test())


def test_who_is_not_read_waits_in_its_own_write() -> None:
    async def test() -> None:
        with connected() as (connection, listener, theirs):
            connection.read(True)
            connection.read(False)
            theirs.sendall(b"hello")
            await asyncio.sleep(0)
            assert not listener.told.is_set()
            connection.read(True)
            await listener.told.wait()

    run(test())


def test_what_does_not_fit_goes_when_there_is_room() -> None:
    async def test() -> None:
        with connected() as (connection, listener, theirs):
            connection.send(MUCH)
            assert connection.is_clogged
            assert 0 < connection.unsent < len(MUCH)
            loop = asyncio.get_running_loop()
            theirs.setblocking(False)
            received = 0
            while received < len(MUCH):
                received += len(await loop.sock_recv(theirs, 1 << 20))
            await listener.writable_again.wait()
            assert not connection.is_clogged

    run(test())


def test_the_end_is_told_once_whoever_begins() -> None:
    async def test() -> None:
        with connected() as (connection, listener, theirs):
            connection.read(True)
            theirs.shutdown(socket.SHUT_WR)
            await listener.told.wait()
            assert not connection.is_open
            connection.close()
            connection.send(b"too late")

    run(test())


def test_a_peer_that_is_gone_is_noticed_when_something_is_sent() -> None:
    async def test() -> None:
        with connected() as (connection, _, theirs):
            theirs.close()
            connection.send(b"anybody?")
            assert not connection.is_open

    run(test())

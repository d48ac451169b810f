"""A connection over a pair of sockets reads and sends without waiting."""

import socket
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from gamin.daemon.io import connection as module
from gamin.daemon.io.connection import Connection
from gamin.daemon.io.loop import Loop
from gamin.system.peercred import Peer

MUCH = b"x" * (4 << 20)  # more than the buffers of a socket
SOON = 10.0
"""Seconds after which a test that waits gives up."""


class Listener:
    """A session that keeps what it receives."""

    def __init__(self) -> None:
        self.data = b""
        self.writable_again = 0
        self.losses = 0
        self.packed_again = 0

    def received(self, data: bytes) -> None:
        self.data += data

    def writable(self) -> None:
        self.writable_again += 1

    def packed(self) -> None:
        self.packed_again += 1

    def lost(self) -> None:
        self.losses += 1


class Pair(NamedTuple):
    connection: Connection
    listener: Listener
    theirs: socket.socket
    loop: Loop


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    loop = Loop()
    gone: list[Connection] = []
    connection = Connection(ours, Peer(1, 2, 3), loop, gone.append)
    listener = connection.session = Listener()
    with theirs:
        yield Pair(connection, listener, theirs, loop)
        connection.close()
    loop.close()
    assert gone == [connection]
    assert listener.losses == 1


def test_received_bytes_reach_the_session(pair: Pair) -> None:
    pair.connection.read(True)
    pair.theirs.sendall(b"hello")
    pair.loop.run_once(SOON)
    assert pair.listener.data == b"hello"


def test_a_peer_that_is_not_read_blocks_in_its_own_write(pair: Pair) -> None:
    pair.connection.read(True)
    pair.connection.read(False)
    pair.theirs.sendall(b"hello")
    pair.loop.run_once(0)
    assert not pair.listener.data
    pair.connection.read(True)
    pair.loop.run_once(0)
    assert pair.listener.data


def test_bytes_that_do_not_fit_are_sent_when_there_is_room(pair: Pair) -> None:
    pair.connection.send(MUCH)
    assert pair.connection.is_blocked
    received = 0
    while received < len(MUCH):
        received += len(pair.theirs.recv(1 << 20))
        pair.loop.run_once(0)
    assert pair.listener.writable_again == 1
    assert not pair.connection.is_blocked


def test_the_end_of_a_connection_is_reported_once_whichever_side_closes(
    pair: Pair,
) -> None:
    pair.connection.read(True)
    pair.theirs.shutdown(socket.SHUT_WR)
    pair.loop.run_once(SOON)
    assert not pair.connection.is_open
    pair.connection.close()
    pair.connection.send(b"too late")


def test_a_lost_peer_is_detected_when_something_is_sent(pair: Pair) -> None:
    pair.theirs.close()
    pair.connection.send(b"anybody?")
    assert not pair.connection.is_open


def test_pieces_arrive_in_their_order_also_when_they_do_not_fit(pair: Pair) -> None:
    pieces = [bytes([65 + number]) * (1 << 20) for number in range(4)]
    pair.connection.send_pieces(pieces)
    assert pair.connection.is_blocked
    assert 0 < pair.connection.unsent_bytes < len(MUCH)
    received = bytearray()
    while len(received) < len(MUCH):
        received += pair.theirs.recv(1 << 20)
        pair.loop.run_once(0)
    assert received == b"".join(pieces)
    assert pair.listener.writable_again == 1
    assert pair.connection.unsent_bytes == 0


def test_pieces_that_fit_are_sent_at_once(pair: Pair) -> None:
    pair.connection.send_pieces([b"a", b"", b"b"])
    assert pair.theirs.recv(10) == b"ab"
    assert not pair.connection.is_blocked
    assert pair.listener.writable_again == 0


@pytest.mark.parametrize("pieces", [1, 4])
def test_what_a_peer_does_not_read_is_compressed_after_a_while(
    pair: Pair, pieces: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PACK_SECONDS", 0.0)
    pair.connection.send_pieces([MUCH] * pieces)
    unsent = pair.connection.unsent_bytes
    until(pair, lambda: pair.listener.packed_again > 0)
    assert pair.connection.held_bytes < len(MUCH) // 4
    assert pair.connection.unsent_bytes == unsent
    received = 0
    while received < pieces * len(MUCH):
        received += len(pair.theirs.recv(1 << 20))
        pair.loop.run_once(0)
    assert pair.connection.held_bytes == 0
    assert pair.listener.writable_again == 1


def test_what_a_peer_reads_in_time_is_not_compressed(pair: Pair) -> None:
    pair.connection.send(MUCH)
    received = 0
    while received < len(MUCH):
        received += len(pair.theirs.recv(1 << 20))
        pair.loop.run_once(0)
    assert not pair.loop._timers
    assert not pair.listener.packed_again


def test_a_peer_that_leaves_ends_the_compression(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PACK_SECONDS", 0.0)
    pair.connection.send(MUCH)
    pair.loop.run_once(0)
    pair.connection.close()
    while pair.loop._soon:
        pair.loop.run_once(0)
    assert pair.connection.held_bytes == 0
    assert not pair.listener.packed_again


def until(pair: Pair, done: Callable[[], bool]) -> None:
    for _ in range(1000):
        pair.loop.run_once(0)
        if done():
            return
    raise AssertionError("it does not come to an end")

"""What a socket has not taken is kept in order, and in little memory when asked to."""

import socket
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.daemon.io import unsent as module
from gamin.daemon.io.unsent import PIECE_BYTES, Unsent

LONG = b'{"name":"a/file","exists":true,"size":4711},' * 40_000
"""Some 1.7 MB, as an answer is."""


class Narrow(socket.socket):
    """A socket that takes what there is room for."""

    def __init__(self) -> None:
        super().__init__()
        self.room = 0
        self.taken = bytearray()

    def send(self, data: Any, flags: int = 0, /) -> int:
        return self.sendmsg([data])

    def sendmsg(self, buffers: Iterable[Any], *_: Any) -> int:
        if not self.room:
            raise BlockingIOError
        some = b"".join(buffers)[: self.room]
        assert some
        self.taken += some
        self.room -= len(some)
        return len(some)


def pack_all(unsent: Unsent) -> int:
    slices = 1
    while unsent.pack():
        slices += 1
    return slices


def read_all(unsent: Unsent) -> bytes:
    with Narrow() as peer:
        peer.room = len(unsent)
        while not unsent.send(peer):
            assert len(unsent)
        assert not len(unsent)
        return bytes(peer.taken)


@pytest.mark.parametrize("pieces", [[LONG], [LONG[:9]] * 3 + [LONG], [LONG] * 3])
def test_what_was_compressed_arrives_unchanged(pieces: list[bytes]) -> None:
    unsent = Unsent()
    unsent.add(pieces)
    everything = b"".join(pieces)
    assert pack_all(unsent) >= len(everything) // PIECE_BYTES
    assert len(unsent) == len(everything)
    assert unsent.held_bytes < PIECE_BYTES + len(everything) // 10
    assert read_all(unsent) == everything
    assert unsent.held_bytes == 0


def test_what_is_left_of_a_large_piece_does_not_hold_it() -> None:
    unsent = Unsent()
    unsent.add([LONG])
    pack_all(unsent)
    assert all(isinstance(piece, bytes) for piece in unsent._plain)


def test_what_is_added_later_follows() -> None:
    unsent = Unsent()
    unsent.add([LONG])
    pack_all(unsent)
    unsent.add([b"end"])
    assert read_all(unsent) == LONG + b"end"


def test_a_peer_that_takes_everything_gets_some_at_a_time() -> None:
    unsent = Unsent()
    unsent.add([LONG])
    with Narrow() as peer:
        peer.room = len(LONG)
        assert not unsent.send(peer)
        sent = len(peer.taken)
        assert 0 < sent < len(LONG)
        assert len(unsent) == len(LONG) - sent
        assert unsent.send(peer)


def test_small_pieces_are_compressed_together() -> None:
    unsent = Unsent()
    unsent.add([LONG[:100]] * 10_000)
    slices = pack_all(unsent)
    assert slices < 10
    assert unsent.held_bytes < 100_000
    assert read_all(unsent) == LONG[:100] * 10_000


def test_nothing_is_left_after_clear() -> None:
    unsent = Unsent()
    unsent.add([LONG])
    unsent.pack()
    unsent.clear()
    assert len(unsent) == unsent.held_bytes == 0
    assert not unsent.pack()


STEPS = st.lists(
    st.one_of(st.binary(max_size=40), st.integers(0, 60), st.just("pack")), max_size=30
)
"""Bytes that are added, room that there is, or a step of compression."""


@given(STEPS)
def test_any_order_of_adding_compressing_and_sending_keeps_the_bytes(
    steps: list[bytes | int | str],
) -> None:
    with pytest.MonkeyPatch.context() as patch, Narrow() as peer:
        patch.setattr(module, "PIECE_BYTES", 8)
        patch.setattr(module, "SEND_BYTES", 50)
        patch.setattr(module, "PIECES_TOGETHER", 2)
        unsent, everything = Unsent(), b""
        for step in steps:
            match step:
                case bytes():
                    everything += step
                    unsent.add([step])
                case int():
                    peer.room = step
                    try:
                        assert unsent.send(peer) is (len(unsent) == 0)
                    except BlockingIOError:
                        assert peer.room == 0
                case _:
                    unsent.pack()
            assert len(unsent) == len(everything) - len(peer.taken)
        assert peer.taken + read_all(unsent) == everything

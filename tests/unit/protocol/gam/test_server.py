"""The requests of a libgamin client, and what ends its connection."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.errors import RemoteProtocolError
from gamin.protocol.gam.packets import MAX_PATH, Packet
from gamin.protocol.gam.server import (
    HELLO,
    Cancel,
    Debug,
    Monitor,
    Request,
    ServerSession,
)


def greeted() -> ServerSession:
    session = ServerSession()
    session.received(HELLO)
    return session


def test_the_hello_alone_asks_for_nothing_but_its_answer() -> None:
    session = ServerSession()
    assert not session.greeted
    assert session.received(HELLO) == []
    assert session.greeted


def test_empty_bytes_change_nothing() -> None:
    session = ServerSession()
    assert session.received(b"") == []
    assert not session.greeted


def test_requests_may_come_in_the_segment_of_the_hello() -> None:
    session = ServerSession()
    requests = session.received(HELLO + Packet(1, 2, b"/d").encode())
    assert requests == [Monitor(1, b"/d", directory=True, no_exists=False)]


def test_requests_may_come_byte_by_byte() -> None:
    session = ServerSession()
    stream = HELLO + Packet(1, 1, b"/f").encode() + Packet(1, 3).encode()
    requests = [r for byte in stream for r in session.received(bytes([byte]))]
    assert requests == [Monitor(1, b"/f", directory=False, no_exists=False), Cancel(1)]


@pytest.mark.parametrize("first", [b"\x01", b"\x0c\x00\x01\x00", b"GET / HTTP/1.1"])
def test_a_wrong_hello_ends_the_connection_for_good(first: bytes) -> None:
    session = ServerSession()
    with pytest.raises(RemoteProtocolError, match="hello byte"):
        session.received(first)
    with pytest.raises(RemoteProtocolError, match="hello byte"):
        session.received(HELLO)
    assert not session.greeted


LONGEST = b"/" * MAX_PATH


@pytest.mark.parametrize(
    ("packet", "request_"),
    [
        pytest.param(Packet(1, 1, b"/f"), Monitor(1, b"/f", False, False), id="file"),
        pytest.param(Packet(1, 2, b"/d"), Monitor(1, b"/d", True, False), id="dir"),
        pytest.param(
            Packet(1, 17, b"/f"), Monitor(1, b"/f", False, True), id="file, no exists"
        ),
        pytest.param(
            Packet(1, 18, b"/d"), Monitor(1, b"/d", True, True), id="dir, no exists"
        ),
        pytest.param(
            Packet(1, 0xFFE2, b"/d"),
            Monitor(1, b"/d", True, False),
            id="unknown options are ignored",
        ),
        pytest.param(Packet(9, 3), Cancel(9), id="cancel"),
        pytest.param(Packet(9, 3, b"/x"), Cancel(9), id="cancel: its path is ignored"),
        pytest.param(Packet(9, 19, b"/x"), Cancel(9), id="cancel with option and path"),
        pytest.param(Packet(9, 4, b"notify"), Debug(9, b"notify"), id="debug"),
        pytest.param(
            Packet(0, 1, b"/f"), Monitor(0, b"/f", False, False), id="number 0"
        ),
        pytest.param(Packet(0xFFFF, 3), Cancel(0xFFFF), id="number 65535"),
        pytest.param(
            Packet(1, 1, b"f"), Monitor(1, b"f", False, False), id="relative path"
        ),
        pytest.param(
            Packet(1, 1, b"/a\0b"), Monitor(1, b"/a", False, False), id="cut at NUL"
        ),
        pytest.param(
            Packet(1, 1, b"/\xff\n"), Monitor(1, b"/\xff\n", False, False), id="bytes"
        ),
        pytest.param(
            Packet(1, 1, LONGEST), Monitor(1, LONGEST, False, False), id="longest path"
        ),
    ],
)
def test_each_packet_gives_its_request(packet: Packet, request_: Request) -> None:
    assert greeted().received(packet.encode()) == [request_]


def raw(size: int, version: int, type_: int, path: bytes) -> bytes:
    return struct.pack("=5H", size, version, 1, type_, len(path)) + path


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(raw(12, 2, 1, b"/f"), id="version 2"),
        pytest.param(raw(12, 0, 1, b"/f"), id="version 0"),
        pytest.param(raw(4107, 1, 1, b"/" * 4097), id="larger than any packet"),
        pytest.param(raw(4106, 1, 1, b"/" * 4096), id="path of 4096 bytes"),
        pytest.param(raw(13, 1, 1, b"/f"), id="longer than its path"),
        pytest.param(raw(9, 1, 3, b""), id="shorter than a header"),
        pytest.param(Packet(1, 1).encode(), id="file without a path"),
        pytest.param(Packet(1, 2).encode(), id="directory without a path"),
        pytest.param(Packet(1, 4).encode(), id="debug without a path"),
        pytest.param(Packet(1, 19).encode(), id="cancel with option, without a path"),
        pytest.param(Packet(1, 0, b"/f").encode(), id="request 0"),
        pytest.param(Packet(1, 5, b"/f").encode(), id="request 5"),
        pytest.param(Packet(1, 15, b"/f").encode(), id="request 15"),
        pytest.param(Packet(1, 1, b"\0f").encode(), id="path begins with NUL"),
    ],
)
def test_a_bad_request_ends_the_connection_for_good(packet: bytes) -> None:
    session = greeted()
    with pytest.raises(RemoteProtocolError):
        session.received(packet)
    with pytest.raises(RemoteProtocolError):
        session.received(Packet(1, 1, b"/f").encode())


def test_a_cancel_of_an_unknown_number_is_left_to_whoever_knows_the_numbers() -> None:
    assert greeted().received(Packet(99, 3).encode()) == [Cancel(99)]


@given(data=st.lists(st.binary(max_size=40), max_size=5), hello=st.booleans())
def test_any_bytes_give_requests_or_a_remote_error(
    data: list[bytes], hello: bool
) -> None:
    session = greeted() if hello else ServerSession()
    for piece in data:
        try:
            requests = session.received(piece)
        except RemoteProtocolError:
            continue
        assert all(isinstance(request, Request) for request in requests)

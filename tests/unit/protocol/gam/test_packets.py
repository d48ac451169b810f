"""Packets cut from a stream, however it arrives and whatever it holds."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.errors import RemoteProtocolError
from gamin.protocol.gam.packets import (
    MAX_PACKET,
    MAX_PATH,
    EventCode,
    Packet,
    PacketReader,
    RequestCode,
    encode_event,
)

CREATED = Packet(7, EventCode.CREATED, b"name")
CANCEL = Packet(7, RequestCode.CANCEL)

numbers = st.integers(0, 0xFFFF)
packets = st.builds(Packet, numbers, numbers, st.binary(min_size=1, max_size=50))


def test_a_packet_is_ten_bytes_of_header_in_native_order_and_the_path() -> None:
    assert CREATED.encode() == struct.pack("=HHHHH", 14, 1, 7, 5, 4) + b"name"


def test_an_event_is_encoded_like_any_packet() -> None:
    assert encode_event(7, EventCode.CREATED, b"name") == CREATED.encode()


def test_packets_come_out_of_one_piece() -> None:
    reader = PacketReader()
    assert reader.feed(CREATED.encode() * 3) == [CREATED] * 3


def test_packets_come_out_byte_by_byte() -> None:
    reader = PacketReader()
    pieces = [bytes([byte]) for byte in CREATED.encode()]
    assert [reader.feed(piece) for piece in pieces] == [[]] * 13 + [[CREATED]]


def test_trailing_bytes_wait_for_the_rest_of_their_packet() -> None:
    reader = PacketReader()
    stream = CREATED.encode() * 2
    assert reader.feed(stream[:17]) == [CREATED]
    assert reader.feed(stream[17:]) == [CREATED]


def test_empty_bytes_give_no_packet() -> None:
    assert PacketReader().feed(b"") == []


def test_the_longest_path_passes() -> None:
    packet = Packet(1, RequestCode.FILE, b"/" * MAX_PATH)
    assert PacketReader().feed(packet.encode()) == [packet]


def test_only_the_type_that_may_lack_a_path_lacks_one() -> None:
    reader = PacketReader(pathless=RequestCode.CANCEL)
    assert reader.feed(CANCEL.encode()) == [CANCEL]
    with pytest.raises(RemoteProtocolError, match="without a path"):
        reader.feed(Packet(7, RequestCode.FILE).encode())


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        pytest.param((14, 2, 7, 5, 4), "version 2", id="another version"),
        pytest.param((13, 1, 7, 5, 4), "13 bytes", id="shorter than its path"),
        pytest.param((15, 1, 7, 5, 4), "15 bytes", id="longer than its path"),
        pytest.param((9, 1, 7, 5, 0), "9 bytes", id="shorter than a header"),
        pytest.param((4106, 1, 7, 5, 4096), "path of 4096", id="path too long"),
        pytest.param((9, 1, 7, 5, 0xFFFF), "path of 65535", id="wrapped length"),
        pytest.param((10, 1, 7, 3, 0), "without a path", id="no path"),
    ],
)
def test_a_header_that_cannot_be_true_ends_the_stream(
    header: tuple[int, ...], reason: str
) -> None:
    with pytest.raises(RemoteProtocolError, match=reason):
        PacketReader().feed(struct.pack("=5H", *header) + b"name")


def test_a_stream_once_broken_stays_broken() -> None:
    reader = PacketReader()
    with pytest.raises(RemoteProtocolError) as first:
        reader.feed(b"\xff" * 10)
    with pytest.raises(RemoteProtocolError) as second:
        reader.feed(CREATED.encode())
    assert str(first.value) == str(second.value)


@given(sent=st.lists(packets, max_size=5), step=st.integers(1, 64))
def test_packets_survive_any_chopping(sent: list[Packet], step: int) -> None:
    stream = b"".join(packet.encode() for packet in sent)
    reader = PacketReader()
    received = [
        packet
        for start in range(0, len(stream), step)
        for packet in reader.feed(stream[start : start + step])
    ]
    assert received == sent


# Garbage alone hardly ever has a good header, so good beginnings are mixed in.
nearly_packets = st.builds(
    lambda sequence, code, path, size: (
        struct.pack("=5H", 10 + size, 1, sequence, code, size) + path
    ),
    numbers,
    numbers,
    st.binary(max_size=MAX_PATH),
    st.one_of(st.integers(0, 60), st.integers(MAX_PATH - 2, MAX_PATH + 2)),
)


@given(pieces=st.lists(st.one_of(st.binary(), nearly_packets), max_size=6))
def test_any_bytes_give_packets_or_a_remote_error(pieces: list[bytes]) -> None:
    reader = PacketReader(pathless=RequestCode.CANCEL)
    broken = False
    for piece in pieces:
        try:
            reader.feed(piece)
        except RemoteProtocolError:
            broken = True
        else:
            assert not broken, "it must keep raising"
        assert reader.buffered < MAX_PACKET

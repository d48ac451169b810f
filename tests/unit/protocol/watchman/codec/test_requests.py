"""Requests in any encoding out of one stream."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.errors import RemoteProtocolError
from gamin.protocol.watchman.codec.bser import encode_int, encode_value
from gamin.protocol.watchman.codec.bser_codec import BserCodec
from gamin.protocol.watchman.codec.codec import Codec
from gamin.protocol.watchman.codec.framing import REQUEST_LIMIT, encode
from gamin.protocol.watchman.codec.json_codec import JSON
from gamin.protocol.watchman.codec.requests import Pdu, RequestReader

CODECS: list[Codec] = [JSON, BserCodec(), BserCodec(2), BserCodec(2, 3)]
VALUES = st.lists(st.text() | st.integers(-(2**63), 2**63 - 1) | st.booleans())


def written(codec: Codec, value: object) -> bytes:
    if not isinstance(codec, BserCodec):
        return encode(value)
    body = encode_value(value, has_text_type=codec.version == 2)
    header = bytes([0, codec.version])
    if codec.version == 2:
        header += codec.capabilities.to_bytes(4, "little")
    return header + encode_int(len(body)) + body


@given(st.lists(st.tuples(st.sampled_from(CODECS), VALUES)), st.integers(1, 64))
def test_each_request_is_read_in_its_own_encoding_however_it_is_cut(
    sent: list[tuple[Codec, Any]], step: int
) -> None:
    stream = b"".join(written(codec, value) for codec, value in sent)
    reader = RequestReader()
    received = [
        (codec, codec.decode(body))
        for start in range(0, len(stream), step)
        for codec, body in reader.feed(stream[start : start + step])
    ]
    assert received == sent


@given(st.lists(st.binary()))
def test_any_bytes_are_requests_or_a_remote_error(pieces: list[bytes]) -> None:
    reader = RequestReader()
    try:
        for piece in pieces:
            for found in reader.feed(piece):
                assert isinstance(found, Pdu)
    except RemoteProtocolError:
        pass


def test_blank_lines_ask_for_nothing() -> None:
    assert RequestReader().feed(b"\n \r\n[1]\n") == [Pdu(JSON, b"[1]")]


def test_a_request_of_exactly_the_limit_is_read() -> None:
    assert RequestReader(limit=4).feed(b"1234\n5678\n") == [
        Pdu(JSON, b"1234"),
        Pdu(JSON, b"5678"),
    ]
    assert RequestReader(limit=4).feed(b"\0\1\x03\x041234") == [
        Pdu(BserCodec(), b"1234")
    ]


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([b"123", b"45"], id="a line without an end"),
        pytest.param([b"12345\n"], id="a line with its end"),
        pytest.param([b"1\n", b"123456"], id="a second line"),
        pytest.param([b"\0\1\x03\x05"], id="BSER"),
        pytest.param([b"\0\2\0\0\0\0\x05\0\0\0\x7f"], id="BSER 2 of 2 GB"),
    ],
)
def test_a_request_over_the_limit_is_refused_before_it_is_there(
    pieces: list[bytes],
) -> None:
    reader = RequestReader(limit=4)
    *first, last = pieces
    for piece in first:
        reader.feed(piece)
    with pytest.raises(RemoteProtocolError, match="more than 4 bytes"):
        reader.feed(last)


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(b"\0\0", id="version 0"),
        pytest.param(b"\0\3", id="version 3"),
        pytest.param(b"\0\1\x02\x03\x01x", id="a string as its length"),
        pytest.param(b"\0\1\x03\xff", id="a negative length"),
        pytest.param(b"[1]\n\0\3", id="after a request in JSON"),
    ],
)
def test_bytes_that_are_no_header_are_refused(header: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        RequestReader().feed(header)


def test_a_long_line_is_not_searched_again_for_every_piece() -> None:
    reader = RequestReader()
    for _ in range(REQUEST_LIMIT // 4096 - 1):
        reader.feed(b"x" * 4096)
    assert reader._searched == REQUEST_LIMIT - 4096

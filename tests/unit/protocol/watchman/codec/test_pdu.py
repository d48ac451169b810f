"""Whole requests and replies, as the `watchman` command cuts them."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.errors import RemoteProtocolError
from gamin.protocol.watchman.codec.pdu import (
    ENCODINGS,
    JSON,
    Encoding,
    decode,
    encoding_of,
    end_of,
)
from gamin.protocol.watchman.errors import BadRequest
from testkit.nested import nested

VALUES = nested(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(),
    max_size=4,
)
ALL = [*ENCODINGS.values(), Encoding(2, 3)]


@given(VALUES, st.sampled_from(ALL))
def test_encoded_messages_are_recognised_and_decoded(
    value: object, encoding: Encoding
) -> None:
    data = encoding.encode(value)
    assert encoding_of(data) == encoding
    assert decode(data) == value


@given(st.lists(VALUES, min_size=1), st.sampled_from(ALL))
def test_a_stream_is_cut_where_each_reply_ends(
    values: list[object], encoding: Encoding
) -> None:
    replies = [encoding.encode(value) for value in values]
    stream = b"".join(replies)
    for reply in replies:
        for size in range(min(len(reply), 20)):
            assert end_of(stream[:size]) is None
        end = end_of(stream)
        assert end == len(reply)
        stream = stream[end:]
    assert end_of(stream) is None


@given(st.binary() | st.binary().map(lambda data: b"\0\1" + data))
def test_any_bytes_are_a_value_or_refused(data: bytes) -> None:
    for read in (end_of, decode):
        with suppress(BadRequest, RemoteProtocolError):
            read(data)


def test_a_name_that_is_not_utf_8_survives() -> None:
    assert decode(ENCODINGS["bser"].encode(["\udcff"])) == ["\udcff"]
    assert decode(JSON.encode(["\udcff"])) == ["\udcff"]


@pytest.mark.parametrize("data", [b"\0\3abcdef", b"\0\1\x03\xff", b"\0\1\x02abc"])
def test_a_header_that_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        end_of(data)

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.errors import RemoteProtocolError
from gamin.protocol.watchman.codec.framing import (
    MAX_BYTES_AT_ONCE,
    LineReader,
    decode,
    encode,
)
from gamin.protocol.watchman.errors import BadRequest
from testkit.nested import nested

values = nested(
    st.none() | st.booleans() | st.integers() | st.text(),
    max_size=5,
)


@given(sent=st.lists(values, max_size=5), step=st.integers(1, 64))
def test_values_survive_any_chopping(sent: list[Any], step: int) -> None:
    stream = b"".join(encode(value) for value in sent)
    reader = LineReader()
    received = [
        decode(line)
        for start in range(0, len(stream), step)
        for line in reader.feed(stream[start : start + step])
    ]
    assert received == sent


@given(st.binary())
def test_any_bytes_are_lines_or_a_remote_error(data: bytes) -> None:
    reader = LineReader()
    try:
        lines = reader.feed(data)
    except RemoteProtocolError:
        return
    assert all(b"\n" not in line for line in lines)


@given(st.binary())
def test_any_line_is_a_value_or_a_bad_request(line: bytes) -> None:
    with contextlib.suppress(BadRequest):
        decode(line)


def test_blank_lines_ask_for_nothing() -> None:
    assert LineReader().feed(b"\n \r\n[1]\r\n") == [b"[1]\r"]


def test_a_line_of_exactly_the_limit_is_read() -> None:
    assert LineReader(limit=4).feed(b"1234\n5678\n") == [b"1234", b"5678"]


def test_a_line_over_the_limit_ends_the_connection_before_its_end() -> None:
    reader = LineReader(limit=4)
    reader.feed(b"123")
    with pytest.raises(RemoteProtocolError, match="4 bytes"):
        reader.feed(b"45")


def test_a_line_over_the_limit_is_not_let_through_by_its_end() -> None:
    with pytest.raises(RemoteProtocolError):
        LineReader(limit=4).feed(b"12345\n")


@pytest.mark.parametrize("header", [b"\0\1", b"\0\2", b"[1]\n\0\1"])
def test_binary_requests_are_not_left_waiting(header: bytes) -> None:
    with pytest.raises(RemoteProtocolError, match="BSER"):
        LineReader().feed(header)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"[", id="an unfinished array"),
        pytest.param(b"[" * 100_000, id="arrays nested 100,000 deep"),
        pytest.param(b'{"a":' * 100_000, id="objects nested 100,000 deep"),
        pytest.param(b"[NaN]", id="a number that is none"),
        pytest.param(b"1" * 10_000, id="a number of 10,000 digits"),
        pytest.param('["x"]'.encode("utf-16"), id="another encoding"),
    ],
)
def test_bad_json_is_a_bad_request(line: bytes) -> None:
    with pytest.raises(BadRequest, match="failed to parse JSON"):
        decode(line)


def test_raw_bytes_in_a_string_are_surrogate_escapes() -> None:
    assert decode(b'"\xff"') == decode(b'"\\udcff"') == "\udcff"


def test_files_are_put_into_a_message_as_they_are() -> None:
    line = encode({"version": "1"}, files=b'[{"name":"a"}]')
    assert line == b'{"version":"1","files":[{"name":"a"}]}\n'
    assert json.loads(encode({}, files=b"[]")) == {"files": []}


@given(values)
def test_a_large_request_means_the_same_as_a_small_one(value: Any) -> None:
    text = json.dumps(value).encode()
    assert decode(b" " * MAX_BYTES_AT_ONCE + text) == decode(text)


@pytest.mark.parametrize(
    "line", [b"[1,", b"[NaN]", b"[" * 50_000, b'["a" "b"]', b"{1:2}"]
)
def test_bad_json_of_any_size_is_a_bad_request(line: bytes) -> None:
    with pytest.raises(BadRequest, match="failed to parse JSON"):
        decode(b" " * MAX_BYTES_AT_ONCE + line)

"""Our BSER compared with pywatchman's, and with random bytes."""

import contextlib
import struct
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.protocol.watchman.codec.bser import (
    MAX_DEPTH,
    MAX_VALUES,
    decode_value,
    encode_bytes,
    encode_int,
    encode_value,
    read_int,
    template_head,
)
from gamin.protocol.watchman.errors import BadRequest
from testkit.nested import nested

INT64 = st.integers(-(2**63), 2**63 - 1)
VALUES = nested(
    st.none()
    | st.booleans()
    | INT64
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    max_size=5,
)
SIZES = [-(2**63), -(2**31) - 1, -(2**31), -(2**15) - 1, -(2**15), -129, -128, -1, 0]
SIZES += [1, 127, 128, 2**15 - 1, 2**15, 2**31 - 1, 2**31, 2**63 - 1]


def body(pdu: bytes) -> bytes:
    """A message of pywatchman, without its header."""
    start = 2 if pdu[1] == 1 else 6
    header = read_int(pdu, start)
    assert header is not None
    return pdu[header[1] :]


def pdu(value: bytes, version: int = 1) -> bytes:
    """A message that pywatchman reads."""
    capabilities = struct.pack("=I", 0) if version == 2 else b""
    return bytes([0, version]) + capabilities + encode_int(len(value)) + value


@given(VALUES)
@pytest.mark.parametrize("has_text_type", [False, True])
def test_every_value_survives_the_way(has_text_type: bool, value: Any) -> None:
    assert decode_value(encode_value(value, has_text_type=has_text_type)) == value


@pytest.mark.parametrize("has_text_type", [False, True])
def test_a_key_that_is_not_utf_8_is_written_as_bytes(has_text_type: bool) -> None:
    """JSON has such keys, as in the metadata of a state."""
    encoded = encode_value({"\ud800": 1}, has_text_type=has_text_type)
    assert encoded == b"\1\3\1" + encode_bytes(b"\xed\xa0\x80") + encode_int(1)
    assert decode_value(encode_value({"\udcff": 1}, has_text_type=has_text_type))


@given(VALUES)
@pytest.mark.parametrize("version", [1, 2])
def test_pywatchman_reads_what_we_write(version: int, value: Any) -> None:
    bser = pytest.importorskip("pywatchman.pybser")
    data = encode_value(value, has_text_type=version == 2)
    read = bser.loads(
        pdu(data, version), value_encoding="utf-8", value_errors="surrogateescape"
    )
    assert read == value


@given(VALUES)
@pytest.mark.parametrize("version", [1, 2])
def test_we_read_what_pywatchman_writes(version: int, value: Any) -> None:
    bser = pytest.importorskip("pywatchman.pybser")
    assert decode_value(body(bser.dumps(value, version))) == value


@pytest.mark.parametrize("number", SIZES)
def test_integers_take_as_few_bytes_as_pywatchman_s(number: int) -> None:
    bser = pytest.importorskip("pywatchman.pybser")
    assert encode_int(number) == body(bser.dumps(number))


def test_an_inode_past_63_bits_wraps_around() -> None:
    assert decode_value(encode_int(2**64 - 1)) == -1


def test_a_name_that_is_not_utf_8_is_never_called_utf_8() -> None:
    assert encode_value("a\udcff", has_text_type=True)[0] == 0x02
    assert decode_value(encode_bytes(b"a\xff")) == "a\udcff"


@given(
    st.lists(st.text(), min_size=1, max_size=4, unique=True).flatmap(
        lambda keys: st.tuples(
            st.just(keys), st.lists(st.lists(VALUES, min_size=4, max_size=4))
        )
    )
)
def test_a_template_is_an_array_of_objects(
    given: tuple[list[str], list[list[Any]]],
) -> None:
    bser = pytest.importorskip("pywatchman.pybser")
    keys, rows = given
    expected = [dict(zip(keys, row, strict=False)) for row in rows]
    head = template_head([encode_bytes(key.encode()) for key in keys], len(expected))
    cells = (cell for row in expected for cell in row.values())
    data = head + b"".join(encode_value(cell, has_text_type=False) for cell in cells)
    assert decode_value(data) == expected
    assert bser.loads(pdu(data), value_encoding="utf-8") == expected


def test_a_key_may_be_left_out_of_a_row_of_a_template() -> None:
    head = template_head([encode_bytes(b"a"), encode_bytes(b"b")], 1)
    assert decode_value(head + b"\x0c\x08") == [{"b": True}]


@given(st.binary())
def test_any_bytes_are_a_value_or_a_bad_request(data: bytes) -> None:
    with contextlib.suppress(BadRequest):
        decode_value(data)


@given(VALUES, st.data())
def test_a_changed_byte_is_a_value_or_a_bad_request(value: Any, data: Any) -> None:
    sent = bytearray(encode_value(value, has_text_type=True))
    at = data.draw(st.integers(0, len(sent) - 1))
    sent[at] = data.draw(st.integers(0, 255))
    with contextlib.suppress(BadRequest):
        decode_value(bytes(sent))


def array(count: int) -> bytes:
    return b"\x00" + encode_int(count)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x08\x08", id="two values"),
        pytest.param(b"\x0e", id="an unknown type"),
        pytest.param(b"\x0c", id="a key left out of no row"),
        pytest.param(b"\x05\x01", id="half an integer"),
        pytest.param(b"\x07\x01", id="half a real"),
        pytest.param(array(2**62), id="an array of 2**62 items"),
        pytest.param(array(-1), id="an array of -1 items"),
        pytest.param(array(1), id="an array that ends too soon"),
        pytest.param(b"\x02" + encode_int(2**62), id="a string of 2**62 bytes"),
        pytest.param(b"\x02" + encode_int(-1), id="a string of -1 bytes"),
        pytest.param(b"\x02\x08", id="a string of true bytes"),
        pytest.param(b"\x01\x03\x01\x03\x01\x08", id="a number as a key"),
        pytest.param(b"\x0b\x00\x03\x00\x03\x7f", id="a template without keys"),
        pytest.param(b"\x0b\x08\x03\x00", id="a template of true keys"),
        pytest.param(array(1) * (MAX_DEPTH + 1) + b"\x08", id="nested too deeply"),
        pytest.param(array(1) * 1_000_000 + b"\x08", id="nested a million deep"),
        pytest.param(array(MAX_VALUES + 1) + b"\x08" * (MAX_VALUES + 1), id="too many"),
    ],
)
def test_bytes_that_are_no_value_are_a_bad_request(data: bytes) -> None:
    with pytest.raises(BadRequest, match="failed to parse BSER"):
        decode_value(data)


def test_arrays_as_deep_as_watchman_allows_are_read() -> None:
    value = decode_value(array(1) * MAX_DEPTH + b"\x08")
    for _ in range(MAX_DEPTH):
        assert isinstance(value, list)
        (value,) = value
    assert value is True


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(array(16_000_000) + b"\x08" * 16_000_000, id="an array"),
        pytest.param(
            b"\x0b\x00\x03\x01\x02\x03\x01k"
            + encode_int(16_000_000)
            # Each row is an object, of one byte.
            + b"\x0c" * 16_000_000,
            id="a template",
        ),
    ],
)
def test_a_large_request_cannot_take_much_memory(data: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(BadRequest, match="values"):
            decode_value(data)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < len(data)

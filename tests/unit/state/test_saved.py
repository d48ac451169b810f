"""Packing of saved trees: what is packed comes back, and damage is detected."""

import zlib
from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.core.model.belief import DirectoryBelief
from gamin.state.saved import (
    Damaged,
    Directory,
    Header,
    chained,
    pack,
    pack_header,
    unpack,
    unpack_header,
)

TOP = DirectoryBelief(1, b"r", 0, 5, True, b"a/b\xff", b"", (2,), (), (), (), 0)
BELOW = DirectoryBelief(
    2, b"d", 0, 5, True, b"c", b"", (), ((b"c", (5, 0, 0, 0, False)),), (), (), 0
)
TREE = [Directory((1, 2), TOP), Directory(None, BELOW)]
HEADER = Header(9, 0, 1, 12345, 7)


def test_packed_directories_are_unpacked_unchanged() -> None:
    assert unpack(pack(TREE)) == TREE


def test_a_packed_header_is_unpacked_unchanged() -> None:
    assert unpack_header(pack_header(HEADER)) == HEADER


@given(st.binary())
def test_any_bytes_are_directories_or_damaged(data: bytes) -> None:
    for packed in (data, zlib.compress(data)):
        try:
            assert isinstance(unpack(packed), list)
        except Damaged:
            continue


@given(st.binary())
def test_any_bytes_are_a_header_or_damaged(data: bytes) -> None:
    with suppress(Damaged):
        assert isinstance(unpack_header(data), Header)


def test_values_of_another_type_are_damage() -> None:
    with pytest.raises(Damaged):
        unpack(zlib.compress(msgspec.msgpack.encode([[9, "x", []]])))
    with pytest.raises(Damaged):
        unpack_header(msgspec.msgpack.encode([9, "x"]))


def test_a_digest_is_of_all_that_came_before() -> None:
    first, second = chained(b"", b"1"), chained(chained(b"", b"1"), b"2")
    assert len({first, second, chained(b"", b"2")}) == 3
    assert chained(first, b"2") == second

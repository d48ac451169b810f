"""Values of BSER, Watchman's binary encoding, in the machine's byte order.

Written by hand: the one well-kept library, pywatchman, decodes without a limit on
depth or on the number of values, and cannot encode templates (arrays of objects with
the same keys). The tests compare both.
"""

import struct
import sys
from collections.abc import Mapping, Sequence
from typing import Final

from gamin.protocol.watchman.errors import BadRequest

ARRAY, OBJECT, BYTES, INT8, INT16, INT32, INT64, REAL = range(8)
TRUE, FALSE, NULL, TEMPLATE, SKIP, TEXT = range(8, 14)

MAX_DEPTH: Final = 500
"""Arrays and objects within each other that a request may have; as in Watchman."""
MAX_VALUES: Final = 1_000_000
"""Values in one request. A value may take one byte of it, but 60 of memory and more."""

INT_BYTES: Final = {INT8: 1, INT16: 2, INT32: 4, INT64: 8}
"""The bytes that follow the type of an integer."""

_INT16, _INT32, _INT64 = (struct.Struct(f"=b{letter}") for letter in "hiq")
_REAL = struct.Struct("=bd")
_BYTE_ORDER: Final = sys.byteorder
_SMALL: Final = [struct.pack("bb", INT8, number) for number in range(-128, 128)]
"""Integers of one byte, at their value + 128."""
_BYTES_HEADS: Final = [b"\x02" + _SMALL[size + 128] for size in range(128)]
"""What comes before a string of so many bytes."""


# -- writing


def encode_int(number: int) -> bytes:
    """In as few bytes as it takes. Past 64 bits it wraps around, as in Watchman, whose
    clients read inode numbers as signed."""
    if -128 <= number < 128:
        return _SMALL[number + 128]
    if -0x8000 <= number < 0x8000:
        return _INT16.pack(INT16, number)
    if -0x8000_0000 <= number < 0x8000_0000:
        return _INT32.pack(INT32, number)
    return _INT64.pack(INT64, (number + 2**63) % 2**64 - 2**63)


def encode_bytes(text: bytes) -> bytes:
    """A string of no particular encoding."""
    size = len(text)
    return (_BYTES_HEADS[size] if size < 128 else b"\x02" + encode_int(size)) + text


def encode_text(text: str, *, has_text_type: bool) -> bytes:
    """A string that is UTF-8, if the reader knows the type and it really is."""
    try:
        data = text.encode()
    except UnicodeEncodeError:  # clients decode strictly what is said to be UTF-8
        return encode_bytes(text.encode("utf-8", "surrogatepass"))
    if has_text_type:
        return b"\x0d" + encode_int(len(data)) + data
    return encode_bytes(data)


def encode_value(value: object, *, has_text_type: bool) -> bytes:
    """Any value that JSON has, and bytes. Keys of objects are strings."""
    match value:
        case None:
            return b"\x0a"
        case bool():
            return b"\x08" if value else b"\x09"
        case int():
            return encode_int(value)
        case bytes():
            return encode_bytes(value)
        case str():
            return encode_text(value, has_text_type=has_text_type)
        case float():
            return _REAL.pack(REAL, value)
        case Mapping():
            members = [
                encode_text(key, has_text_type=False)
                + encode_value(member, has_text_type=has_text_type)
                for key, member in value.items()
            ]
            return b"\x01" + encode_int(len(members)) + b"".join(members)
        case Sequence():
            return encode_array(
                [encode_value(item, has_text_type=has_text_type) for item in value]
            )
        case _:
            raise TypeError(f"no BSER value: {value!r}")


def encode_array(items: Sequence[bytes]) -> bytes:
    """An array of values that are encoded already."""
    return b"\x00" + encode_int(len(items)) + b"".join(items)


def template_head(keys: Sequence[bytes], count: int) -> bytes:
    """What comes before so many objects with the same keys, which are encoded
    already; each object is its values."""
    return b"\x0b" + encode_array(keys) + encode_int(count)


# -- reading


def decode_value(data: bytes) -> object:
    """The value that these bytes are, all of them; strings as `str`, with surrogate
    escapes for what is not UTF-8.

    Raises BadRequest. Memory is bounded by MAX_VALUES and the bytes given.
    """
    reader = _Reader(data)
    try:
        value = reader.value(0)
    except (IndexError, struct.error):
        raise _broken("it ends too soon") from None
    except RecursionError:
        raise _broken("nested too deeply") from None
    if reader.at != len(data):
        raise _broken("more bytes than one value")
    return value


def read_int(data: bytes | bytearray, at: int) -> tuple[int, int] | None:
    """The integer at that place, and where it ends; None if it is not all there.

    Raises BadRequest for another type.
    """
    if at >= len(data):
        return None
    size = INT_BYTES.get(data[at])
    if size is None:
        raise _broken(f"type {data[at]:#04x} instead of an integer")
    end = at + 1 + size
    if end > len(data):
        return None
    return int.from_bytes(data[at + 1 : end], _BYTE_ORDER, signed=True), end


def _broken(why: str) -> BadRequest:
    return BadRequest(f"failed to parse BSER: {why}")


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0
        self._values_left = MAX_VALUES

    def value(self, depth: int) -> object:
        """One value. A level of nesting takes one call and not more (a comprehension
        is one), so that MAX_DEPTH of them stay within Python's limit."""
        data, at = self._data, self.at
        kind = data[at]
        if kind in (BYTES, TEXT):  # most are
            self.at = at + 1
            return self._string()
        if kind in INT_BYTES:
            return self._int()
        self.at = at + 1
        match kind:
            case 0x07:  # REAL
                self.at = at + 9
                number: float = _REAL.unpack_from(data, at)[1]
                return number
            case 0x08:  # TRUE
                return True
            case 0x09:  # FALSE
                return False
            case 0x0A:  # NULL
                return None
            case 0x00 | 0x01 | 0x0B:  # ARRAY, OBJECT, TEMPLATE
                if depth >= MAX_DEPTH:
                    raise _broken(f"nested more than {MAX_DEPTH} deep")
            case _:
                raise _broken(f"unknown type {kind:#04x}")
        if kind == ARRAY:
            items = []
            for _ in range(self._count(1)):
                items.append(self.value(depth + 1))
            return items
        if kind == OBJECT:
            members: dict[str, object] = {}
            for _ in range(self._count(2)):
                key = self._key()
                members[key] = self.value(depth + 1)
            return members
        keys = self._keys()
        rows: list[dict[str, object]] = []
        for _ in range(self._count(1 + len(keys))):
            row: dict[str, object] = {}
            for key in keys:
                if data[self.at] == SKIP:
                    self.at += 1
                else:
                    row[key] = self.value(depth + 1)
            rows.append(row)
        return rows

    def _int(self) -> int:
        at = self.at
        if self._data[at] == INT8:  # most are
            byte = self._data[at + 1]
            self.at = at + 2
            return byte if byte < 128 else byte - 256
        found = read_int(self._data, self.at)
        if found is None:
            raise IndexError
        number, self.at = found
        return number

    def _count(self, values: int) -> int:
        """How many items follow; each is at least one byte and so many values."""
        count = self._int()
        if not 0 <= count <= len(self._data) - self.at:
            raise _broken("more items than bytes")
        self._values_left -= count * values
        if self._values_left < 0:
            raise _broken(f"more than {MAX_VALUES} values")
        return count

    def _string(self) -> str:
        size = self._int()
        end = self.at + size
        if size < 0 or end > len(self._data):
            raise _broken("a string longer than the request")
        text = self._data[self.at : end]
        self.at = end
        return text.decode("utf-8", "surrogateescape")

    def _key(self) -> str:
        if self._data[self.at] not in (BYTES, TEXT):
            raise _broken("a key that is no string")
        self.at += 1
        return self._string()

    def _keys(self) -> list[str]:
        if self._data[self.at] != ARRAY:
            raise _broken("a template without an array of keys")
        self.at += 1
        keys = [self._key() for _ in range(self._count(1))]
        if not keys:
            raise _broken("a template without keys")
        return keys

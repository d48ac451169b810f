"""Whole requests and replies as the `watchman` command handles them.

It passes most of what the server sends on as it is, so it needs to know where a reply
ends and no more. It imports little, for it starts often.
"""

import json
import struct
from contextlib import suppress
from typing import Final, NamedTuple

from gamin.errors import RemoteProtocolError
from gamin.protocol.watchman.codec.bser import (
    decode_value,
    encode_int,
    encode_value,
    read_int,
)
from gamin.protocol.watchman.errors import BadRequest

_CAPABILITIES = struct.Struct("=I")
_BSER_1: Final = b"\0\1"
_BSER_2: Final = b"\0\2"


class Encoding(NamedTuple):
    """How one side writes to the other."""

    version: int
    """The version of BSER; 0 for lines of JSON."""
    capabilities: int = 0
    """What the header of BSER 2 has."""

    def encode(self, value: object) -> bytes:
        """The value with its header, or with the end of its line."""
        if self.version == 0:
            return json.dumps(value, separators=(",", ":")).encode() + b"\n"
        # Clients that know the type for UTF-8 read the older one too.
        body = encode_value(_as_bytes(value), has_text_type=False)
        size = encode_int(len(body))
        if self.version == 1:
            return _BSER_1 + size + body
        return _BSER_2 + _CAPABILITIES.pack(self.capabilities) + size + body


JSON: Final = Encoding(0)
ENCODINGS: Final = {"json": JSON, "bser": Encoding(1), "bser-v2": Encoding(2)}
"""By the names that the options of the command have for them."""


def _as_bytes(value: object) -> object:
    """Strings with surrogate escapes as the bytes that these stand for."""
    match value:
        case str():
            try:
                value.encode()
            except UnicodeEncodeError:
                with suppress(UnicodeEncodeError):
                    return value.encode("utf-8", "surrogateescape")
        case list():
            return [_as_bytes(each) for each in value]
        case dict():
            return {key: _as_bytes(each) for key, each in value.items()}
    return value


def encoding_of(data: bytes) -> Encoding:
    """What the first bytes say."""
    if data.startswith(_BSER_2):
        if len(data) < 6:
            raise BadRequest("failed to parse BSER: it ends too soon")
        return Encoding(2, _CAPABILITIES.unpack_from(data, 2)[0])
    return ENCODINGS["bser"] if data.startswith(_BSER_1) else JSON


def decode(data: bytes) -> object:
    """The value of one whole request or reply. Raises BadRequest."""
    encoding = encoding_of(data)
    if encoding.version:
        found = read_int(data, 2 if encoding.version == 1 else 6)
        if found is None:
            raise BadRequest("failed to parse BSER: it ends too soon")
        return decode_value(data[found[1] :])
    try:
        return json.loads(data.decode("utf-8", "surrogateescape"))
    except ValueError as error:
        raise BadRequest(f"failed to parse JSON: {error}") from None
    except RecursionError:
        raise BadRequest("failed to parse JSON: nested too deeply") from None


def end_of(buffer: bytes | bytearray) -> int | None:
    """Where the first reply in the buffer ends; None if it is not all there.

    Raises RemoteProtocolError for a header that is none.
    """
    if not buffer.startswith(b"\0"):
        end = buffer.find(b"\n")
        return None if end < 0 else end + 1
    if len(buffer) < 2:
        return None
    if buffer[1] not in (1, 2):
        raise RemoteProtocolError(f"BSER of version {buffer[1]}")
    try:
        found = read_int(buffer, 2 if buffer[1] == 1 else 6)
    except BadRequest as error:
        raise RemoteProtocolError(str(error)) from None
    if found is None:
        return None
    size, start = found
    if size < 0:
        raise RemoteProtocolError("a reply of less than no bytes")
    end = start + size
    return end if len(buffer) >= end else None

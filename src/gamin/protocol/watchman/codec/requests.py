"""Cuts what a client sends into requests, each in the encoding of its first bytes."""

import struct
from typing import Final, NamedTuple

from gamin.errors import RemoteProtocolError
from gamin.protocol.watchman.codec.bser import read_int
from gamin.protocol.watchman.codec.bser_codec import BserCodec
from gamin.protocol.watchman.codec.codec import Codec
from gamin.protocol.watchman.codec.framing import REQUEST_LIMIT
from gamin.protocol.watchman.codec.json_codec import JSON
from gamin.protocol.watchman.errors import BadRequest

_BSER_1: Final = BserCodec()
_CAPABILITIES = struct.Struct("=I")


class Pdu(NamedTuple):
    """One request, still encoded."""

    codec: Codec
    body: bytes


class RequestReader:
    """Requests out of a stream of bytes, however the bytes arrive."""

    def __init__(self, limit: int = REQUEST_LIMIT) -> None:
        self.limit = limit
        """Bytes of one request; the connection ends at a longer one."""
        self._buffer = bytearray()
        self._searched = 0
        """Bytes of the buffer that have no end of a line in them."""

    @property
    def unfinished_bytes(self) -> int:
        """Bytes of a request that is not complete yet."""
        return len(self._buffer)

    def clear(self) -> None:
        """Forget the request that is not complete yet."""
        self._buffer.clear()
        self._searched = 0

    def feed(self, data: bytes) -> list[Pdu]:
        """Take bytes; return the requests they complete.

        Raises RemoteProtocolError for a request over the limit, or a header that is
        none: nobody can say where the next request begins.
        """
        buffer = self._buffer
        buffer += data
        found: list[Pdu] = []
        at = 0
        while at < len(buffer):
            end = self._bser(at, found) if buffer[at] == 0 else self._line(at, found)
            if end is None:
                break
            at = end
        if at:
            del buffer[:at]
            self._searched = 0
        elif len(buffer) > self.limit:
            self._refuse()
        return found

    def _line(self, at: int, found: list[Pdu]) -> int | None:
        """The end of the JSON request that begins there, which is found."""
        buffer = self._buffer
        end = buffer.find(b"\n", max(at, self._searched))
        if (len(buffer) if end < 0 else end) - at > self.limit:
            self._refuse()
        if end < 0:
            self._searched = len(buffer)
            return None
        line = bytes(buffer[at:end])
        if line.strip():
            found.append(Pdu(JSON, line))
        return end + 1

    def _bser(self, at: int, found: list[Pdu]) -> int | None:
        """The end of the BSER request that begins there, which is found."""
        buffer = self._buffer
        if len(buffer) < at + 2:
            return None
        codec, start = _BSER_1, at + 2
        match buffer[at + 1]:
            case 1:
                pass
            case 2:
                start += _CAPABILITIES.size
                if len(buffer) < start:
                    return None
                codec = BserCodec(2, _CAPABILITIES.unpack_from(buffer, at + 2)[0])
            case version:
                raise RemoteProtocolError(f"BSER of version {version}")
        try:
            size = read_int(buffer, start)
        except BadRequest as error:
            raise RemoteProtocolError(f"no length of a request: {error}") from None
        if size is None:
            return None
        length, start = size
        if length < 0:
            raise RemoteProtocolError("a request of less than no bytes")
        if length > self.limit:
            self._refuse()
        if len(buffer) < start + length:
            return None
        found.append(Pdu(codec, bytes(buffer[start : start + length])))
        return start + length

    def _refuse(self) -> None:
        raise RemoteProtocolError(f"a request of more than {self.limit} bytes")

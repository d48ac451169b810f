"""The packets of the libgamin protocol: their layout, and a reader for streams.

`server` and `client` say what a packet means at their end.
"""

import struct
from enum import IntEnum
from typing import NamedTuple

from gamin.errors import RemoteProtocolError

VERSION = 1
MAX_PATH = 4095  # PATH_MAX on Linux without the final NUL; libgamin's limit too
HEADER = struct.Struct("=5H")  # size, version, sequence, type, path size
MAX_PACKET = HEADER.size + MAX_PATH
MAX_NUMBER = 0xFFFF  # a sequence is 16 bits wide

REQUEST_BITS = 0x0F  # of a request's type; the others are options
NO_EXISTS = 0x10
"""Option of a request: leave out every Exists and EndExist."""


class RequestCode(IntEnum):
    """What a client requests, in the low four bits of a packet's type."""

    FILE = 1
    DIRECTORY = 2
    CANCEL = 3
    DEBUG = 4


class EventCode(IntEnum):
    """What a server reports. Plain ints compare equal, so unknown codes can pass."""

    CHANGED = 1
    DELETED = 2
    START_EXECUTING = 3  # FAM's; no gamin ever sent 3, 4 or 6
    STOP_EXECUTING = 4
    CREATED = 5
    MOVED = 6
    ACKNOWLEDGE = 7
    EXISTS = 8
    END_EXIST = 9


class Packet(NamedTuple):
    """One message in either direction; `type` is a request with its options, or an
    event code."""

    sequence: int
    type: int
    path: bytes = b""

    def encode(self) -> bytes:
        return encode_event(*self)


def encode_event(sequence: int, code: int, path: bytes) -> bytes:
    """The bytes of one packet. Called for each event, so it makes no `Packet`."""
    size = len(path)
    return HEADER.pack(HEADER.size + size, VERSION, sequence, code, size) + path


class PacketReader:
    """Splits a stream of bytes into packets, however the bytes arrive.

    It keeps less than one packet between calls. `pathless` is the one type that may
    have no path: CANCEL at the server, none at the client.
    """

    def __init__(self, pathless: int | None = None) -> None:
        self._pathless = pathless
        self._rest = b""
        self._broken: str | None = None

    @property
    def buffered(self) -> int:
        """Bytes that wait for the rest of their packet."""
        return len(self._rest)

    def feed(self, data: bytes) -> list[Packet]:
        """Take bytes; return the packets they complete.

        Raises RemoteProtocolError at the first bad packet and on every later call.
        Good packets before it in the same `data` are dropped too: the connection is
        over.
        """
        if self._broken is not None:
            raise RemoteProtocolError(self._broken)
        return self._cut(self._rest + data)

    def _cut(self, data: bytes) -> list[Packet]:
        packets = []
        start = 0
        while len(data) - start >= HEADER.size:
            size, version, sequence, code, path_size = HEADER.unpack_from(data, start)
            self._broken = self._objection(size, version, code, path_size)
            if self._broken is not None:
                self._rest = b""
                raise RemoteProtocolError(self._broken)
            if len(data) - start < size:
                break
            path = data[start + HEADER.size : start + size]
            packets.append(Packet(sequence, code, path))
            start += size
        self._rest = data[start:]
        return packets

    def _objection(
        self, size: int, version: int, code: int, path_size: int
    ) -> str | None:
        """Why a header is invalid; None for a valid one."""
        if version != VERSION:
            return f"packet of version {version}, expected {VERSION}"
        if path_size > MAX_PATH or size != HEADER.size + path_size:
            return f"packet of {size} bytes with a path of {path_size}"
        if path_size == 0 and code != self._pathless:
            return f"packet of type {code} without a path"
        return None

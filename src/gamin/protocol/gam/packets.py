"""The packets of the v1 language: how they look, and how they are cut from a stream.

What a packet means at one end or the other is left to `server` and `client`.
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
    """What a client asks, in the low four bits of the type."""

    FILE = 1
    DIRECTORY = 2
    CANCEL = 3
    DEBUG = 4


class EventCode(IntEnum):
    """What a server tells. Plain ints compare equal, so unknown codes can pass."""

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
    """One message, either way; `type` is a request with options or an event code."""

    sequence: int
    type: int
    path: bytes = b""

    def encode(self) -> bytes:
        return encode_event(*self)


def encode_event(sequence: int, code: int, path: bytes) -> bytes:
    """The bytes of one packet. Called per event, so without making a `Packet`."""
    size = len(path)
    return HEADER.pack(HEADER.size + size, VERSION, sequence, code, size) + path


class PacketReader:
    """Cuts a stream of bytes into packets, however the bytes arrive.

    Keeps less than one packet between calls. `pathless` is the one type that may
    come without a path: CANCEL at the server, none at the client.
    """

    def __init__(self, pathless: int | None = None) -> None:
        self._pathless = pathless
        self._rest = b""
        self._broken: str | None = None

    @property
    def buffered(self) -> int:
        """How many bytes wait for the rest of their packet."""
        return len(self._rest)

    def feed(self, data: bytes) -> list[Packet]:
        """Take bytes; return the packets they complete.

        Raises RemoteProtocolError once the stream can no longer be trusted, and
        from then on always. Packets before the bad one in the same `data` go with
        it: the connection is over.
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
        """Why a header cannot be believed; None for a good one."""
        if version != VERSION:
            return f"packet of version {version}, expected {VERSION}"
        if path_size > MAX_PATH or size != HEADER.size + path_size:
            return f"packet of {size} bytes with a path of {path_size}"
        if path_size == 0 and code != self._pathless:
            return f"packet of type {code} without a path"
        return None

"""What one connected client of the v1 language said, as typed requests.

Who the client is was checked before (`gamin.system.peercred`); which numbers stand, and
so which cancels are valid, is known to whoever carries the requests out.
"""

from typing import NamedTuple

from gamin.errors import RemoteProtocolError
from gamin.protocol.gam.packets import (
    NO_EXISTS,
    REQUEST_BITS,
    Packet,
    PacketReader,
    RequestCode,
)

HELLO = b"\0"
"""What each side writes first; the other checks the writer's uid when it reads it."""


class Monitor(NamedTuple):
    """Tell me the state of `path` (unless `no_exists`), then its changes.

    The path is as the client wrote it: never empty and without a NUL, but possibly
    relative or with doubled slashes, and it is reported in that very form.
    """

    sequence: int
    path: bytes
    directory: bool
    no_exists: bool


class Cancel(NamedTuple):
    """Stop `sequence`, the newest if several share it; unknown ones end the client."""

    sequence: int


class Debug(NamedTuple):
    """Tell me what the server does inside; it may be ignored."""

    sequence: int
    path: bytes


Request = Monitor | Cancel | Debug


class ServerSession:
    """Bytes of one client in, requests out: first the hello byte, then packets."""

    def __init__(self) -> None:
        self.greeted = False
        """The hello has been read and wants its answer, the same byte."""
        self._reader = PacketReader(pathless=RequestCode.CANCEL)
        self._refusal: str | None = None

    def received(self, data: bytes) -> list[Request]:
        """Take bytes, as many as came; return the requests they complete.

        Raises RemoteProtocolError when the client is to be disconnected, and from
        then on always.
        """
        if self._refusal is not None:
            raise RemoteProtocolError(self._refusal)
        try:
            return [_request(packet) for packet in self._packets(data)]
        except RemoteProtocolError as error:
            self._refusal = str(error)
            raise

    def _packets(self, data: bytes) -> list[Packet]:
        # libgamin sends its first requests without waiting for the answer to its
        # hello, so they may come in the same segment.
        if data and not self.greeted:
            if not data.startswith(HELLO):
                raise RemoteProtocolError(f"hello byte {data[0]:#04x}, expected 0x00")
            self.greeted = True
            data = data[len(HELLO) :]
        return self._reader.feed(data)


def _request(packet: Packet) -> Request:
    """Raises RemoteProtocolError for what is no request. Unknown options pass."""
    match packet.type & REQUEST_BITS:
        case RequestCode.FILE:
            return _monitor(packet, directory=False)
        case RequestCode.DIRECTORY:
            return _monitor(packet, directory=True)
        case RequestCode.CANCEL:
            return Cancel(packet.sequence)
        case RequestCode.DEBUG:
            return Debug(packet.sequence, _path(packet))
        case _:
            raise RemoteProtocolError(f"unknown request {packet.type}")


def _monitor(packet: Packet, *, directory: bool) -> Monitor:
    no_exists = bool(packet.type & NO_EXISTS)
    return Monitor(packet.sequence, _path(packet), directory, no_exists)


def _path(packet: Packet) -> bytes:
    """The path up to a NUL byte, where every system call would end it too."""
    path = packet.path.partition(b"\0")[0]
    if not path:
        raise RemoteProtocolError("path begins with a NUL byte")
    return path

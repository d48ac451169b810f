"""The server's session in the libgamin protocol: bytes of a client become requests.

The client's uid was checked before (`gamin.system.peercred`). The caller knows which
request numbers are in force, and so which cancels are valid.
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
"""The byte that each side sends first; its receiver checks the sender's uid."""


class Monitor(NamedTuple):
    """Report the state of `path` (unless `no_exists`), then its changes.

    The path is as the client wrote it: never empty and without a NUL, but possibly
    relative or with doubled slashes. Events repeat it in that form.
    """

    sequence: int
    path: bytes
    directory: bool
    no_exists: bool


class Cancel(NamedTuple):
    """End the request `sequence`, the newest if several share the number. A client that
    cancels an unknown number is disconnected."""

    sequence: int


class Debug(NamedTuple):
    """Report what the server does internally. A server may ignore this."""

    sequence: int
    path: bytes


Request = Monitor | Cancel | Debug


class ServerSession:
    """Reads one client's bytes: first the hello byte, then packets."""

    def __init__(self) -> None:
        self.greeted: bool = False
        """True once the hello was read; the server answers with the same byte."""
        self._reader = PacketReader(pathless=RequestCode.CANCEL)
        self._refusal: str | None = None

    def received(self, data: bytes) -> list[Request]:
        """Take any number of bytes; return the requests they complete.

        Raises RemoteProtocolError if the client must be disconnected, and on every
        later call.
        """
        if self._refusal is not None:
            raise RemoteProtocolError(self._refusal)
        try:
            return [_request(packet) for packet in self._packets(data)]
        except RemoteProtocolError as error:
            self._refusal = str(error)
            raise

    def _packets(self, data: bytes) -> list[Packet]:
        # libgamin sends its first requests without waiting for the server's hello, so
        # both may arrive in one read.
        if data and not self.greeted:
            if not data.startswith(HELLO):
                raise RemoteProtocolError(f"hello byte {data[0]:#04x}, expected 0x00")
            self.greeted = True
            data = data[len(HELLO) :]
        return self._reader.feed(data)


def _request(packet: Packet) -> Request:
    """The request in a packet; unknown options are ignored. Raises RemoteProtocolError
    if it is none."""
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
    """The path up to the first NUL byte, where every system call ends it too."""
    path = packet.path.partition(b"\0")[0]
    if not path:
        raise RemoteProtocolError("path begins with a NUL byte")
    return path

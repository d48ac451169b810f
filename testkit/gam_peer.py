"""The other end of a libgamin client: servers that send what a test wants.

And the plain way to a real server of a given session, without starting one.
"""

import socket

from gamin.client.connect import connect_gam
from gamin.protocol.gam.packets import Packet, PacketReader, RequestCode


class Peer:
    """One connection, seen from the server; the handshake is behind it."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self._reader = PacketReader(pathless=RequestCode.CANCEL)

    def report(self, *events: tuple[int, int, bytes]) -> None:
        self.socket.sendall(b"".join(Packet(*event).encode() for event in events))

    def asked(self) -> list[Packet]:
        """The requests that came; a Unix socket delivers before send() returns."""
        try:
            data = self.socket.recv(1 << 20, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return []
        return self._reader.feed(data)

    def die(self) -> None:
        self.socket.close()


class Peers:
    """A connector whose every call meets a new peer."""

    def __init__(self) -> None:
        self.met: list[Peer] = []

    def connect(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        self.met.append(Peer(theirs))
        return ours

    def close(self) -> None:
        for peer in self.met:
            peer.die()


def connect_to(session: str) -> socket.socket:
    """A connection to the running server of `session`, the handshake done."""
    return connect_gam(start=False, session=session, environ={})

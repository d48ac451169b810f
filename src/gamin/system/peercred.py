"""The process at the other end of a Unix socket, as the kernel identifies it.

The caller closes the connection of another user without an answer.
"""

import os
import socket
import struct
from typing import NamedTuple

from gamin.errors import GaminError

HELLO = b"\0"
"""The first byte that each side of libgamin's protocol sends."""

_UCRED = struct.Struct("=iII")
"""struct ucred: pid, uid, gid."""


class Peer(NamedTuple):
    """Credentials that the kernel recorded when a client connected, or when a server
    began to listen. The pid is 0 for a process outside our pid namespace."""

    pid: int
    uid: int
    gid: int


class PeerRefused(GaminError):
    """The other side runs under another user."""

    def __init__(self, peer: Peer, uid: int) -> None:
        super().__init__(peer, uid)
        self.peer = peer
        self.uid = uid

    def __str__(self) -> str:
        return (
            f"process {self.peer.pid} runs under uid {self.peer.uid}, "
            f"only uid {self.uid} is trusted here"
        )


def peer_of(connected: socket.socket) -> Peer:
    found = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    return Peer(*_UCRED.unpack(found))


def check_peer(connected: socket.socket, uid: int | None = None) -> Peer:
    """The peer, if it runs under `uid` (default: our own). Raises PeerRefused."""
    trusted = os.getuid() if uid is None else uid
    peer = peer_of(connected)
    if peer.uid != trusted:
        raise PeerRefused(peer, trusted)
    return peer

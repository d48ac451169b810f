"""Who is at the other end of a Unix socket, as the kernel tells it.

What to do with a stranger is left to the caller, who must not answer one byte.
"""

import os
import socket
import struct
from typing import NamedTuple

from gamin.errors import GaminError

HELLO = b"\0"  # the one byte each side of the original protocol says first

_UCRED = struct.Struct("=iII")  # pid, uid, gid


class Peer(NamedTuple):
    """Fixed by the kernel: for a client when it connected, for a server when it
    began to listen. The pid is 0 for a process outside our pid namespace."""

    pid: int
    uid: int
    gid: int


class PeerRefused(GaminError):
    """The other side runs under another user and is not to be believed."""

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
    """The peer, if it runs under `uid` (by default our own). Raises PeerRefused."""
    trusted = os.getuid() if uid is None else uid
    peer = peer_of(connected)
    if peer.uid != trusted:
        raise PeerRefused(peer, trusted)
    return peer

"""Dials a Unix socket, checks that the other end is ours, and never waits long.

Both sides dial: a client to be served, a server to learn whether another one lives.
What they make of the answer is left to them.
"""

import math
import socket
import struct

from gamin.errors import ServerError
from gamin.system.address import Address
from gamin.system.namespace import sees_other_files
from gamin.system.peercred import PeerRefused, check_peer, peer_of
from gamin.system.socketdir import Directory, UnsafeSocketPath
from gamin.system.unix_sockets import listening_process

_TIMEVAL = struct.Struct("@ll")  # seconds, microseconds


class AddressInUse(ServerError):
    """A program that we cannot trust has the abstract name of our session."""

    def __init__(self, name: str, holder: str) -> None:
        super().__init__(name, holder)
        self.name = name
        self.holder = holder

    def __str__(self) -> str:
        return (
            f"the abstract name {self.name} is held by {self.holder} "
            "(end it, or let GAMIN_SOCKET=auto use a directory instead)"
        )


class ServerBusy(AddressInUse):
    """A process of ours has the abstract name, and takes no call at present."""

    def __init__(self, name: str, pid: int) -> None:
        super().__init__(name, f"process {pid}, which takes no calls")
        self.pid = pid


def dial_abstract(address: Address, patience: float) -> socket.socket:
    """The server at the abstract name. Raises ConnectionRefusedError, AddressInUse, and
    ServerBusy.

    An abstract name is first come, first served, so a stranger may have it. Who lets us
    wait and is no process of ours comes to the same.
    """
    try:
        connected = dial(address.abstract, patience)
    except BlockingIOError as error:
        shown = address.shown_abstract
        pid = listening_process(address.abstract)
        if pid is not None:
            raise ServerBusy(shown, pid) from error
        raise AddressInUse(shown, "a program that is stuck") from error
    try:
        check_peer(connected, address.uid)
    except PeerRefused as refused:
        connected.close()
        holder = f"process {refused.peer.pid} of uid {refused.peer.uid}"
        raise AddressInUse(address.shown_abstract, holder) from refused
    if not address.any_mounts and sees_other_files(pid := peer_of(connected).pid):
        connected.close()
        holder = f"process {pid}, which is in another mount namespace"
        raise AddressInUse(address.shown_abstract, holder)
    return connected


def dial_file(
    directory: Directory, name: bytes, patience: float, *, any_mounts: bool = False
) -> socket.socket:
    """The server at a socket file. Raises what `dial` does, and UnsafeSocketPath.

    `any_mounts`: it may be in another mount namespace.
    """
    connected = dial(directory.place(name), patience)
    try:
        check_peer(connected, directory.uid)
    except PeerRefused as refused:
        connected.close()
        raise UnsafeSocketPath(directory.path + b"/" + name, str(refused)) from refused
    if not any_mounts and sees_other_files(pid := peer_of(connected).pid):
        connected.close()
        problem = f"it is served by process {pid} in another mount namespace"
        raise UnsafeSocketPath(directory.path + b"/" + name, problem)
    return connected


def dial(where: bytes, patience: float) -> socket.socket:
    """Connect to an abstract name (first byte NUL) or to a path. The result blocks.

    Raises FileNotFoundError or ConnectionRefusedError where nobody listens, and
    BlockingIOError where somebody listens but takes no call for `patience` seconds, or
    at once if that is 0.
    """
    calling = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if patience:
            _limit_sending(calling, patience)
            calling.connect(where)
            _limit_sending(calling, 0)
        else:
            calling.setblocking(False)
            calling.connect(where)
            calling.setblocking(True)
    except BaseException:
        calling.close()
        raise
    return calling


def _limit_sending(calling: socket.socket, seconds: float) -> None:
    """Zero means without limit.

    A Unix socket cannot wait for a full backlog in poll(): a non-blocking connect
    fails at once. The send time-out is what bounds a blocking one.
    """
    fraction, whole = math.modf(seconds)
    limit = _TIMEVAL.pack(int(whole), int(fraction * 1_000_000))
    calling.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)

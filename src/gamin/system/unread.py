"""Measures how many sent bytes the other end of a socket has not read."""

import fcntl
import socket
import sys

_SIOCOUTQ = 0x5411
"""Of <linux/sockios.h>: what is in the queue; see man 7 unix."""


def unread_bytes(sock: socket.socket) -> int:
    """Bytes in the other end's queue, counted as the memory they take; 0 if it has read
    everything, or if this cannot be known."""
    try:
        answer = fcntl.ioctl(sock, _SIOCOUTQ, bytes(4))
    except OSError:
        return 0
    return int.from_bytes(answer, sys.byteorder)

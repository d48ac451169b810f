"""Dialling: a connected Unix socket, without ever waiting for long.

Whether the one who answers may be believed is the affair of `credentials`.
"""

import math
import socket
import struct

_TIMEVAL = struct.Struct("@ll")  # seconds, microseconds


def dial(where: bytes, patience: float) -> socket.socket:
    """Connect to an abstract name (first byte NUL) or to a path. The result blocks.

    Raises FileNotFoundError or ConnectionRefusedError where nobody listens, and
    BlockingIOError where somebody listens but takes no call for `patience` seconds.
    """
    calling = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _limit_sending(calling, patience)
        calling.connect(where)
        _limit_sending(calling, 0)
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

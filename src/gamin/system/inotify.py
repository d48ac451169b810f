"""inotify: the descriptor and reading from it. See inotify(7).

Decoding is done by the backend, in its own loop.
"""

import array
import fcntl
import io
import os
import struct
import termios

from gamin.system import libc

ONLYDIR = 0x0100_0000
DONT_FOLLOW = 0x0200_0000
EXCL_UNLINK = 0x0400_0000
MASK_ADD = 0x2000_0000

HEADER = struct.Struct("iIII")
"""Watch, mask, cookie, and the length of the padded name in bytes."""

RECORDS = {size: struct.Struct(f"iIII{size}s") for size in range(0, 272, 16)}
"""Header and name, by the length of the padded name: the kernel pads a name and its NUL
to a multiple of the header's size (round_event_name_len in inotify_user.c)."""

BUFFER = 64 * 1024
"""Bytes per read: some 1,400 to 2,000 events."""

MAX_EVENT_BYTES = HEADER.size + 256
"""Bytes of the longest event: its name has NAME_MAX bytes and a NUL."""


def open_instance() -> int:
    """A non-blocking descriptor, closed on exec.

    Raises OSError (EMFILE) when the user has `max_user_instances` already.
    """
    return libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)


class Reader:
    """Reads events into one buffer that is reused.

    os.read() would allocate BUFFER bytes for each call and then shrink them.
    """

    def __init__(self, fd: int) -> None:
        self._file = io.FileIO(fd, closefd=False)
        self._buffer = bytearray(BUFFER)
        self._view = memoryview(self._buffer)

    def read(self) -> bytes:
        """Whole queued events, at most BUFFER bytes; empty when none is queued."""
        size = self._file.readinto(self._buffer)
        return bytes(self._view[:size]) if size else b""

    def queued(self) -> int:
        """Bytes of queued events (FIONREAD)."""
        size = array.array("i", [0])
        fcntl.ioctl(self._file.fileno(), termios.FIONREAD, size)
        return size[0]


def limit(name: str) -> int:
    """A limit below /proc/sys/fs/inotify, such as max_user_watches."""
    with open(f"/proc/sys/fs/inotify/{name}", "rb") as file:
        return int(file.read())

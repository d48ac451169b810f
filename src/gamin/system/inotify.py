"""inotify: the descriptor, and what read() returns, decoded. See man 7 inotify."""

import array
import fcntl
import io
import os
import struct
import termios
from collections.abc import Iterator
from typing import NamedTuple

from gamin.system import libc

ONLYDIR = 0x0100_0000
DONT_FOLLOW = 0x0200_0000
EXCL_UNLINK = 0x0400_0000
MASK_ADD = 0x2000_0000

HEADER = struct.Struct("iIII")  # watch, mask, cookie, length of the padded name
RECORDS = {size: struct.Struct(f"iIII{size}s") for size in range(0, 272, 16)}
"""Header and name, by the length of the padded name: the kernel pads a name and its NUL
to a multiple of the header's size (round_event_name_len in inotify_user.c)."""
BUFFER = 64 * 1024
"""Bytes per read: some 1,400 to 2,000 events."""
MAX_EVENT_BYTES = HEADER.size + 256  # NAME_MAX and its NUL


class RawEvent(NamedTuple):
    watch: int
    mask: int
    cookie: int
    name: bytes  # empty when the event is about the watched directory itself


def decode(buffer: bytes) -> Iterator[RawEvent]:
    """Split what one read() returned; the kernel never writes half an event."""
    offset = 0
    end = len(buffer)
    unpack = HEADER.unpack_from
    while offset < end:
        watch, mask, cookie, size = unpack(buffer, offset)
        offset += 16
        name = buffer[offset : offset + size].rstrip(b"\0") if size else b""
        offset += size
        yield RawEvent(watch, mask, cookie, name)


def open_instance() -> int:
    """A non-blocking descriptor, closed on exec. OSError EMFILE when the user has
    `max_user_instances` already."""
    return libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)


class Reader:
    """Reads into one buffer that stays.

    os.read() would make a new object of BUFFER bytes each time and cut it to size.
    """

    def __init__(self, fd: int) -> None:
        self._file = io.FileIO(fd, closefd=False)
        self._buffer = bytearray(BUFFER)
        self._view = memoryview(self._buffer)

    def read(self) -> bytes:
        """What is queued, up to BUFFER bytes of it; empty when nothing is."""
        size = self._file.readinto(self._buffer)
        return bytes(self._view[:size]) if size else b""

    def queued(self) -> int:
        """How many bytes of events are waiting (FIONREAD)."""
        size = array.array("i", [0])
        fcntl.ioctl(self._file.fileno(), termios.FIONREAD, size)
        return size[0]


def limit(name: str) -> int:
    """A limit of /proc/sys/fs/inotify, like max_user_watches."""
    with open(f"/proc/sys/fs/inotify/{name}", "rb") as file:
        return int(file.read())

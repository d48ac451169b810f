"""fanotify: groups, marks, and what read() returns, decoded. See man 7 fanotify.

What an event means for a tree, and which directory an identity stands for, is left to
those who read; permission events and marks on whole file systems are not offered.

An event names a directory by the file system's number and the file's handle, never by
a path. The same two can be asked for with `identity`, so they serve as a key.
"""

import errno
import os
import struct
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final, NamedTuple, cast

from gamin.events import DELETE_SELF, IS_DIR
from gamin.system import libc

RENAME = 0x1000_0000
"""Both halves of a rename in one event; the other bits are those of `gamin.events`."""
ON_CHILD = 0x0800_0000
ALWAYS = IS_DIR | ON_CHILD | DELETE_SELF
"""Part of every mark: subdirectories, entries, and the end of the directory."""

_CLOSE_ON_EXEC = 0x01
_NONBLOCKING = 0x02
_REPORT_DIRECTORY = 0x400
_REPORT_NAME = 0x800
_GROUP = _CLOSE_ON_EXEC | _NONBLOCKING | _REPORT_DIRECTORY | _REPORT_NAME

_ADD = 0x01
_REMOVE = 0x02
_ONLYDIR = 0x08

_EMPTY_PATH = 0x1000  # AT_EMPTY_PATH: the descriptor itself
_HANDLE_FID = 0x200  # AT_HANDLE_FID, Linux 6.5: enough that the handle identifies

VERSION = 3
METADATA = struct.Struct("=IBxHQii")  # size, version, own size, mask, fd, pid
RECORD_HEADER = 4  # bytes of kind and size, before the identity
RECORD = struct.Struct("=BxHQIi")  # kind, size, file system, handle: bytes and type
_IDENTITY = struct.Struct("=QIi")

FILE = 1  # what the kinds of records are about
ENTRY = 2
DIRECTORY = 3
OLD_ENTRY = 10
NEW_ENTRY = 12
_FIRST = (FILE, ENTRY, DIRECTORY, OLD_ENTRY)

SELF = b"."
"""The name in events that are about the directory of the identity itself."""

MAX_EVENT_BYTES = METADATA.size + 2 * (RECORD.size + libc.MAX_HANDLE_SIZE + 256)

# Only there os.statvfs returns the whole number of the file system.
_KNOWS_FILE_SYSTEMS = sys.maxsize > 2**32 and "CS_GNU_LIBC_VERSION" in os.confstr_names


class RawEvent(NamedTuple):
    """Several happenings in one, if the same process did the same thing repeatedly."""

    mask: int
    directory: bytes  # an identity; empty for an overflow and for an arrival by rename
    name: bytes  # SELF when the event is about `directory` itself
    new_directory: bytes = b""  # of a rename, if that directory is marked as well
    new_name: bytes = b""


new_raw_event: Final = cast(
    Callable[[tuple[int, bytes, bytes, bytes, bytes]], RawEvent],
    partial(tuple.__new__, RawEvent),
)
"""`RawEvent` from a tuple of all its fields, in a third of the class's time."""


def decode(buffer: bytes) -> Iterator[RawEvent]:
    """Split what one read() returned.

    Raises ValueError for what the kernel does not write to such a group. One long
    function: it is the greater part of what an event costs, and each call would add a
    tenth.
    """
    offset, end = 0, len(buffer)
    unpack, unpack_record = METADATA.unpack_from, RECORD.unpack_from
    new = new_raw_event
    try:
        while offset < end:
            size, version, own_size, mask, _, _ = unpack(buffer, offset)
            after = offset + size
            if (
                version != VERSION
                or not METADATA.size <= own_size <= size
                or after > end
            ):
                raise ValueError(f"event of {size} bytes, version {version}")
            directory = name = new_directory = new_name = b""
            offset += own_size
            while offset < after:
                kind, length, _, handle, _ = unpack_record(buffer, offset)
                names = offset + RECORD.size + handle
                identity = buffer[offset + RECORD_HEADER : names]
                offset += length
                if not names <= offset <= after:
                    raise ValueError(f"record of {length} bytes, handle of {handle}")
                if kind == NEW_ENTRY:
                    new_directory, new_name = (
                        identity,
                        buffer[names:offset].rstrip(b"\0"),
                    )
                elif kind in _FIRST:
                    directory, name = identity, buffer[names:offset].rstrip(b"\0")
                else:
                    raise ValueError(f"record of kind {kind}")
            yield new((mask, directory, name, new_directory, new_name))
    except struct.error as error:
        raise ValueError(f"the end in the middle of an event: {error}") from None


def identity(directory: int) -> bytes:
    """What events call the directory that is open as `directory` (O_PATH will do).

    OSError (EOPNOTSUPP) where the file system has no handles.
    """
    system = os.statvfs(directory).f_fsid
    # The kernel keeps two halves, the C library shifts them together.
    if sys.byteorder == "big":
        system = (system & 0xFFFF_FFFF) << 32 | system >> 32
    try:
        kind, handle = _handle(directory, _EMPTY_PATH | _HANDLE_FID)
    except OSError as error:
        if error.errno != errno.EINVAL:  # before Linux 6.5
            raise
        kind, handle = _handle(directory, _EMPTY_PATH)
    return _IDENTITY.pack(system, len(handle), kind) + handle


def _handle(directory: int, flags: int) -> tuple[int, bytes]:
    return libc.name_to_handle_at(directory, b"", flags)


def open_group() -> int:
    """A non-blocking descriptor, closed on exec.

    OSError: EMFILE when the user has `max_user_groups` already, EPERM or EINVAL where
    an ordinary user may not (before Linux 5.13), ENOSYS where there is none.
    """
    if not _KNOWS_FILE_SYSTEMS:
        raise OSError(errno.ENOSYS, "no way to ask for a file system's number")
    return libc.fanotify_init(_GROUP, os.O_RDONLY)


def mark(group: int, directory: int, mask: int) -> None:
    """Watch the directory that is open as `directory` for `mask` too.

    OSError: ENOSPC when the user has `max_user_marks` already; EACCES where it may not
    be read; EOPNOTSUPP, ENODEV, EXDEV where the file system has no handles or number;
    EINVAL before Linux 5.17 (RENAME).
    """
    libc.fanotify_mark(group, _ADD | _ONLYDIR, mask, directory, SELF)


def unmark(group: int, directory: int, mask: int) -> None:
    """Watch it for `mask` no more; the mark is gone when nothing is left of it.

    OSError (ENOENT) when there is no mark.
    """
    libc.fanotify_mark(group, _REMOVE | _ONLYDIR, mask, directory, SELF)


def limit(name: str) -> int:
    """A limit of /proc/sys/fs/fanotify, like max_user_marks."""
    with open(f"/proc/sys/fs/fanotify/{name}", "rb") as file:
        return int(file.read())

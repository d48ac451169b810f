"""The generation of an inode: two files that had the same number differ in it.

An inode's number is used again as soon as its file is removed. The kernel counts that
for NFS, whose clients must not mistake the next file for the last one. `statx` does not
report it, and the ioctl FS_IOC_GETVERSION needs an open file. Opening is not cheap for
somebody who only reports: it needs the right to read, blocks on a FIFO and starts a
device, breaks leases (of Samba's and NFS's clients), wakes scanners for viruses, and is
an event itself for whoever watches the file.

The handle that NFS would send has both numbers, too, and `name_to_handle_at` makes it
without opening anything. Its layout is the file system's own business and no interface.
So only the layouts below are read, and only if the inode in them is the one that `stat`
reports; otherwise the generation is not known.
"""

import ctypes
import struct

from gamin.system import libc

_AT_FDCWD = -100
_MASK_32 = 0xFFFF_FFFF
_HEADER = struct.Struct("=Ii")
"""The size of a handle and its type (struct file_handle)."""
_SHORT = struct.Struct("=IiII")
"""The same, and a handle of two numbers, which is the most frequent one."""
_MAX_BYTES = 32
"""Bytes of a handle that are read; those that are understood are shorter."""


class Generations:
    """Asks for generations. For one thread: there is one buffer for all questions."""

    def __init__(self) -> None:
        self._buffer = ctypes.create_string_buffer(_HEADER.size + _MAX_BYTES)
        self._mount = ctypes.c_int()
        # Made once: a call takes 2 µs of CPU time, and 3 with new ones.
        self._handle = ctypes.c_void_p(ctypes.addressof(self._buffer))
        self._point = ctypes.c_void_p(ctypes.addressof(self._mount))

    def of(self, path: bytes, inode: int) -> int | None:
        """That of the file `inode` at a path without NUL, of a link itself.

        None where the file system does not say, and if another file is at the path by
        now.
        """
        buffer = self._buffer
        _HEADER.pack_into(buffer, 0, _MAX_BYTES, 0)
        ask = libc.bare_name_to_handle_at
        if ask(_AT_FDCWD, path, self._handle, self._point, 0) < 0:
            return None
        size, kind, found, generation = _SHORT.unpack_from(buffer)
        if size == 8 and kind == 0x01:
            return generation if found == inode & _MASK_32 else None
        return decode(kind, buffer.raw[_HEADER.size : _HEADER.size + size], inode)


def decode(kind: int, handle: bytes, inode: int) -> int | None:
    """The generation in a handle; None for another inode or an unknown layout.

    >>> decode(0x01, struct.pack("=II", 12, 7), 12)
    7
    """
    # Literals, for a name in a pattern would match anything; see <linux/exportfs.h>.
    match kind, len(handle):
        case 0x01, 8:  # FILEID_INO32_GEN: ext4 and most others
            found, generation = struct.unpack("=II", handle)
            return generation if found == inode & _MASK_32 else None
        case 0x01, 12:  # the same, of tmpfs
            generation, low, high = struct.unpack("=III", handle)
            return generation if low | high << 32 == inode else None
        case 0x81, 12:  # FILEID_INO64_GEN, of XFS
            found, generation = struct.unpack("=QI", handle)
            return generation if found == inode else None
        case 0x4D, 20:  # FILEID_BTRFS_WITHOUT_PARENT; _ is the subvolume
            found, _, generation = struct.unpack("=QQI", handle)
            return generation if found == inode else None
        case _:
            return None

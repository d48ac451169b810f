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

import struct

from gamin.system import libc

_AT_FDCWD = -100

_MASK_32 = 0xFFFF_FFFF


def generation_of(path: bytes, inode: int) -> int | None:
    """That of the file `inode` at an absolute path, of a link itself.

    None where the file system does not say, and if another file is at the path by now.
    """
    try:
        kind, handle = libc.name_to_handle_at(_AT_FDCWD, path, 0)
    except OSError:
        return None
    return decode(kind, handle, inode)


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

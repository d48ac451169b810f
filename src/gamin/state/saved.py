"""The saved state of one watched tree, and its form as bytes.

A header says up to when the tree is known, and chunks hold its directories. What
changed later is in later chunks, so a directory may be in several: the last one holds.

Bytes from a file are not trusted: `unpack` returns values of which every part has its
type, or raises Damaged. The header has a digest of all chunks, so that it is detected
when one of them is another one than it was.
"""

import hashlib
import zlib
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from gamin.core.model.belief import DirectoryBelief

LEVEL = 1
"""The lowest level of zlib. Names shrink to a third; a higher level costs seconds."""
DIRECTORIES_PER_CHUNK = 128
"""Few enough that packing them delays nobody: a third of a millisecond."""
MAX_BYTES = 1 << 28
"""Bytes of an unpacked chunk: more cannot be right, whatever the packed bytes say."""

Identity = tuple[int, int]
"""Which directory it is: the file system's id and the inode number."""


class Damaged(Exception):
    """These bytes are not what was packed."""


class Directory(NamedTuple):
    """A directory as it is saved."""

    identity: Identity | None
    """None: not known for certain."""
    belief: DirectoryBelief


class Header(NamedTuple):
    """What a server knew of one tree at one moment, apart from its directories."""

    tick: int
    """Its clocks up to this tick can be answered."""
    floor: int
    """Its clocks from this tick on can be answered."""
    top: int
    """The number of the directory above all others."""
    complete_ns: int
    """Real time (ns) up to which all changes are part of it."""
    clock_offset_ns: int
    """How far the real-time clock was ahead of the monotonic one."""


_encoder = msgspec.msgpack.Encoder()
_directories = msgspec.msgpack.Decoder(list[Directory])
_header = msgspec.msgpack.Decoder(Header)


def pack(directories: Sequence[Directory]) -> bytes:
    """A chunk."""
    return zlib.compress(_encoder.encode(directories), LEVEL)


def unpack(chunk: bytes) -> list[Directory]:
    """Raises Damaged."""
    try:
        unpacked = zlib.decompressobj().decompress(chunk, MAX_BYTES)
        return _directories.decode(unpacked)
    except (zlib.error, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Damaged(str(error)) from error


def pack_header(header: Header) -> bytes:
    return _encoder.encode(header)


def unpack_header(data: bytes) -> Header:
    """Raises Damaged."""
    try:
        return _header.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Damaged(str(error)) from error


def chained(chain: bytes, data: bytes) -> bytes:
    """The digest of all data so far, from that of what came before."""
    return hashlib.blake2b(chain + data, digest_size=16).digest()

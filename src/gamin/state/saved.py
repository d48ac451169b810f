"""The saved state of one watched tree, and its form as bytes.

Bytes from a file are not trusted: `unpack` returns a value of which every part has its
type and every index leads to a directory, or raises Damaged.
"""

import hashlib
import zlib
from typing import NamedTuple

import msgspec

from gamin.core.model.belief import NONE, Belief

LEVEL = 1
"""The lowest level of zlib. Names shrink to a third; a higher level costs seconds."""
MAX_BYTES = 1 << 31
"""Bytes of an unpacked tree: more cannot be right, whatever the packed bytes say."""

Identity = tuple[int, int]
"""Which directory it is: the file system's id and the inode number."""


class Damaged(Exception):
    """These bytes are not what was packed."""


class SavedTree(NamedTuple):
    """What a server knew of one tree at one moment."""

    tick: int
    """Its clocks up to this tick can be answered."""
    complete_ns: int
    """Real time (ns) up to which all changes are part of it."""
    identities: tuple[Identity | None, ...]
    """Of the first directories of the belief. None: not known for certain."""
    belief: Belief
    clock_offset_ns: int = 0
    """How far the real-time clock was ahead of the monotonic one."""


def pack(tree: SavedTree) -> tuple[bytes, bytes]:
    """The bytes to store, and the digest that shows whether they were damaged."""
    data = zlib.compress(msgspec.msgpack.encode(tree), LEVEL)
    return data, digest(data)


def digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()


def unpack(data: bytes, expected_digest: bytes) -> SavedTree:
    """Raises Damaged."""
    if digest(data) != expected_digest:
        raise Damaged("the checksum is another one")
    decompressor = zlib.decompressobj()
    try:
        unpacked = decompressor.decompress(data, MAX_BYTES)
        tree = msgspec.msgpack.decode(unpacked, type=SavedTree)
    except (zlib.error, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Damaged(str(error)) from error
    _check(tree)
    return tree


def _check(tree: SavedTree) -> None:
    """Raises Damaged where an index leads nowhere."""
    directories = tree.belief.directories
    count = len(directories)
    if not 0 < count >= len(tree.identities):
        raise Damaged("there are fewer directories than identities")
    if directories[0].parent != NONE:
        raise Damaged("the first directory is below another one")
    for index, known in enumerate(directories):
        if not NONE <= known.parent < index and index:
            raise Damaged("a directory comes before the one above it")
        links = (*known.children, *known.tombstones, *(i for _, i in known.moved_away))
        if not all(0 < link < count for link in links):
            raise Damaged("a directory that is referred to is missing")
        if any(directories[child].parent != index for child in known.children):
            raise Damaged("a directory is in two places")

"""What clients of libgamin's language believed, as values and as bytes.

Such a client keeps no belief that it could compare, so the server keeps it: what each
connection asked for, and what was at each of these paths. Bytes from a file are not
trusted: `unpack_…` returns values of which every part has its type, or raises Damaged.
"""

import zlib
from typing import NamedTuple, TypeVar

import msgspec

from gamin.state.saved import LEVEL, MAX_BYTES, Damaged, Identity, chained


class ServerKey(NamedTuple):
    """A server: when it started, in seconds since 1970, and its process."""

    start: int
    pid: int


class ClientKey(NamedTuple):
    """A connection to a server."""

    start: int
    pid: int
    number: int


class Asked(NamedTuple):
    """A request as libgamin repeats it on its next connection."""

    sequence: int
    is_directory: bool
    path: bytes
    """As the client wrote it."""
    way: bytes
    """The absolute path."""


class PathBelief(NamedTuple):
    """What was at a path when its clients had received everything."""

    exists: bool
    identity: Identity | None = None
    """What it was; None: not known for certain."""
    files: bytes = b""
    """Names of the entries of a directory that are no directories, joined by "/"."""
    subdirectories: bytes = b""

    def entries(self) -> dict[bytes, bool]:
        """The names in the directory, and whether each is a directory."""
        found = dict.fromkeys(_split(self.files), False)
        return found | dict.fromkeys(_split(self.subdirectories), True)


class Completeness(NamedTuple):
    """Up to when the beliefs of a server are complete."""

    complete_ns: int
    """Real time (ns) up to which all changes were reported."""
    clock_offset_ns: int
    """How far the real-time clock was ahead of the monotonic one."""


class SavedClient(NamedTuple):
    key: ClientKey
    process: bytes
    """Which process it is; see `gamin.system.process_identity`."""
    asked: list[Asked]
    """Its requests, oldest first."""
    is_new: bool = False
    """It was not saved before."""
    replaces: ClientKey | None = None
    """The connection of the same client to an earlier server, if that is known."""


class PastClient(NamedTuple):
    """A connection to an earlier server."""

    key: ClientKey
    completeness: Completeness
    asked: list[Asked]


T = TypeVar("T")

_encoder = msgspec.msgpack.Encoder()
_asked = msgspec.msgpack.Decoder(list[Asked])
_belief = msgspec.msgpack.Decoder(PathBelief)
_completeness = msgspec.msgpack.Decoder(Completeness)
_DIGEST_BYTES = 16


def pack(value: "list[Asked] | PathBelief | Completeness", owner: bytes) -> bytes:
    """Bytes of a value. `owner` says whose it is, so that it is Damaged elsewhere."""
    data = zlib.compress(_encoder.encode(value), LEVEL)
    return chained(owner, data) + data


def unpack_asked(data: object, owner: bytes) -> list[Asked]:
    """Raises Damaged."""
    return _unpack(_asked, data, owner)


def unpack_belief(data: object, owner: bytes) -> PathBelief:
    """Raises Damaged."""
    return _unpack(_belief, data, owner)


def unpack_completeness(data: object, owner: bytes) -> Completeness:
    """Raises Damaged."""
    return _unpack(_completeness, data, owner)


def _unpack(decoder: "msgspec.msgpack.Decoder[T]", data: object, owner: bytes) -> T:
    if not isinstance(data, bytes):
        raise Damaged("no bytes where some belong")
    digest, packed = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
    if digest != chained(owner, packed):
        raise Damaged("the checksum is another one")
    try:
        return decoder.decode(zlib.decompressobj().decompress(packed, MAX_BYTES))
    except (zlib.error, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Damaged(str(error)) from error


def _split(names: bytes) -> list[bytes]:
    return names.split(b"/") if names else []

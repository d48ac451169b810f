"""The shared words: what a backend sees and what a client is told.

A `Change` is raw: something a backend noticed, in the kernel's order. `gamin.core`
makes a `Row` of it where somebody is to be told; an `Event` is what the public Python
face yields.
"""

from enum import Enum
from typing import Any, Final, NamedTuple

# What a backend can notice. The values are those of <sys/inotify.h> (man 7 inotify);
# fanotify uses the same numbers (man 7 fanotify), and polling makes them up. They are
# plain ints and not an IntFlag because they are tested once per change: `int &` takes
# 0.01 µs, `IntFlag &` 1.3 µs (measured on 3.11).
MODIFY: Final = 0x0000_0002
ATTRIB: Final = 0x0000_0004
CLOSE_WRITE: Final = 0x0000_0008
MOVED_FROM: Final = 0x0000_0040
MOVED_TO: Final = 0x0000_0080
CREATE: Final = 0x0000_0100
DELETE: Final = 0x0000_0200
DELETE_SELF: Final = 0x0000_0400
MOVE_SELF: Final = 0x0000_0800
UNMOUNT: Final = 0x0000_2000
OVERFLOW: Final = 0x0000_4000
IGNORED: Final = 0x0000_8000  # the watch is gone: removed, object deleted or unmounted
IS_DIR: Final = 0x4000_0000

BIT_NAMES = {
    MODIFY: "MODIFY",
    ATTRIB: "ATTRIB",
    CLOSE_WRITE: "CLOSE_WRITE",
    MOVED_FROM: "MOVED_FROM",
    MOVED_TO: "MOVED_TO",
    CREATE: "CREATE",
    DELETE: "DELETE",
    UNMOUNT: "UNMOUNT",
    OVERFLOW: "OVERFLOW",
    IGNORED: "IGNORED",
    IS_DIR: "IS_DIR",
}
"""For people: debug lines."""


class Change(NamedTuple):
    """One thing a backend noticed, in the order in which it happened."""

    node: Any
    """What `Backend.watch` was given; None when `mask` is OVERFLOW."""
    mask: int
    cookie: int
    """Nonzero and equal in both halves of a rename."""
    name: bytes
    """The entry of `node`; empty when `node` itself is meant."""


class Kind(Enum):
    """What happened to a path, as clients are told."""

    EXISTS = "exists"
    CREATED = "created"
    CHANGED = "changed"
    DELETED = "deleted"
    MOVED = "moved"

    __hash__ = object.__hash__  # each is the only one of its kind; Enum's is slow


class Row(NamedTuple):
    """One line of what a client is told; its path is absolute and real.

    An empty path speaks of the very path that was asked for.
    """

    kind: Kind
    path: bytes
    is_dir: bool
    source: bytes | None = None
    """Where a MOVED one was before."""
    is_new: bool = False
    """First seen after the clock the receiver had."""


class Event(NamedTuple):
    """One change of one path."""

    kind: Kind
    path: str
    """Absolute. Bytes that are not UTF-8 are surrogate escapes (`os.fsencode`)."""
    dest: str | None = None
    """Where it is now; set for `Kind.MOVED` only."""
    is_dir: bool = False
    recovered: bool = False
    """Found by comparing with the disk after changes were lost, not by notification."""

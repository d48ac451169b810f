"""The types that all parts share: what a backend detects, what a client receives.

A `Change` is raw: one thing that a backend detected, in the kernel's order. The core
turns changes into `Row`s for the clients that asked; an `Event` is what the public
Python interface yields.
"""

from collections.abc import Callable, Iterable
from enum import IntFlag, StrEnum
from functools import partial
from typing import Any, Final, NamedTuple, cast

# What a backend can detect. The values are those of <sys/inotify.h> (man 7 inotify);
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
"""The names of the bits in debug output."""


class Change(NamedTuple):
    """One thing that a backend detected."""

    node: Any
    """The object that was passed to `Backend.watch`; None when `mask` is OVERFLOW."""
    mask: int
    cookie: int
    """Nonzero and equal in both halves of a rename."""
    name: bytes
    """The entry of `node`; empty when `node` itself is meant."""


new_change: Final = cast(
    Callable[[tuple[Any, int, int, bytes]], Change],
    partial(tuple.__new__, Change),
)
"""`Change` from a tuple of all its fields, in half of the class's time."""

AnyChange = tuple[Any, int, int, bytes]
"""A `Change`, or a plain tuple of its fields: making that takes a quarter of the time,
which is a tenth of what the server needs for a change in a storm."""


class Kind(StrEnum):
    """What happened to a path. A member is also a `str`: `Kind.CREATED == "created"`.

    `EXISTS`: the path was there already when watching began, or is there now and nobody
    can say what changed. `CREATED`, `CHANGED` (content or attributes), `DELETED`.
    `MOVED`: renamed; the new path is `Event.dest`.
    """

    EXISTS = "exists"
    CREATED = "created"
    CHANGED = "changed"
    DELETED = "deleted"
    MOVED = "moved"


class Detail(IntFlag):
    """What exactly happened to a path, for a watch that asks for `details`.

    `CONTENT`: written or truncated. `ATTRIBUTES`: mode, owner, times or links.
    `CLOSED`: closed after it was open for writing. `RENAMED`, of a creation or a
    deletion: it came or went by a rename whose other end is not watched.
    """

    CONTENT = 1
    ATTRIBUTES = 2
    CLOSED = 4
    RENAMED = 8


class Row(NamedTuple):
    """One change as the core reports it; its path is absolute and real.

    An empty path means the very path that the client asked for.
    """

    kind: Kind
    path: bytes
    is_dir: bool
    source: bytes | None = None
    """The path before the rename; set for `Kind.MOVED` only."""
    is_new: bool = False
    """The path did not exist at the clock that the receiver has."""


AnyRow = tuple[Kind, bytes, bool, bytes | None, bool]
"""A `Row`, or a plain tuple of its fields: making that takes a quarter of the time, and
nearly everybody on the way to a client takes rows apart as tuples."""

new_row: Final = cast(
    Callable[[tuple[Kind, bytes, bool, bytes | None, bool]], Row],
    partial(tuple.__new__, Row),
)
"""`Row` from a tuple of all its fields, in a third of the class's time."""


def as_rows(rows: Iterable[AnyRow]) -> list[Row]:
    """The same rows, for somebody who asks for fields by name."""
    return [*map(new_row, rows)]


class Event(NamedTuple):
    """One change of one path, as `gamin.watch` and `gamin.awatch` yield it.

    It is a tuple: `kind, path, dest, is_dir, recovered = event` works, and two events
    with equal fields are equal.

    >>> event = Event(Kind.MOVED, "/src/a.py", "/src/b.py")
    >>> event.kind == "moved", event.dest, event.is_dir
    (True, '/src/b.py', False)
    """

    kind: Kind
    """What happened."""
    path: str
    """The absolute path. Bytes that are not UTF-8 are surrogate escapes, as everywhere
    in Python: `os.fsencode(event.path)` gives the bytes back."""
    dest: str | None = None
    """The new path; set for `Kind.MOVED` only."""
    is_dir: bool = False
    """True for a directory; a symbolic link is never one."""
    recovered: bool = False
    """True when the change was found by comparing with the disk after notifications
    were lost (overflow, server killed), not by a notification."""

    @property
    def details(self) -> "Detail | None":
        """What exactly happened; None if nobody knows, or if the watch did not ask for
        `details`."""
        return None


class DetailedEvent(Event):
    """An event of a watch with `details`."""

    bits = -1
    """Its details; negative if nobody knows."""

    @property
    def details(self) -> Detail | None:
        """What exactly happened; None if nobody knows."""
        return Detail(self.bits) if self.bits >= 0 else None


new_event: Final = cast(
    Callable[[tuple[Kind, str, str | None, bool, bool]], Event],
    partial(tuple.__new__, Event),
)
"""`Event` from a tuple of all its fields, in two thirds of the class's time."""


def detailed(event: Event, bits: int) -> DetailedEvent:
    """The event with its details; negative ones are unknown."""
    found = DetailedEvent(*event)
    found.bits = bits
    return found

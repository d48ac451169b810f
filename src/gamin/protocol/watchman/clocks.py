"""Points in time as clients write them: clocks, named cursors, and seconds.

A `Timeline` says what a tick means now; the core knows what changed since.
"""

import re
from typing import NamedTuple

from msgspec import Struct

from gamin.protocol.watchman.errors import BadRequest

_CLOCK = re.compile(r"c:([0-9]{1,20}):([0-9]{1,20}):([0-9]{1,20}):([0-9]{1,20})")
# "c:PID:TICK" of very old servers, and whatever else Watchman's own scanf accepts.
_OLD_CLOCK = re.compile(r"c:\s*[-+]?[0-9]+:\s*[-+]?[0-9]+")


class Clock(NamedTuple):
    """A tick of one root of one run of one server."""

    start: int
    """When the server started, in seconds."""
    pid: int
    root: int
    tick: int

    def __str__(self) -> str:
        return f"c:{self.start}:{self.pid}:{self.root}:{self.tick}"


class Cursor(Struct, frozen=True):
    """A clock that the server keeps under a name, and moves on with each query."""

    name: str


class Timestamp(Struct, frozen=True):
    """Seconds since 1970, from a client that has no clock."""

    seconds: int


class Stale(Struct, frozen=True):
    """A clock in a form that no server gives out today: start afresh."""


ClockSpec = Clock | Cursor | Timestamp | Stale


class Timeline(NamedTuple):
    """The ticks of one root that have a meaning now."""

    start: int
    pid: int
    root: int
    latest: int
    oldest: int = 0
    """What was deleted before this tick has been forgotten."""

    def clock(self, tick: int) -> Clock:
        return Clock(self.start, self.pid, self.root, tick)

    def resume(self, spec: ClockSpec) -> int | None:
        """Return the tick to continue from, or None to start afresh.

        The caller has exchanged cursors and times for a clock.
        """
        if not isinstance(spec, Clock) or spec[:3] != self[:3]:
            return None
        return spec.tick if self.oldest <= spec.tick <= self.latest else None


MAX_CURSOR_NAME = 1024
"""Characters of a named cursor; the server keeps a thousand of them."""


def parse_clockspec(value: object) -> ClockSpec:
    """Read a clockspec. Raises BadRequest for what is none."""
    match value:
        case str():
            return _parse_text(value)
        case bool():
            raise BadRequest("invalid clockspec")
        case int():
            return Timestamp(value)
        case {"scm": _}:
            raise BadRequest("clocks of source control are not supported")
        case {"clock": str(text)}:
            return _parse_text(text)
        case dict() if "clock" not in value:
            return Stale()
        case _:
            raise BadRequest("invalid clockspec")


def _parse_text(text: str) -> ClockSpec:
    if found := _CLOCK.fullmatch(text):
        return Clock(*map(int, found.groups()))
    if text.startswith("n:"):
        if len(text) > MAX_CURSOR_NAME:
            raise BadRequest("the name of the cursor is too long")
        return Cursor(text[2:])
    if _OLD_CLOCK.match(text):
        return Stale()
    raise BadRequest("invalid clockspec")

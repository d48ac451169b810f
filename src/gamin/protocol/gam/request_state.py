"""One request of a client of the libgamin protocol, and what the client knows of it.

After the server died, the belief is compared with the listing of the new one, because
the protocol cannot ask what changed. `client` numbers the requests and reads bytes.
"""

from collections.abc import Iterator
from typing import NamedTuple

from gamin.paths import is_within, join, relative
from gamin.protocol.gam.belief import Belief
from gamin.protocol.gam.packets import NO_EXISTS, EventCode, Packet, RequestCode

LATE_NS = 2_000_000_000
"""Nanoseconds by which an unreported change may be older than the last event. The
original server reports in batches, up to 1.1 s late, and a ctime comes from a clock
that advances about every 4 ms."""

# Looked up once: on 3.11 a member of an enum costs 0.1 µs each time.
_EXISTS, _END_EXIST = int(EventCode.EXISTS), int(EventCode.END_EXIST)


class Event(NamedTuple):
    """One event for the client. `code` is an `EventCode`, or one that this version does
    not know.

    `path` is the requested path if the event is about the path itself, otherwise the
    bare name of the entry.
    """

    number: int
    code: int
    path: bytes


class NeedsStat(NamedTuple):
    """Asks the caller to stat `path`, and to report `event` if it changed since
    `since_ns` (wall clock, nanoseconds)."""

    path: bytes
    since_ns: int
    event: Event


Received = Event | NeedsStat


class RequestState:
    """A request in force, or one whose Acknowledge is still to come."""

    __slots__ = (
        "_directory",
        "_known",
        "_last_event_ns",
        "_listed",
        "_no_exists",
        "_number",
        "_relisting",
        "cancelled",
        "path",
    )

    def __init__(
        self, number: int, path: bytes, *, directory: bool, no_exists: bool, now_ns: int
    ) -> None:
        self.path: bytes = path
        self.cancelled: bool = False
        self._number = number
        self._directory = directory
        self._no_exists = no_exists
        self._last_event_ns = now_ns
        self._known = Belief()
        self._relisting: Belief | None = None  # what a new server has listed so far
        self._listed = no_exists  # EndExist was reported, or never will be

    def encode(self) -> bytes:
        """The request's bytes. After a server's death it always asks for a listing."""
        code = RequestCode.DIRECTORY if self._directory else RequestCode.FILE
        options = NO_EXISTS if self._no_exists and self._relisting is None else 0
        return Packet(self._number, code | options, self.path).encode()

    def disconnected(self) -> None:
        """Compare the listing of the next server with the belief."""
        self._relisting = Belief()

    def received(self, code: int, path: bytes, now_ns: int) -> list[Received]:
        """Return what the client receives for an event of this request."""
        if self._relisting is not None:
            return self._compare(self._relisting, code, path, now_ns)
        self._last_event_ns = now_ns
        self._known.note(code, self._entry(path))
        if code == _END_EXIST:
            self._listed = True
        if self._no_exists and code in (_EXISTS, _END_EXIST):
            return []
        return [Event(self._number, code, path)]

    def _compare(
        self, relisting: Belief, code: int, path: bytes, now_ns: int
    ) -> list[Received]:
        """Collect the new listing; at its end, return the difference.

        Changes that arrive during the listing only make it newer: they are part of the
        difference, and none is lost or reported twice.
        """
        entry = self._entry(path)
        relisting.note(code, entry)
        match code:
            case EventCode.EXISTS | EventCode.DELETED:
                return []
            case EventCode.CREATED | EventCode.CHANGED:
                relisting.touched.add(entry)
                return []
            case EventCode.END_EXIST:
                received = list(self._difference(relisting))
                relisting.touched.clear()
                self._known, self._relisting = relisting, None
                self._last_event_ns, self._listed = now_ns, True
                return received
            case _:
                return [Event(self._number, code, path)]

    def _difference(self, relisting: Belief) -> Iterator[Received]:
        since_ns = self._last_event_ns - LATE_NS
        steps = self._known.steps_to(
            relisting, directory=self._directory, listed=self._listed
        )
        for code, entry, certain in steps:
            event = Event(self._number, code, entry or self.path)
            path = join(self.path, entry) if entry else self.path
            yield event if certain else NeedsStat(path, since_ns, event)
        if not self._listed:
            yield Event(self._number, EventCode.END_EXIST, self.path)

    def _entry(self, path: bytes) -> bytes:
        """The entry that an event is about; empty for the requested path itself."""
        if path == self.path:
            return b""
        if not path.startswith(b"/"):
            return path
        # The original server sometimes adds a slash to a directory's own path, and
        # sends an entry's whole path if the request ended in a slash.
        if is_within(path, self.path) or path.rstrip(b"/") == self.path.rstrip(b"/"):
            return relative(path, self.path).rstrip(b"/")
        return path

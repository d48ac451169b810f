"""One path that a client watches, what it asks about it, and what it knows of it."""

from typing import Any, NamedTuple

from gamin.protocol.watchman.client.belief import Belief
from gamin.protocol.watchman.codec.compact import EVENT_FIELDS

MAX_USUAL_DELAY_NS = 2_000_000_000
"""Nanoseconds by which an unreported change may be older than the last message: a busy
resource is reported once per second, and a polled one is read as often."""
COARSE_NS = 10_000_000
"""Nanoseconds by which a time stamp may be behind: they come from the kernel's coarse
clock (CONFIG_HZ=100)."""


class WatchOptions(NamedTuple):
    recursive: bool = True
    ignore: tuple[str, ...] = ()
    vcs_ignore: bool = False
    cross_mounts: bool = False
    initial: bool = False
    settle: float = 0.0
    """Report a path only after so many seconds in which nothing happened to it; the
    client holds its events (`settling`)."""
    details: bool = False
    """Say what exactly changed."""
    flow_control: bool = True
    """Report changes of a file that comes too often once a second."""
    follow_symlinks: bool = False
    """Report also what is behind links to directories."""
    unreadable: bool = False
    """Say which directories may not be read."""
    once: bool = False
    """The client leaves when it has received what happened since its clock: it needs no
    listing with which to find what a loss hid. An older server sends that."""
    wait_for_mounts: bool = True
    """False: the server refuses a new watch if a mount does not answer. An older
    server waits for it."""

    @property
    def required(self) -> list[str]:
        """The capabilities that the server must have beside REQUIRED."""
        return [
            *(["cmd-gamin-activity"] if self.settle else ()),
            *(["gamin-details"] if self.details else ()),
            *([] if self.flow_control else ["gamin-flow-control"]),
            *(["gamin-unreadable"] if self.unreadable else ()),
        ]


class WatchedPath:
    """One watched path, and what this client knows of it."""

    def __init__(
        self, key: str, text: str, clock: str | None, options: WatchOptions
    ) -> None:
        self.key = key
        """The name of its subscription."""
        self.text = text
        self.options = options
        self.clock = clock
        self.belief: Belief | None = None
        self.pictured_ns = 0
        """Wall-clock ns at which the server made the listing."""
        self.complete_until_ns = 0
        """Wall-clock ns up to which the server has reported everything not deferred."""
        self.inode: object = None
        """The server's identity (device, inode) of the object the path leads to."""
        self.is_answered = False
        self.is_link = False
        """It is a link below another path."""
        self.is_new = False
        """What is there at the beginning is reported as created."""
        self.is_added = False
        """It was added to a live watch."""
        self.unreadable: frozenset[str] = frozenset()
        """The directories that may not be read, relative to the path."""
        self.awaits_listing = False
        """The server cannot go on from our clock, and will send all names."""
        self.is_over = False

    @property
    def is_ready(self) -> bool:
        """Whether it is watched, and nothing from before is still to come; or over."""
        return self.is_over or (
            self.is_answered and self.belief is not None and not self.awaits_listing
        )

    @property
    def is_being_added(self) -> bool:
        """Whether a refusal concerns only whoever adds the path to a live watch."""
        return self.is_added and self.belief is None

    @property
    def since_ns(self) -> int:
        """Wall-clock ns; every change before it was reported, or is in the listing."""
        return max(
            self.complete_until_ns - MAX_USUAL_DELAY_NS, self.pictured_ns - COARSE_NS
        )

    @property
    def _waits_for_mounts(self) -> bool:
        """What was watched once goes on when its mount answers again."""
        return self.options.wait_for_mounts or self.belief is not None

    def query(self) -> dict[str, Any]:
        """The query to subscribe with."""
        options = self.options
        query = {
            "watch": True,
            "fields": list(EVENT_FIELDS),
            "recursive": options.recursive,
            "ignore": list(options.ignore),
            "vcs_ignore": options.vcs_ignore,
            "cross_mounts": options.cross_mounts,
            "names": True,
            # Without a listing a loss could not be found later.
            "initial": self.belief is None,
            # Another value than 0 is for the server to refuse, or waits in the client.
            "settle": min(options.settle, 0.0),
            "defer_vcs": False,
            **({"once": True} if options.once else {}),
            **({"details": True} if options.details else {}),
            **({} if options.flow_control else {"flow_control": False}),
            **({"unreadable": True} if options.unreadable else {}),
            **({} if self._waits_for_mounts else {"wait_for_mounts": False}),
        }
        return query if self.clock is None else {**query, "since": self.clock}

"""What a client subscribes to: the request, where it leads, and what was reported.

A subscription has four parts. The request never changes. Each other part changes only
by its own methods, and has one owner who decides when.
"""

from enum import Enum
from typing import Any, NamedTuple, Protocol

from gamin.core.model.audience import Audience
from gamin.core.model.node import Node

Place = tuple[Node | None, bytes | None, int]
"""Where a path leads: to a directory; with a name, to an entry of it that is no
directory; or nowhere. The tick says since when that very directory is there."""


class Scope(Enum):
    """How far down a subscription reaches."""

    FILE = "the path itself"
    DIRECTORY = "the path and its entries"
    TREE = "the path and everything below it"


class Ignore(Protocol):
    """Rules that exclude a part of a tree; paths are relative to the tree."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is ignored."""

    def ignored(self, path: bytes, is_dir: bool) -> bool:
        """Whether the path is ignored."""


class Request(NamedTuple):
    """What the client asked for."""

    client: Any
    """Who gets the rows; the core only passes it on."""
    client_key: int | str
    """The client's own name for it: a request number, or a subscription's name."""
    path: bytes
    """The path as the client wrote it."""
    scope: Scope
    directory_events_only: bool
    """As version 1 of the protocol wants it: the deletion of a directory is reported
    without its entries, and a file does not count as a directory."""
    ignore: Ignore | None
    cross_mounts: bool
    """A tree includes other file systems that are mounted in it."""
    wants_details: bool
    """Its client asks what exactly changed, and when a file is closed."""
    is_unthrottled: bool
    """Flow control does not defer the changes of files."""
    resolve_path: bytes
    """The absolute path to follow."""


class Target:
    """Where the path leads now. Owner: `coverage.need`, which binds it there."""

    __slots__ = ("entry", "excluded_mounts", "node", "prefix", "tick")

    def __init__(self) -> None:
        self.node: Node | None = None
        """The directory, or the directory of `entry`; None: the path leads nowhere."""
        self.entry: bytes | None = None
        """The name in `node`, if what is there is not a directory."""
        self.tick: int = 0
        """`node.created_tick` when it was bound: another one is another directory, or a
        file in another directory."""
        self.prefix: bytes = b""
        """The path of the directory it leads to, or last led to, with a slash."""
        self.excluded_mounts: frozenset[bytes] = frozenset()
        """Mount points below it that the tree does not include."""

    @property
    def place(self) -> Place:
        """The target as a value, to compare with another one."""
        return self.node, self.entry, self.tick

    def bind(self, node: Node | None, entry: bytes | None) -> None:
        """The path leads there now."""
        self.node, self.entry = node, entry
        self.tick = 0 if node is None else node.created_tick

    def set_prefix(self, prefix: bytes) -> None:
        self.prefix = prefix

    def release(self) -> None:
        """The path does not lead there any more."""
        self.node = None

    def exclude_mounts(self, points: frozenset[bytes]) -> None:
        self.excluded_mounts = points


class Resolution:
    """How the path was walked. Owner: `resolve.path_walk`."""

    __slots__ = ("blocked", "is_replaced", "is_resolved", "steps")

    def __init__(self) -> None:
        self.steps: list[tuple[Node, bytes]] = []
        """Directories and names on the path; when one changes, it is walked again."""
        self.blocked: bool = False
        """The path leads through a directory that no backend can watch."""
        self.is_resolved: bool = False
        """The first walk is over."""
        self.is_replaced: bool = False
        """Another object took the name that the path leads to."""

    def start_walk(self) -> None:
        """A walk begins; whether it is blocked is not known yet."""
        self.blocked = False

    def take_steps(self) -> list[tuple[Node, bytes]]:
        """Return the steps, of which none are left."""
        steps, self.steps = self.steps, []
        return steps

    def restore_steps(self, steps: list[tuple[Node, bytes]]) -> None:
        """A walk could not be finished: those of the walk before are right still."""
        self.steps = steps

    def block(self) -> None:
        self.blocked = True

    def finish(self) -> None:
        """A walk is over."""
        self.is_resolved = True

    def mark_replaced(self) -> None:
        self.is_replaced = True

    def take_replaced(self) -> bool:
        """Whether the object was replaced since this was asked last."""
        replaced, self.is_replaced = self.is_replaced, False
        return replaced


class Progress:
    """How far the first scan is, and what was reported. Owner: the parts of `apply`,
    which report; `deliver` says what a whole listing reported."""

    __slots__ = (
        "_suspended_tick",
        "current_target",
        "last_change",
        "pending_scans",
        "ready",
        "view_tick",
    )

    def __init__(self) -> None:
        self.pending_scans: int = 0
        """Scans of directories of a tree before it is ready."""
        self.ready: bool = False
        """The first scan is complete, so changes are reported."""
        self.current_target: Place | None = None
        """Where the path led according to the last rows that were reported."""
        self.last_change: int = 0
        """The tick at which the single entry that the path leads to last changed."""
        self.view_tick: int = 0
        """The tick at which its rules, or mounts in it, last hid or showed something.
        What the tree knows of entries says nothing of that."""
        self._suspended_tick: int | None = None
        """The tick up to which everything was reported; None: up to now."""

    @property
    def exists_for_client(self) -> bool:
        """Whether something is at the path, according to the last reported rows."""
        return self.current_target is not None and self.current_target[0] is not None

    def expect_scans(self, count: int) -> None:
        """The subscription is ready only after `count` more scans."""
        self.pending_scans += count

    def finish_scan(self) -> bool:
        """One of the expected scans is finished. Return whether it was the last."""
        if self.pending_scans == 0:
            return False
        self.pending_scans -= 1
        return self.pending_scans == 0

    def become_ready(self, place: Place) -> None:
        """The path was resolved and scanned for the first time."""
        self.ready = True
        self.current_target = place

    def announce(self, place: Place) -> None:
        """Rows are reported that say that the path leads there."""
        self.current_target = place

    def record_change(self, tick: int) -> None:
        """The single entry that the path leads to changed."""
        self.last_change = tick

    def suspend(self, tick: int) -> None:
        """What happens after `tick` is not reported until the path was walked."""
        if self._suspended_tick is None:
            self._suspended_tick = tick

    def resume(self) -> int | None:
        """The tick up to which everything was reported; None if nothing is missing. The
        caller reports the rest."""
        tick, self._suspended_tick = self._suspended_tick, None
        return tick

    def record_view_change(self, tick: int) -> None:
        """Something was hidden or shown that did not itself change."""
        self.view_tick = tick


_NOBODY = Audience(())


class Subscription:
    """One request of one client, with its target, its resolution and its progress."""

    __slots__ = ("_own_audience", "progress", "request", "resolution", "target")

    def __init__(
        self,
        client: Any,
        number: int | str,
        path: bytes,
        scope: Scope,
        *,
        directory_events_only: bool = False,
        ignore: Ignore | None = None,
        cross_mounts: bool = False,
        wants_details: bool = False,
        is_unthrottled: bool = False,
        way: bytes | None = None,
    ) -> None:
        self.request: Request = Request(
            client,
            number,
            path,
            scope,
            directory_events_only,
            ignore,
            cross_mounts,
            wants_details,
            is_unthrottled,
            path if way is None else way,
        )
        self.target: Target = Target()
        self.resolution: Resolution = Resolution()
        self.progress: Progress = Progress()
        self._own_audience: Audience | None = None

    def release(self) -> None:
        """It has ended. It and its audience refer to each other: without this, only
        the garbage collector, which runs rarely, would free what the client left."""
        self._own_audience = _NOBODY

    @property
    def own_audience(self) -> Audience:
        """The audience of this subscription alone. Made when it is first needed: most
        subscriptions of a client with thousands of files get no event."""
        own = self._own_audience
        if own is None:
            own = self._own_audience = Audience((self,))
        return own

    def __repr__(self) -> str:
        return (
            f"<Subscription {self.client}:{self.client_key} {self.path!r} {self.scope}>"
        )

    @property
    def client(self) -> Any:
        return self.request.client

    @property
    def client_key(self) -> int | str:
        return self.request.client_key

    @property
    def path(self) -> bytes:
        return self.request.path

    @property
    def scope(self) -> Scope:
        return self.request.scope

    @property
    def directory_events_only(self) -> bool:
        return self.request.directory_events_only

    @property
    def ignore(self) -> Ignore | None:
        return self.request.ignore

    @property
    def wants_details(self) -> bool:
        return self.request.wants_details

    @property
    def is_unthrottled(self) -> bool:
        return self.request.is_unthrottled

    @property
    def node(self) -> Node | None:
        return self.target.node

    @property
    def entry(self) -> bytes | None:
        return self.target.entry

    @property
    def prefix(self) -> bytes:
        return self.target.prefix

    @property
    def steps(self) -> list[tuple[Node, bytes]]:
        return self.resolution.steps

    @property
    def ready(self) -> bool:
        return self.progress.ready

    @property
    def current_target(self) -> Place | None:
        return self.progress.current_target

    @property
    def last_change(self) -> int:
        return self.progress.last_change

    @property
    def bound_directory(self) -> Node | None:
        """The directory that the path leads to, if it leads to one."""
        target = self.target
        return target.node if target.entry is None else None

    @property
    def is_unfiltered(self) -> bool:
        """Whether it covers everything below it."""
        ignore = self.request.ignore
        return not self.target.excluded_mounts and (ignore is None or ignore.is_empty)

    def covers_directory(self, path: bytes) -> bool:
        """Whether it covers the subdirectory `path` of its tree."""
        target = self.target
        if path in target.excluded_mounts:
            return False
        ignore = self.request.ignore
        if ignore is None or ignore.is_empty:
            return True
        return not ignore.ignored(path[len(target.prefix) :], True)

    def covers_entry(self, path: bytes, is_dir: bool) -> bool:
        """Whether its rules let an entry of a directory it covers be reported."""
        ignore = self.request.ignore
        if ignore is None or ignore.is_empty:
            return True
        return not ignore.ignored(path[len(self.target.prefix) :], is_dir)

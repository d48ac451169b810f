"""The session of one `watch()` or `awatch()`: its paths and how far each of them is.

`gamin.client` connects, waits, moves the bytes and reads the disk.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from typing import Any, Final, NamedTuple, cast

from gamin.errors import GaminError, RemoteProtocolError
from gamin.events import Event, Kind
from gamin.protocol.watchman.client.belief import Belief, difference
from gamin.protocol.watchman.client.decode import decode_and_apply
from gamin.protocol.watchman.client.events import events_of_kind
from gamin.protocol.watchman.client.session import ClientSession, Message, Reply
from gamin.protocol.watchman.codec.compact import EVENT_FIELDS, CompactMessage

REQUIRED = (
    "cmd-subscribe",
    "gamin-any-path",
    "gamin-ignore",
    "gamin-initial",
    "gamin-kind",
    "gamin-moved-from",
    "gamin-names",
    "gamin-settle-0",
    "gamin-surrogate-escapes",
)

MAX_USUAL_DELAY_NS = 2_000_000_000
"""Nanoseconds by which an unreported change may be older than the last message: a busy
resource is reported once per second, and a polled one is read as often."""
COARSE_NS = 10_000_000
"""Nanoseconds by which a time stamp may be behind: they come from the kernel's coarse
clock (CONFIG_HZ=100)."""


class WatchRefused(GaminError):
    """The server rejects the watch; the text says why."""


class WatchOptions(NamedTuple):
    recursive: bool = True
    ignore: tuple[str, ...] = ()
    vcs_ignore: bool = False
    cross_mounts: bool = False
    initial: bool = False
    settle: float = 0.0
    """Report a change only after so many seconds without another one."""


class Batch(NamedTuple):
    """Events to yield at once."""

    events: list[Event]
    clock: str | None
    """The `since` with which a later watch goes on after this batch."""


new_batch: Final = cast(
    Callable[[tuple[list[Event], str | None]], Batch],
    partial(tuple.__new__, Batch),
)
"""`Batch` from a tuple of all its fields, in half of the class's time."""


class NeedsStat(NamedTuple):
    """A batch that is complete only when the disk has been read.

    The question: which of the files have a ctime after `since_ns`, or are in a
    directory that came to its path after that? Everything in such a directory may be
    new, however old it is.
    """

    files: list[str]
    folders: list[str]
    """The directories that contain them, parents before their children."""
    since_ns: int
    events: list[Event]
    clock: str | None

    def batch(self, newer: Iterable[str]) -> Batch:
        """Complete the batch; `newer` are the files that changed. May be empty."""
        return Batch(self.events + _changed(newer), self.clock)


class _Path:
    """One watched path, and what this client knows of it."""

    def __init__(self, text: str, clock: str | None) -> None:
        self.text = text
        self.clock = clock
        self.belief: Belief | None = None
        self.pictured_ns = 0
        """Wall-clock ns at which the server made the listing."""
        self.complete_until_ns = 0
        """Wall-clock ns up to which the server has reported everything not deferred."""
        self.inode: object = None
        """The server's identity (device, inode) of the object the path leads to."""
        self.is_answered = False
        self.awaits_listing = False
        """The server cannot go on from our clock, and will send all names."""
        self.is_over = False

    @property
    def since_ns(self) -> int:
        """Wall-clock ns; every change before it was reported, or is in the listing."""
        return max(
            self.complete_until_ns - MAX_USUAL_DELAY_NS, self.pictured_ns - COARSE_NS
        )


class Watching:
    """The subscriptions of one `watch()`; outlives connections.

    After a reconnect send `start()` again: each path goes on from its clock. A server
    that cannot go on from there sends all names, and the session reports how they
    differ from those that it knew.
    """

    def __init__(
        self,
        paths: Sequence[str],
        options: WatchOptions,
        since: str | None = None,
    ) -> None:
        """`paths` are absolute; `since` is what `clock` said of the same paths.

        Raises ValueError for a `since` of another number of paths.
        """
        clocks = since.split(",") if since else [None] * len(paths)
        if len(clocks) != len(paths):
            raise ValueError(f"{len(clocks)} clocks for {len(paths)} paths")
        self._paths = [_Path(*pair) for pair in zip(paths, clocks, strict=True)]
        self._by_name = {str(number): path for number, path in enumerate(self._paths)}
        self._options = options
        self._session = ClientSession()

    @property
    def ready(self) -> bool:
        """Whether every path is watched, and nothing from before is still to come."""
        return all(
            path.is_over
            or (
                path.is_answered and path.belief is not None and not path.awaits_listing
            )
            for path in self._paths
        )

    @property
    def over(self) -> bool:
        """Whether the server has cancelled every path: nothing more will come."""
        return all(path.is_over for path in self._paths)

    @property
    def clock(self) -> str | None:
        """The `since` with which a later watch goes on from here; None if not known."""
        if len(self._paths) == 1:
            return self._paths[0].clock
        known = [path.clock for path in self._paths if path.clock is not None]
        return ",".join(known) if len(known) == len(self._paths) else None

    def clock_was_set_back(self, nanoseconds: int) -> None:
        """What happened since has times that are earlier by as much, at the most."""
        for path in self._paths:
            path.complete_until_ns -= nanoseconds
            path.pictured_ns -= nanoseconds

    def start(self) -> bytes:
        """Return the bytes to send first on a connection."""
        self._session = ClientSession()
        wishes = {"required": list(REQUIRED)}
        requests = [self._session.request("version", wishes)]
        for name, path in self._by_name.items():
            path.is_answered = False
            if not path.is_over:
                request = ("subscribe", path.text, name, self._query(path))
                requests.append(self._session.request(*request))
        return b"".join(requests)

    def received(self, data: bytes) -> list[Batch | NeedsStat]:
        """Return the batches that these bytes complete; none is empty.

        Raises WatchRefused if the server rejects the watch, and RemoteProtocolError.
        """
        batches: list[Batch | NeedsStat] = []
        for item in self._session.received(data):
            if isinstance(item, CompactMessage):
                batch: Batch | NeedsStat | None = self._on_rows(item)
            elif isinstance(item, Reply):
                self._replied(item)
                batch = None
            else:
                batch = self._on_message(item)
            if batch is not None:
                batches.append(batch)
        return batches

    def _query(self, path: _Path) -> dict[str, Any]:
        options = self._options
        query = {
            "watch": True,
            "fields": list(EVENT_FIELDS),
            "recursive": options.recursive,
            "ignore": list(options.ignore),
            "vcs_ignore": options.vcs_ignore,
            "cross_mounts": options.cross_mounts,
            "names": True,
            # Without a listing a loss could not be found later.
            "initial": path.belief is None,
            "settle": options.settle,
            "defer_vcs": False,
        }
        return query if path.clock is None else {**query, "since": path.clock}

    def _replied(self, reply: Reply) -> None:
        if reply.error is not None:
            raise WatchRefused(reply.error)
        if reply.request[0] == "subscribe":
            path = self._path(reply.request[2])
            path.is_answered = True
            path.awaits_listing = _is_of_another_root(
                path.clock, reply.value.get("clock")
            )

    def _on_rows(self, message: CompactMessage) -> Batch | None:
        name, clock, complete_until_ns, rows, recovered = message
        path = self._by_name.get(name) or self._path(name)
        belief = Belief() if path.belief is None else path.belief
        found = decode_and_apply(rows, path.text, belief, recovered=recovered)
        path.clock = clock
        if complete_until_ns is not None:
            path.complete_until_ns = complete_until_ns
        if not found:
            return None
        up_to = clock if len(self._paths) == 1 else self.clock
        return new_batch((found, up_to))

    def _on_message(self, message: Message) -> Batch | NeedsStat | None:
        path = self._path(message.subscription)
        value = message.value
        if value.get("canceled"):
            path.is_over = True
            return None
        clock = value.get("clock")
        if not isinstance(clock, str):
            raise RemoteProtocolError("no clock where one belongs")
        inode, path.inode = path.inode, value.get("inode", path.inode)
        if "names" in value:
            return self._on_listing(path, value, clock, is_other=inode != path.inode)
        complete_until_ns, recovered = (
            _complete_until_ns(value, path.complete_until_ns),
            bool(value.get("recovered")),
        )
        name, rows = message.subscription, _rows(value)
        return self._on_rows(
            CompactMessage(name, clock, complete_until_ns, rows, recovered)
        )

    def _on_listing(
        self, path: _Path, value: dict[str, Any], clock: str, *, is_other: bool
    ) -> Batch | NeedsStat | None:
        """Handle all names, sent at the start or because the server cannot go on.

        `is_other`: the path leads to another object than before.
        """
        before, now = path.belief, Belief.read(value)
        since, since_ns = path.clock, path.since_ns
        path.belief, path.clock = now, clock
        path.awaits_listing = False
        path.pictured_ns = path.complete_until_ns = _complete_until_ns(
            value, path.complete_until_ns
        )
        if not value.get("is_fresh_instance"):
            return None
        if before is not None:
            return self._recovered(path.text, before, now, since_ns, is_other=is_other)
        if since is None and not self._options.initial:
            return None
        if since is None:
            found = events_of_kind(
                Kind.EXISTS, _listed(now), path.text, recovered=False
            )
        else:
            found = _as_full_listing(now, path.text)
        return Batch(found, self.clock) if found else None

    def _recovered(
        self, text: str, before: Belief, now: Belief, since_ns: int, *, is_other: bool
    ) -> Batch | NeedsStat | None:
        differs = difference(before, now)
        found = events_of_kind(Kind.DELETED, differs.deleted, text, recovered=True)
        found += events_of_kind(Kind.CREATED, differs.created, text, recovered=True)
        prefix = text.rstrip("/") + "/"
        files, folders = (
            [prefix + name if name else text for name in names]
            for names in (differs.common, differs.folders)
        )
        if is_other:
            found += _changed(files)
        elif files:
            return NeedsStat(files, folders, since_ns, found, self.clock)
        return Batch(found, self.clock) if found else None

    def _path(self, name: object) -> _Path:
        path = self._by_name.get(name) if isinstance(name, str) else None
        if path is None:
            raise RemoteProtocolError(f"a subscription that nobody made: {name!r}")
        return path


def _is_of_another_root(before: str | None, now: object) -> bool:
    """Whether a server whose clock is `now` cannot continue from the clock `before`.

    A clock is that of a server, one of its roots, and a tick: the last of its parts.
    """
    if before is None or not isinstance(now, str):
        return False
    return before.rpartition(":")[0] != now.rpartition(":")[0]


def _changed(files: Iterable[str]) -> list[Event]:
    return [Event(Kind.CHANGED, path, recovered=True) for path in files]


def _rows(value: dict[str, Any]) -> str:
    text = value.get("rows", "")
    if not isinstance(text, str):
        raise RemoteProtocolError("rows that are no text")
    return text


def _listed(belief: Belief) -> Collection[tuple[str, bool]]:
    """Everything in the belief, without the watched directory itself."""
    return [entry for entry in belief.walk() if entry != ("", True)]


def _as_full_listing(belief: Belief, text: str) -> list[Event]:
    """Report everything that exists, in place of changes that nobody can name.

    No event at all would look like no change, so an empty directory, and a path that
    is missing, is reported itself.
    """
    found = events_of_kind(Kind.EXISTS, _listed(belief), text, recovered=True)
    if not found:
        kind = Kind.DELETED if belief.is_missing else Kind.EXISTS
        found = [Event(kind, text, None, not belief.is_missing, recovered=True)]
    return found


def _complete_until_ns(value: dict[str, Any], before: int) -> int:
    complete_until_ns = value.get("complete_until_ns")
    return complete_until_ns if isinstance(complete_until_ns, int) else before

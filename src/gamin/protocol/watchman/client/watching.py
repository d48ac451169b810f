"""The session of one `watch()` or `awatch()`: its paths and how far each of them is.

`gamin.client` connects, waits, moves the bytes and reads the disk.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import count
from typing import Any, Final, NamedTuple, cast

from gamin.errors import GaminError, RemoteProtocolError
from gamin.events import Event, Kind
from gamin.protocol.watchman.client import held_clock, members
from gamin.protocol.watchman.client.activity import COMMAND, Questions
from gamin.protocol.watchman.client.belief import Belief, difference
from gamin.protocol.watchman.client.decode import decode_and_apply, decode_detailed
from gamin.protocol.watchman.client.events import (
    events_of_kind,
    full_listing,
    listed_entries,
)
from gamin.protocol.watchman.client.held_clock import HeldChange
from gamin.protocol.watchman.client.replacement import Decode, with_deletions
from gamin.protocol.watchman.client.session import ClientSession, Message, Reply
from gamin.protocol.watchman.client.watched_path import WatchedPath, WatchOptions
from gamin.protocol.watchman.codec.compact import CompactMessage

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


class WatchRefused(GaminError):
    """The server rejects the watch; the text says why."""


class Batch(NamedTuple):
    """Events to yield at once."""

    events: list[Event]
    clock: str | None
    """The `since` with which a later watch goes on after this batch."""
    key: str = ""
    """Which of the paths it is about."""


new_batch: Final = cast(
    Callable[[tuple[list[Event], str | None, str]], Batch],
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
    key: str = ""

    def batch(self, newer: Iterable[str]) -> Batch:
        """Complete the batch; `newer` are the files that changed. May be empty."""
        return Batch(self.events + _changed(newer), self.clock, self.key)


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
        *,
        has_clock: bool = True,
    ) -> None:
        """`paths` are absolute; `since` is what `clock` said of the same paths.
        `has_clock`: `clock` is wanted, which is made for every batch of all the paths.

        Raises ValueError for a `since` of another number of paths, or a damaged one.
        """
        self.held: list[HeldChange]
        """What an earlier watch, whose clock `since` is, had not reported yet."""
        since, self.held = held_clock.split(since)
        clocks = since.split(",") if since else [None] * len(paths)
        if len(clocks) != len(paths):
            raise ValueError(f"{len(clocks)} clocks for {len(paths)} paths")
        self.settle: float = options.settle
        self._options = options
        self._has_clock = has_clock
        self._numbers = count()
        self._by_name: dict[str, WatchedPath] = {}
        for text, clock in zip(paths, clocks, strict=True):
            self._make(text, clock, options)
        self._leaving: set[str] = set()
        """Keys of paths that were taken away, and whose messages may still come."""
        self._refusals: dict[str, str] = {}
        """Why the server rejected paths that were added, by key."""
        self._session = ClientSession()
        self.questions: Questions = Questions()

    @property
    def ready(self) -> bool:
        """Whether every path is watched, and nothing from before is still to come."""
        return all(path.is_ready for path in self._by_name.values())

    @property
    def over(self) -> bool:
        """Whether the server has cancelled every path: nothing more will come."""
        # A loop, for this is asked before each wait, and `all` takes twice as long.
        for path in self._by_name.values():
            if not path.is_over:
                return False
        return bool(self._by_name)

    @property
    def clock(self) -> str | None:
        """The `since` with which a later watch goes on from here; None if not known."""
        if not self._has_clock:
            return None
        if len(self._by_name) == 1:
            [only] = self._by_name.values()
            return None if only.is_link else only.clock
        known = [path.clock for path in self._by_name.values() if not path.is_link]
        clocks = [clock for clock in known if clock is not None]
        return ",".join(clocks) if clocks and len(clocks) == len(known) else None

    def belief(self, text: str) -> Belief:
        """What is known to be at the path. Empty before its listing was received."""
        for path in self._by_name.values():
            if path.text == text and path.belief is not None:
                return path.belief
        return Belief()

    def clock_was_set_back(self, nanoseconds: int) -> None:
        """What happened since has times that are earlier by as much, at the most."""
        for path in self._by_name.values():
            path.complete_until_ns -= nanoseconds
            path.pictured_ns -= nanoseconds

    def start(self) -> bytes:
        """Return the bytes to send first on a connection."""
        self._session = ClientSession()
        self._leaving.clear()
        self.questions.begin(self._session)
        paths = self._by_name.values()
        more = {name for path in paths for name in path.options.required}
        wishes = {"required": [*REQUIRED, *sorted(more)]}
        requests = [self._session.request("version", wishes)]
        for path in paths:
            path.is_answered = False
            if not path.is_over:
                requests.append(self._subscribe(path))
        return b"".join(requests)

    # -- more paths, and fewer

    def add(self, text: str, options: WatchOptions | None = None) -> tuple[str, bytes]:
        """Watch one more path. Return its key, and the bytes to send on a connection
        that has begun already."""
        path = self._make(text, None, options or self._options)
        path.is_added = True
        return path.key, self._subscribe(path)

    def add_link(self, text: str, *, is_new: bool) -> tuple[str, bytes]:
        """As `add`, for a link below a path: its clock is no part of the watch's.
        `is_new`: what is behind it is reported as created."""
        key, request = self.add(text)
        path = self._by_name[key]
        path.is_link, path.is_new = True, is_new
        return key, request

    def remove(self, key: str) -> bytes:
        """Watch a path no more. Return the bytes to send on a connection that has begun
        already. Raises KeyError if it is not watched."""
        path = self._by_name.pop(key)
        self._leaving.add(key)
        return self._session.request("unsubscribe", path.text, key)

    def keys_of(self, text: str) -> list[str]:
        """The keys of a path, in the order in which it was added."""
        return [key for key, path in self._by_name.items() if path.text == text]

    def is_ready(self, key: str) -> bool:
        """Whether the path is watched, or never will be (`take_refusal`)."""
        path = self._by_name.get(key)
        return path is None or path.is_ready

    def take_refusal(self, key: str) -> str | None:
        """Why the server rejected a path that was added; None if it did not."""
        return self._refusals.pop(key, None)

    @property
    def follows_links(self) -> bool:
        """Whether links to directories are to be followed."""
        return self._options.follow_symlinks and self._options.recursive

    def paths(self) -> list[tuple[str, str]]:
        """The key and the text of each path."""
        return [(key, path.text) for key, path in self._by_name.items()]

    def entries(self, key: str, below: str = "") -> list[tuple[str, frozenset[str]]]:
        """The known directories below a path and the names in each: all, relative to
        the path, or those at and below the absolute path `below`, relative to that."""
        path = self._by_name.get(key)
        belief = None if path is None else path.belief
        if path is None or belief is None:
            return []
        inner = below[len(path.text.rstrip("/")) + 1 :] if below else ""
        prefix = inner + "/" if inner else ""
        return [
            (name[len(prefix) :], frozenset(belief.names(name)))
            for name in belief.folders
            if name == inner or name.startswith(prefix)
        ]

    @property
    def unreadable(self) -> list[str]:
        """The directories that may not be read, where the options ask for them."""
        return sorted(
            f"{path.text.rstrip('/')}/{name}" if name else path.text
            for path in self._by_name.values()
            for name in path.unreadable
        )

    def _make(self, text: str, clock: str | None, options: WatchOptions) -> WatchedPath:
        key = str(next(self._numbers))
        path = self._by_name[key] = WatchedPath(key, text, clock, options)
        return path

    def _subscribe(self, path: WatchedPath) -> bytes:
        return self._session.request("subscribe", path.text, path.key, path.query())

    # -- what comes in

    def received(self, data: bytes) -> list[Batch | NeedsStat]:
        """Return the batches that these bytes complete; none is empty.

        Raises WatchRefused if the server rejects the watch, and RemoteProtocolError.
        """
        batches: list[Batch | NeedsStat] = []
        for item in self._session.received(data):
            if not isinstance(item, Reply) and item.subscription in self._leaving:
                continue
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

    def _replied(self, reply: Reply) -> None:
        command, *arguments = reply.request
        if command == COMMAND:
            self.questions.answered(reply)
            return
        if command == "unsubscribe":
            self._leaving.discard(str(arguments[1]))
            return
        path = self._by_name.get(str(arguments[1])) if command == "subscribe" else None
        if reply.error is not None:
            if command == "subscribe" and (path is None or path.is_being_added):
                if path is not None:
                    del self._by_name[path.key]
                    self._refusals[path.key] = reply.error
                return
            raise WatchRefused(reply.error)
        if path is not None:
            path.is_answered = True
            path.awaits_listing = members.is_of_another_root(
                path.clock, reply.value.get("clock")
            )

    def _on_rows(self, message: CompactMessage) -> Batch | None:
        name, clock, complete_until_ns, rows, recovered = message
        path = self._by_name.get(name) or self._path(name)
        belief = Belief() if path.belief is None else path.belief
        is_detailed = path.options.details
        decode: Decode = decode_detailed if is_detailed else decode_and_apply
        if path.options.settle and path.belief is not None:
            decode = with_deletions(decode, is_detailed=is_detailed)
        if not rows and path.options.once:  # nothing from before is still to come
            path.belief, path.awaits_listing = belief, False
        found = decode(rows, path.text, belief, recovered=recovered)
        path.clock = clock
        if complete_until_ns is not None:
            path.complete_until_ns = complete_until_ns
        if not found:
            return None
        up_to = clock if len(self._by_name) == 1 else self.clock
        return new_batch((found, up_to, name))

    def _on_message(self, message: Message) -> Batch | NeedsStat | None:
        path = self._path(message.subscription)
        value = message.value
        if value.get("canceled"):
            path.is_over = True
            return None
        clock = value.get("clock")
        if not isinstance(clock, str):
            raise RemoteProtocolError("no clock where one belongs")
        if "unreadable" in value:
            path.unreadable = members.unreadable(value["unreadable"])
        inode, path.inode = path.inode, value.get("inode", path.inode)
        if "names" in value:
            return self._on_listing(path, value, clock, is_other=inode != path.inode)
        until_ns = members.complete_until_ns(value, path.complete_until_ns)
        name, rows = message.subscription, members.rows(value)
        recovered = bool(value.get("recovered"))
        return self._on_rows(CompactMessage(name, clock, until_ns, rows, recovered))

    def _on_listing(
        self, path: WatchedPath, value: dict[str, Any], clock: str, *, is_other: bool
    ) -> Batch | NeedsStat | None:
        """Handle all names, sent at the start or because the server cannot go on.

        `is_other`: the path leads to another object than before.
        """
        before, now = path.belief, Belief.read(value)
        since, since_ns = path.clock, path.since_ns
        path.belief, path.clock = now, clock
        path.awaits_listing = False
        path.pictured_ns = path.complete_until_ns = members.complete_until_ns(
            value, path.complete_until_ns
        )
        if not value.get("is_fresh_instance"):
            return None
        if before is not None:
            return self._recovered(path, before, now, since_ns, is_other=is_other)
        if since is None and not (path.options.initial or path.is_new):
            return None
        if since is None:
            kind = Kind.CREATED if path.is_new else Kind.EXISTS
            entries = listed_entries(now)
            found = events_of_kind(kind, entries, path.text, recovered=False)
        else:
            found = full_listing(now, path.text)
        return Batch(found, self.clock, path.key) if found else None

    def _recovered(
        self,
        path: WatchedPath,
        before: Belief,
        now: Belief,
        since_ns: int,
        *,
        is_other: bool,
    ) -> Batch | NeedsStat | None:
        text, key = path.text, path.key
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
            return NeedsStat(files, folders, since_ns, found, self.clock, key)
        return Batch(found, self.clock, key) if found else None

    def _path(self, name: object) -> WatchedPath:
        path = self._by_name.get(name) if isinstance(name, str) else None
        if path is None:
            raise RemoteProtocolError(f"a subscription that nobody made: {name!r}")
        return path


def _changed(files: Iterable[str]) -> list[Event]:
    return [Event(Kind.CHANGED, path, recovered=True) for path in files]

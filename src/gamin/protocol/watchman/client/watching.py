"""What `watch()` and `awatch()` know: paths, their subscriptions, how far each is.

Moving bytes, connecting, waiting and looking at the disk are left to the faces in
`gamin.client`.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

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

# How much older than the last message a change may be that was not told: a resource
# that goes on changing is told once per second, and polled ones are looked at as often.
MAX_USUAL_DELAY_NS = 2_000_000_000
# Time stamps come from the kernel's coarse clock, up to 10 ms behind (CONFIG_HZ=100).
COARSE_NS = 10_000_000


class WatchRefused(GaminError):
    """The server will not watch; its text says why."""


class WatchOptions(NamedTuple):
    recursive: bool = True
    ignore: tuple[str, ...] = ()
    vcs_ignore: bool = False
    cross_mounts: bool = False
    initial: bool = False
    settle: float = 0.0
    """Seconds of silence to wait for before telling."""


class Batch(NamedTuple):
    """What is to be yielded at once."""

    events: list[Event]
    clock: str | None
    """What to give as `since` to go on after it."""


class NeedsStat(NamedTuple):
    """A batch that is not complete before somebody looked at the disk.

    Which of the files have a ctime after `since_ns`, or are in a directory that came
    to its place after that? All that is in it may be other than it was, however old.
    """

    files: list[str]
    folders: list[str]
    """The directories they are in and those above, parents before their children."""
    since_ns: int
    events: list[Event]
    clock: str | None

    def batch(self, newer: Iterable[str]) -> Batch:
        """Complete, as there are these among the files; may be empty."""
        return Batch(self.events + _changed(newer), self.clock)


class _Path:
    """One path that is watched, and what we know of it."""

    def __init__(self, text: str, clock: str | None) -> None:
        self.text = text
        self.clock = clock
        self.picture: Belief | None = None
        self.pictured_ns = 0
        """Real time at which the picture was taken."""
        self.complete_until_ns = 0
        """Real time up to which the server told all but what it held back."""
        self.inode: object = None
        """What the server said of which object the path leads to."""
        self.is_answered = False
        self.awaits_listing = False
        """The server cannot go on from our clock, and will send all names."""
        self.is_over = False

    @property
    def since_ns(self) -> int:
        """No change that was told or is in the picture has to be younger."""
        return max(
            self.complete_until_ns - MAX_USUAL_DELAY_NS, self.pictured_ns - COARSE_NS
        )


class Watching:
    """The subscriptions of one `watch()`; outlives connections.

    After a reconnect send `start()` again: each path goes on from its clock. A server
    that cannot go on from there sends all the names there are, and what is told then
    is how they differ from those that were known.
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
                path.is_answered
                and path.picture is not None
                and not path.awaits_listing
            )
            for path in self._paths
        )

    @property
    def over(self) -> bool:
        """Whether the server will never tell anything again."""
        return all(path.is_over for path in self._paths)

    @property
    def clock(self) -> str | None:
        """What to give as `since` to go on from here; None while not yet known."""
        if len(self._paths) == 1:
            return self._paths[0].clock
        known = [path.clock for path in self._paths if path.clock is not None]
        return ",".join(known) if len(known) == len(self._paths) else None

    def start(self) -> bytes:
        """What to send first on a connection."""
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
        """What these bytes complete; no batch is empty.

        Raises Refused if the server will not watch, and RemoteProtocolError.
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
            # Without a picture there would be no telling what was lost.
            "initial": path.picture is None,
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
        picture = Belief() if path.picture is None else path.picture
        found = decode_and_apply(rows, path.text, picture, recovered=recovered)
        path.clock = clock
        if complete_until_ns is not None:
            path.complete_until_ns = complete_until_ns
        if not found:
            return None
        up_to = clock if len(self._paths) == 1 else self.clock
        return tuple.__new__(Batch, (found, up_to))

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
        """The server sent all names: to begin with, or because it lost track.

        `is_other`: the path leads to another object than before.
        """
        before, now = path.picture, Belief.read(value)
        since, since_ns = path.clock, path.since_ns
        path.picture, path.clock = now, clock
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


def _listed(picture: Belief) -> Collection[tuple[str, bool]]:
    """A directory itself is not one of the things that are in it."""
    return [entry for entry in picture.walk() if entry != ("", True)]


def _as_full_listing(picture: Belief, text: str) -> list[Event]:
    """What stands for changes that nobody can say: all there is.

    Nothing would say nothing, so of an empty directory, and of a path that is not
    there, itself is told.
    """
    found = events_of_kind(Kind.EXISTS, _listed(picture), text, recovered=True)
    if not found:
        kind = Kind.DELETED if picture.is_missing else Kind.EXISTS
        found = [Event(kind, text, None, not picture.is_missing, recovered=True)]
    return found


def _complete_until_ns(value: dict[str, Any], before: int) -> int:
    complete_until_ns = value.get("complete_until_ns")
    return complete_until_ns if isinstance(complete_until_ns, int) else before

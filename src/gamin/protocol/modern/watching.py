"""What `watch()` and `awatch()` know: paths, their subscriptions, how far each is.

Moving bytes, connecting and waiting are left to the faces in `gamin.client`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gamin.errors import GaminError, RemoteProtocolError
from gamin.events import Event
from gamin.protocol.modern.client import ClientSession, Message, Reply
from gamin.protocol.modern.encoder import EVENT_FIELDS
from gamin.protocol.modern.row_events import events

REQUIRED = (
    "cmd-subscribe",
    "gamin-any-path",
    "gamin-kind",
    "gamin-moved-from",
    "gamin-settle-0",
    "gamin-surrogate-escapes",
)


class Refused(GaminError):
    """The server will not watch; its text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchOptions:
    recursive: bool = True
    ignore: tuple[str, ...] = ()
    vcs_ignore: bool = True
    cross_mounts: bool = False
    initial: bool = False
    settle: float = 0.0
    """Seconds of silence to wait for before telling."""


class Watching:
    """The subscriptions of one `watch()`; outlives connections.

    After a reconnect send `start()` again: each path goes on from its clock.
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
        self._paths = tuple(paths)
        self._options = options
        self._clocks: list[str | None] = list(clocks)
        self._numbers = {str(number): number for number in range(len(paths))}
        self._unready = set(self._numbers.values())
        self._standing = set(self._numbers.values())
        self._unlisted: set[int] = set()  # still wait for their first list of files
        self._session = ClientSession()

    @property
    def ready(self) -> bool:
        """Whether every path is really watched."""
        return not self._unready

    @property
    def over(self) -> bool:
        """Whether the server will never tell anything again."""
        return not self._standing

    @property
    def clock(self) -> str | None:
        """What to give as `since` to go on from here; None while not yet known."""
        known = [clock for clock in self._clocks if clock is not None]
        return ",".join(known) if len(known) == len(self._clocks) else None

    def start(self) -> bytes:
        """What to send first on a connection."""
        self._session = ClientSession()
        self._unready = set(self._standing)
        self._unlisted = {
            number
            for number in self._standing
            if self._options.initial and self._clocks[number] is None
        }
        wishes = {"required": list(REQUIRED)}
        requests = [self._session.request("version", wishes)]
        for number in sorted(self._standing):
            query = self._query(self._clocks[number])
            requests.append(
                self._session.request(
                    "subscribe", self._paths[number], str(number), query
                )
            )
        return b"".join(requests)

    def received(self, data: bytes) -> list[list[Event]]:
        """The batches of events that these bytes complete; none is empty.

        Raises Refused if the server will not watch, and RemoteProtocolError.
        """
        batches = []
        for item in self._session.received(data):
            if isinstance(item, Reply):
                self._replied(item)
            elif batch := self._told(item):
                batches.append(batch)
        return batches

    def _query(self, since: str | None) -> dict[str, Any]:
        options = self._options
        query = {
            "watch": True,
            "fields": list(EVENT_FIELDS),
            "recursive": options.recursive,
            "ignore": list(options.ignore),
            "vcs_ignore": options.vcs_ignore,
            "cross_mounts": options.cross_mounts,
            "initial": options.initial,
            "settle": options.settle,
            "defer_vcs": False,
        }
        return query if since is None else {**query, "since": since}

    def _replied(self, reply: Reply) -> None:
        if reply.error is not None:
            raise Refused(reply.error)
        if reply.request[0] != "subscribe":
            return
        number = self._number(reply.request[2])
        self._unready.discard(number)
        # With a list or with `since` there may be more to tell before that clock.
        if self._clocks[number] is None and number not in self._unlisted:
            self._clocks[number] = _clock(reply.value)

    def _told(self, message: Message) -> list[Event]:
        number = self._number(message.subscription)
        value = message.value
        if value.get("canceled"):
            self._standing.discard(number)
            return []
        # A whole list that we did not wait for stands for changes that were lost.
        lost = bool(value.get("is_fresh_instance")) and number not in self._unlisted
        self._unlisted.discard(number)
        self._clocks[number] = _clock(value)
        return events(
            value.get("files", ()),
            self._paths[number],
            recovered=lost or bool(value.get("recovered")),
        )

    def _number(self, name: object) -> int:
        if name not in self._numbers:
            raise RemoteProtocolError(f"a subscription that nobody made: {name!r}")
        return self._numbers[str(name)]


def _clock(value: dict[str, Any]) -> str:
    clock = value.get("clock")
    if not isinstance(clock, str):
        raise RemoteProtocolError("no clock where one belongs")
    return clock

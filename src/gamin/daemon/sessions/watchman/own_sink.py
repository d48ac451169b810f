"""Subscribers of the server itself: what it does by itself when files of a root change.

A root's `.watchmanconfig` asks for it: files are hashed before a client wants to know
(`content_hash_warming`), and the projects that symlinks lead to are watched, too
(`watch_symlinks`). While that goes on the sink is blocked, so what happens meanwhile is
one difference afterwards.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from gamin.core.deliver.cursor import Cursor
from gamin.daemon.sessions.watchman.content_hashes import Reading
from gamin.daemon.sessions.watchman.delivery import Delivery, FileRows
from gamin.daemon.sessions.watchman.hashing_subscription import ReadContents
from gamin.daemon.sessions.watchman.root import Root
from gamin.daemon.sessions.watchman.states import StateChange
from gamin.daemon.sessions.watchman.subscriber import Subscriber
from gamin.protocol.watchman.clocks import Clock
from gamin.protocol.watchman.codec.codec import Codec
from gamin.protocol.watchman.query.file_row import FileRow
from gamin.protocol.watchman.query.query import Query, parse_query


class _Unconcerned:
    """What a `Sink` of the server need not know."""

    def state_changed(self, root: bytes, clock: Clock, change: StateChange) -> None:
        """It works whatever is asserted."""

    def canceled(self, root: bytes) -> None:
        """Nobody waits for an answer."""

    def flush(self) -> None:
        """Nothing to send."""


class OwnSink(_Unconcerned, ABC):
    """A `Sink` of the server. A subclass begins its work with the files that exist, and
    calls `go_on` at its end."""

    codec: Codec | None = None

    def __init__(self, root: Root, file_type: str) -> None:
        """`file_type` says which files it is for, as the term `type` does."""
        self.root = root
        self.is_blocked: bool = False
        asked = {"fields": ["name"], "expression": ["type", file_type]}
        query: Query = parse_query(asked).sharing_key()
        # No root has this number, so it begins with all that is there, in slices.
        cursor = Cursor(-1, 0, is_behind=True)
        self.subscriber: Subscriber | None = Subscriber(self, query, cursor)

    def begin(self) -> None:
        """The root is ready."""
        assert self.subscriber is not None
        self.root.add(self.subscriber)
        self.root.catch_up(self.subscriber)

    @abstractmethod
    def work(self, rows: Sequence[FileRow]) -> None:
        """Do what this sink is for with these files, and then call `go_on`."""

    def go_on(self) -> None:
        """It is done with these files."""
        self.is_blocked = False
        subscriber = self.subscriber
        if subscriber is not None and subscriber.cursor.is_behind:
            self.root.catch_up(subscriber)

    def deliver(self, delivery: Delivery) -> None:
        assert isinstance(delivery.rows, FileRows)  # its query has fields of files
        rows = [row for row in delivery.rows.rows if row.exists]
        if rows:
            self.is_blocked = True
            self.work(rows)

    def removed(self) -> None:
        self.subscriber = None


class Warming(OwnSink):
    """Has files hashed as soon as they changed."""

    def __init__(self, root: Root, read: ReadContents) -> None:
        super().__init__(root, "f")
        self._read = read
        self._reading: Reading | None = None

    def work(self, rows: Sequence[FileRow]) -> None:
        most = self.root.config.content_hash_max_warm_per_settle
        if most:
            self._reading = self._read(rows[:most], self.go_on)
        else:
            self.is_blocked = False

    def removed(self) -> None:
        super().removed()
        if self._reading is not None:
            self._reading.cancel()

    def __str__(self) -> str:
        return "content_hash_warming"


class FollowedLinks(OwnSink):
    """Has the targets of symlinks watched."""

    def __init__(
        self,
        root: Root,
        follow: Callable[[Sequence[bytes], Callable[[], None]], None],
    ) -> None:
        """`follow` is called with the paths of symlinks, and with what to call when
        that is done."""
        super().__init__(root, "l")
        self._follow = follow

    def work(self, rows: Sequence[FileRow]) -> None:
        self._follow([self.root.prefix + row.name for row in rows], self.go_on)

    def __str__(self) -> str:
        return "watch_symlinks"

"""A subscription whose rows have hashes: the files are read before each message."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol
from weakref import ref

from gamin.daemon.sessions.watchman.client_subscription import (
    Client,
    ClientSubscription,
)
from gamin.daemon.sessions.watchman.content_hashes import Reading
from gamin.daemon.sessions.watchman.delivery import Delivery, FileRows
from gamin.daemon.sessions.watchman.root import Root
from gamin.daemon.sessions.watchman.subscriber import Subscriber
from gamin.protocol.watchman.query.file_row import FileRow


class ReadContents(Protocol):
    def __call__(self, rows: Sequence[FileRow], done: Callable[[], None]) -> Reading:
        """Set the hash of all rows, and then call `done`."""


class HashingSubscription(ClientSubscription):
    """A `Sink`. While files are read it is blocked, and then gets the difference."""

    def __init__(
        self, client: Client, name: str, root: Root, read: ReadContents
    ) -> None:
        super().__init__(client, name)
        self._root = root
        self._read = read
        self._pending: deque[Delivery] = deque()
        """Deliveries without hashes; the files of the first one are being read."""
        self._reading: Reading | None = None
        self._subscriber: ref[Subscriber] | None = None
        """A weak reference: a cycle would keep the memory of a client that left."""

    def belongs_to(self, subscriber: Subscriber) -> None:
        self._subscriber = ref(subscriber)

    @property
    def is_blocked(self) -> bool:
        return bool(self._pending) or super().is_blocked

    def deliver(self, delivery: Delivery) -> None:
        self._pending.append(delivery)
        if len(self._pending) == 1:
            self._read_first()

    def _read_first(self) -> None:
        rows = self._pending[0].rows
        # Only a query with fields of files asks for hashes.
        assert isinstance(rows, FileRows)
        self._reading = self._read(rows.rows, self._on_read)

    def _on_read(self) -> None:
        self._reading = None
        super().deliver(self._pending.popleft())
        subscriber = None if self._subscriber is None else self._subscriber()
        if self._pending:
            self._read_first()
        elif subscriber is not None and subscriber.cursor.is_behind:
            self._root.catch_up(subscriber)
        self.flush()

    def removed(self) -> None:
        """The client left, or unsubscribed: nobody waits for the files any more."""
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
        self._pending.clear()

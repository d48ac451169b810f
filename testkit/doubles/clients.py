"""Clients of the core, one for each language, that read or do not read.

They keep the rows they are sent, so that tests can compare what a client knows.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Protocol

from gamin.core.deliver.cursor import Cursor
from gamin.core.deliver.outbox import Outbox
from gamin.core.model.subscription import Ignore, Scope, Subscription
from gamin.core.monitor import Monitor
from gamin.events import (
    AnyRow,
    Kind,
    Row,
    as_rows,
)
from testkit.doubles.disk import Disk
from testkit.doubles.versions import Versions, probe_versions


class Host(Protocol):
    """What a client needs of the harness."""

    @property
    def monitor(self) -> Monitor: ...

    @property
    def disk(self) -> Disk: ...

    def begin(self, subscription: Subscription) -> None: ...

    def end(self, subscription: Subscription) -> None: ...


class Client(ABC):
    """The common part of both clients. While `reads` is False it reads nothing."""

    is_terse = False

    def __init__(self, host: Host, number: int) -> None:
        self.host = host
        self.number = number
        self.reads = True
        self.subscriptions: list[Subscription] = []
        self.received: list[tuple[Subscription, Row]] = []
        """All rows it was ever sent."""
        self.found: list[Versions] = []
        """The versions it found on the disk when it received each row."""
        self.belated: set[int] = set()
        """Indexes of the rows that belong to a difference, not to live events."""
        self.firsts: list[Subscription] = []
        """Subscriptions whose first listing was received."""
        self._seen = 0
        self.is_belated = False
        """Whether the rows kept just now belong to a difference."""

    def subscribe(
        self,
        path: bytes,
        scope: Scope,
        *,
        ignore: Ignore | None = None,
        cross_mounts: bool = False,
        wants_details: bool = False,
        is_unthrottled: bool = False,
    ) -> Subscription:
        """Subscribe, and let the executor do all that follows."""
        subscription = Subscription(
            self.number,
            len(self.subscriptions) + 1,
            path,
            scope,
            directory_events_only=self.is_terse,
            ignore=ignore,
            cross_mounts=cross_mounts,
            wants_details=wants_details,
            is_unthrottled=is_unthrottled,
        )
        self.subscriptions.append(subscription)
        self.host.begin(subscription)
        return subscription

    def cancel(self, subscription: Subscription) -> None:
        self.subscriptions.remove(subscription)
        self.host.end(subscription)

    def rows(self) -> list[Row]:
        """Rows it was sent since the last call."""
        new, self._seen = self.received[self._seen :], len(self.received)
        return [row for _, row in new]

    def read(self) -> None:
        """Read again after not having read."""
        self.reads = True

    # -- from the core

    @abstractmethod
    def deliver(self, subscription: Subscription, rows: Iterable[Row]) -> None:
        """Rows are for this client; it may read them at once or later."""

    @abstractmethod
    def ready(self, subscription: Subscription) -> None:
        """The first scan of a subscription is over."""

    @abstractmethod
    def flush(self) -> None:
        """A round of the loop is over: send what was kept."""

    def keep(self, subscription: Subscription, rows: Iterable[Row]) -> None:
        for row in rows:
            if self.is_belated:
                self.belated.add(len(self.received))
            self.received.append((subscription, row))
            self.found.append(probe_versions(self.host.disk, subscription, row))


class V1Client(Client):
    """A client of libgamin. What it has not read yet is a difference in its outbox.

    Bytes that fill the socket's buffer count as read.
    """

    is_terse = True

    def __init__(self, host: Host, number: int) -> None:
        super().__init__(host, number)
        monitor = host.monitor
        self.outbox = Outbox(self._encode, monitor.rows_to_send, monitor.moment)

    def cancel(self, subscription: Subscription) -> None:
        self.outbox.forget(subscription)
        super().cancel(subscription)

    def read(self) -> None:
        super().read()
        self.outbox.is_blocked = False
        self.flush()

    def deliver(self, subscription: Subscription, rows: Iterable[Row]) -> None:
        self.outbox.deliver(subscription, rows)

    def ready(self, subscription: Subscription) -> None:
        self.outbox.ready(subscription)

    def flush(self) -> None:
        self.is_belated = True
        while not self.outbox.is_blocked and self.outbox.take():
            self.outbox.is_blocked = not self.reads
        self.is_belated = False

    def _encode(
        self,
        subscription: Subscription,
        rows: Iterable[AnyRow],
        first: bool,
        /,
        *,
        is_last: bool = True,
    ) -> bytes:
        rows = as_rows(rows)
        self.keep(subscription, rows)
        if first and is_last:
            self.firsts.append(subscription)
        return b"." * len(rows)


class View(Client):
    """A client of the Watchman language: one subscription, resumed by a clock."""

    def __init__(self, host: Host, number: int) -> None:
        super().__init__(host, number)
        self._rows: list[Row] = []
        self._cursor: Cursor[int] = Cursor(0)
        self._number = 0
        """Another one once another directory took the path."""
        self._reported_tick = 0

    def read(self) -> None:
        super().read()
        if self._cursor.is_behind:
            for subscription in self.subscriptions:
                self._catch_up(subscription)

    def deliver(self, subscription: Subscription, rows: Iterable[Row]) -> None:
        if subscription not in self.firsts:
            return  # nothing was reported yet
        rows = list(rows)
        if not self._rows:
            self._reported_tick = self.host.monitor.moment.reported_tick
        if any(not row.path and row.kind is not Kind.CHANGED for row in rows):
            self.flush()
            self._number += 1
        self._rows += rows

    def ready(self, subscription: Subscription) -> None:
        self.firsts.append(subscription)
        self._deliver_all(subscription)

    def flush(self) -> None:
        rows, self._rows = self._rows, []
        if not rows:
            return
        if not self.reads:
            self._cursor.fall_behind(self._reported_tick)
        if not self._cursor.is_behind:
            self.keep(self.subscriptions[0], rows)
            self._up_to_date()

    def _catch_up(self, subscription: Subscription) -> None:
        self._rows.clear()
        monitor = self.host.monitor
        rows = None
        if self._cursor.target == self._number:
            rows = monitor.changes_since(subscription, self._cursor.tick)
        if rows is None:
            self._deliver_all(subscription)
        else:
            self.is_belated = True
            self.keep(subscription, rows)
            self.is_belated = False
            self._up_to_date()

    def _deliver_all(self, subscription: Subscription) -> None:
        """Send a full listing; the client forgets what it knew."""
        rows = [Row(Kind.DELETED, b"", True)]
        if subscription.node is not None:
            is_dir = subscription.entry is None
            rows.append(Row(Kind.EXISTS, b"", is_dir))
            rows += self.host.monitor.listing(subscription)
        self._rows.clear()
        self.keep(subscription, rows)
        self._up_to_date()

    def _up_to_date(self) -> None:
        self._cursor.catch_up(self.host.monitor.tree.tick, self._number)

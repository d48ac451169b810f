"""The subscribers of one root that asked the same, and the fan-out to them.

Rows are made and encoded once for all of them. A subscriber whose sink is blocked, or
who joined with an older clock, is behind: it gets the difference when it can.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from gamin.core.deliver.cursor import Cursor
from gamin.core.monitor import Monitor
from gamin.daemon.io.loop import Loop
from gamin.daemon.sessions.watchman.delivery import (
    Delivery,
    EventRows,
    FileRows,
    Listing,
    Rows,
)
from gamin.daemon.sessions.watchman.facts import NotSeen, SeenDisk
from gamin.daemon.sessions.watchman.large_difference import (
    Found,
    LargeDifference,
    Plain,
    is_large,
)
from gamin.daemon.sessions.watchman.results import ResultBuilder
from gamin.daemon.sessions.watchman.settle import WATCHMAN_SETTLE, SettleTimer
from gamin.daemon.sessions.watchman.subscriber import Subscriber
from gamin.events import AnyRow, Row, as_rows
from gamin.protocol.watchman.clocks import Clock, Timeline
from gamin.protocol.watchman.codec.compact import EVENT_FIELDS
from gamin.protocol.watchman.query.file_row import FileRow
from gamin.protocol.watchman.query.query import Query

if TYPE_CHECKING:
    from gamin.daemon.sessions.watchman.root import Root


class SharedQuery:
    def __init__(
        self, root: "Root", query: Query, loop: Loop, monitor: Monitor
    ) -> None:
        self.query = query
        self.subscribers: dict[Subscriber, None] = {}
        self._root = root
        self._activities = monitor.activities
        self._results = ResultBuilder(root.subscription, query, None, root.last_stats)
        self.wants_event_fields: bool = (
            query.fields == EVENT_FIELDS
            and query.expression is None
            and query.selection is None
            and not query.relative_root
        )
        """Its rows are those of the core, unfiltered."""
        self._is_compact = self.wants_event_fields and query.names
        configured = root.config.settle
        default = WATCHMAN_SETTLE if configured is None else configured
        span = default if query.settle is None else query.settle
        self._settle = (
            SettleTimer(loop, span, self._settled, self._is_early) if span > 0 else None
        )
        self._unsettled_since: int | None = None
        """Everything up to this tick was reported before what is settling."""

    @property
    def is_settling(self) -> bool:
        """Something happened that is delivered after a pause."""
        return self._unsettled_since is not None

    def cancel_settling(self) -> None:
        if self._settle is not None:
            self._settle.cancel()
        self._unsettled_since = None

    # -- what happens

    def happened(
        self, rows: Sequence[AnyRow], since: int, *, recovered: bool, is_replaced: bool
    ) -> None:
        """A round of the loop is over. What was reported up to the tick `since` was
        given to this query before. `is_replaced` says that the path leads to another
        object now."""
        if self._settle is None:
            self._fan_out(rows, since, recovered)
        elif is_replaced and self.wants_event_fields:
            # What there was to wait for is gone.
            self.cancel_settling()
            self._fan_out(rows, since, recovered)
        else:
            if self._unsettled_since is None:
                self._unsettled_since = since
            self._settle.restart()

    def _fan_out(self, rows: Sequence[AnyRow], since: int, recovered: bool) -> None:
        root, is_compact = self._root, self._is_compact
        shared: Rows | None = None
        brief: Delivery | None = None
        far: list[Subscriber] = []
        for subscriber in self.subscribers:
            cursor = subscriber.cursor
            if subscriber.sink.is_blocked or subscriber.is_held:
                cursor.fall_behind(since)
            if cursor.is_behind:
                continue
            is_plain = (
                is_compact
                and cursor.target == root.number
                and (not self.query.unreadable or self._knows_unreadable(subscriber))
            )
            if not is_plain and root.far_point is not None:
                far.append(subscriber)
                continue
            if shared is None:
                shared = self._rows(rows, is_live=True)
                if shared.is_empty:
                    return
            if is_plain:
                if brief is None:
                    brief = self._brief(shared, recovered)
                cursor.tick = brief.clock.tick
                subscriber.sink.deliver(brief)
            else:
                self._deliver(subscriber, shared, recovered=recovered)
        for subscriber in far:
            subscriber.cursor.fall_behind(since)
            self.catch_up(subscriber)

    def _knows_unreadable(self, subscriber: Subscriber) -> bool:
        return subscriber.reported_unreadable == self._root.unreadable()

    def _is_early(self) -> bool:
        """What somebody is to get in one piece is being written."""
        is_wanted = any(each.is_settled_only for each in self.subscribers)
        return is_wanted and self._activities.is_held_below(self._root.prefix)

    def _settled(self) -> None:
        since, self._unsettled_since = self._unsettled_since, None
        assert since is not None
        for subscriber in list(self.subscribers):
            subscriber.cursor.fall_behind(since)
            self.catch_up(subscriber)
        # A timer is outside the rounds at whose end everything is sent. A flush may
        # show that a client is gone, which takes its subscribers along.
        for subscriber in list(self.subscribers):
            subscriber.sink.flush()

    # -- who was behind

    def catch_up(self, subscriber: Subscriber) -> None:
        """Deliver what a subscriber that is behind has not got, if it can be."""
        is_busy = subscriber.large_difference is not None
        is_early = subscriber.is_settled_only and self.is_settling
        if subscriber.sink.is_blocked or subscriber.is_held or is_busy or is_early:
            return
        if is_large(self._root, self.query, subscriber.cursor):
            self._find_in_slices(subscriber)
        else:
            self._attempt(subscriber, partial(self._deliver_difference, subscriber))

    def _find_in_slices(self, subscriber: Subscriber) -> None:
        work = subscriber.large_difference = LargeDifference(
            *(self._root, self.query, subscriber.cursor, subscriber.sink.codec),
            is_wanted=lambda work: (
                subscriber in self.subscribers and subscriber.large_difference is work
            ),
            finish=partial(self._deliver_large, subscriber),
            plain=Plain(
                self._event_rows, subscriber.wants_listing and not self.query.once
            )
            if self.wants_event_fields
            else None,
        )
        self._root.turns.add(work)

    def _deliver_large(self, subscriber: Subscriber, found: Found | None) -> None:
        """Deliver what was found in slices, and then what happened since."""
        subscriber.large_difference = None
        root, cursor = self._root, subscriber.cursor
        if subscriber.sink.is_blocked or subscriber.is_held:
            return  # it gets the difference when it can
        if found is None:
            self._attempt(subscriber, partial(self._deliver_difference, subscriber))
        else:
            rows, now, since, listing = found
            if since is None or not rows.is_empty:
                fresh = listing if since is None else None
                is_fresh = since is None
                self._deliver(
                    subscriber, rows, is_fresh=is_fresh, listing=fresh, now=now
                )
            if since is not None and subscriber.wants_listing:
                self._deliver(subscriber, self._rows(()), listing=listing, now=now)
            subscriber.wants_listing = False
            cursor.catch_up(now.latest, now.root)
            cursor.is_behind = root.timeline[:4] != now[:4]
            if cursor.is_behind:
                self.catch_up(subscriber)
        subscriber.sink.flush()

    def flush_subscriber(self, subscriber: Subscriber) -> bool:
        """Deliver what is owed to the subscriber, whatever prevents it. Return whether
        anything was."""
        subscriber.large_difference = None  # it gets all of it at once
        now, since = self._root.timeline.latest, self._unsettled_since
        subscriber.cursor.fall_behind(now if since is None else since)
        return self._attempt(subscriber, partial(self._deliver_difference, subscriber))

    def _attempt(self, subscriber: Subscriber, deliver: Callable[[], bool]) -> bool:
        """Deliver, or do so when a thread has looked at what is to be delivered."""
        if subscriber.is_waiting:
            return True
        try:
            return deliver()
        except NotSeen as unseen:
            subscriber.is_waiting = True
            subscriber.cursor.fall_behind(self._root.timeline.latest)
            self._root.look(unseen.paths, partial(self._seen, subscriber, deliver))
            return True

    def _seen(self, subscriber: Subscriber, deliver: Callable[[], bool]) -> None:
        subscriber.is_waiting = False
        if subscriber in self.subscribers:
            self._attempt(subscriber, deliver)
            subscriber.sink.flush()

    def _deliver_difference(self, subscriber: Subscriber) -> bool:
        root, cursor = self._root, subscriber.cursor
        is_same_root = cursor.target == root.number
        found = root.since(cursor.tick) if is_same_root else None
        if found is None:
            return self._deliver_all(subscriber)
        if subscriber.wants_listing:
            root.inode()  # raises before anything is delivered
        rows = self._rows(found)
        is_owed = not rows.is_empty
        if is_owed:
            self._deliver(subscriber, rows)
        else:
            cursor.catch_up(root.timeline.latest, root.number)
        if subscriber.wants_listing:
            subscriber.wants_listing = False
            self._deliver_end(subscriber)
        return is_owed

    def _deliver_end(self, subscriber: Subscriber) -> None:
        """What happened since the client's clock was delivered. The client waits for
        this message, to know that it has all."""
        listing = None if self.query.once else self._root.names()
        self._deliver(subscriber, self._rows(()), listing=listing)

    def deliver_past(
        self, subscriber: Subscriber, since: Clock, found: list[Row]
    ) -> None:
        """Deliver what happened between a clock of an earlier server and now."""
        rows = self._rows(found)
        if not rows.is_empty:
            self._deliver(subscriber, rows, since=since)
        if self.query.names:
            self._deliver_end(subscriber)

    def deliver_all(self, subscriber: Subscriber) -> None:
        """Everything there is: the subscriber must drop what it knew."""
        if subscriber.is_settled_only and self._settle is not None:
            subscriber.cursor = Cursor(is_behind=True)
            if self._unsettled_since is None:
                self._unsettled_since = self._root.timeline.latest
            self._settle.restart()
            return
        nothing = Cursor[int](is_behind=True)
        if is_large(self._root, self.query, nothing):
            subscriber.cursor = nothing
            self._find_in_slices(subscriber)
        else:
            self._attempt(subscriber, partial(self._deliver_all, subscriber))

    def _deliver_all(self, subscriber: Subscriber) -> bool:
        root = self._root
        if self.query.names:
            rows = self._rows(())
            self._deliver(subscriber, rows, is_fresh=True, listing=root.names())
            subscriber.wants_listing = False
            return True
        is_empty = self.query.empty_on_fresh_instance
        rows = self._rows(() if is_empty else root.listing())
        self._deliver(subscriber, rows, is_fresh=True)
        return True

    # -- deliveries

    def _rows(self, rows: Iterable[AnyRow], *, is_live: bool = False) -> Rows:
        """`is_live`: they happened in this round, so their details are known."""
        root = self._root
        if self.wants_event_fields:
            events = rows if isinstance(rows, list) else list(rows)
            return self._event_rows(events, is_live=is_live)
        now = root.timeline
        if root.far_point is not None:
            return FileRows(self._far_rows(as_rows(rows), now), self.query.fields, now)
        return FileRows(self._results.rows(as_rows(rows), now), self.query.fields, now)

    def _event_rows(
        self, events: Sequence[AnyRow], *, is_live: bool = False
    ) -> EventRows:
        root, details = self._root, None
        if self.query.details and self._is_compact:
            details = root.details(events) if is_live else [-1] * len(events)
        skip = len(root.prefix)
        return EventRows(events, skip, is_compact=self._is_compact, details=details)

    def _far_rows(self, rows: Iterable[Row], now: Timeline) -> list[FileRow]:
        """Raises NotSeen unless whatever is asked of them is known."""
        root, query = self._root, self.query
        results = ResultBuilder(root.subscription, query, partial(SeenDisk, root.facts))
        file_rows = list(results.file_rows(rows))
        if results.is_looking_ahead:
            inner = query.relative_root + b"/" if query.relative_root else b""
            root.facts.require(root.subscription.prefix + inner, file_rows)
        return [row for row in file_rows if results.wants(row, now)]

    def _brief(self, rows: Rows, recovered: bool) -> Delivery:
        """The delivery to all of our own clients that know where the path leads."""
        root = self._root
        return Delivery(
            root.path,
            rows,
            root.clock(),
            is_brief=True,
            recovered=recovered,
            complete_until_ns=root.complete_until_ns(),
        )

    def _deliver(
        self,
        subscriber: Subscriber,
        rows: Rows,
        *,
        is_fresh: bool = False,
        recovered: bool = False,
        listing: Listing | None = None,
        since: Clock | None = None,
        now: Timeline | None = None,
    ) -> None:
        """`now`: when this was right, if that is a while ago."""
        root = self._root
        is_old = now is not None and now[:4] != root.timeline[:4]
        now = now or root.timeline
        if since is None and not is_fresh:
            since = now.clock(subscriber.cursor.tick)
        complete_until_ns, inode = None, None
        unreadable: frozenset[bytes] | None = None
        if self.query.unreadable and self._is_compact:
            unreadable = subscriber.reported_unreadable = root.unreadable()
        if self.query.names:
            is_list = listing is not None
            if not is_old:
                complete_until_ns = root.complete_until_ns(is_list=is_list)
            if is_list or subscriber.cursor.target != root.number:
                inode = root.inode()
        delivery = Delivery(
            root.path,
            rows,
            now.clock(now.latest),
            since=since,
            is_fresh=is_fresh,
            recovered=recovered,
            complete_until_ns=complete_until_ns,
            inode=inode,
            listing=listing,
            unreadable=unreadable,
            warning=root.warning,
        )
        subscriber.cursor.catch_up(now.latest, root.number)
        subscriber.sink.deliver(delivery)

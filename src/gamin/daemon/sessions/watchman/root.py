"""A root: one tree that is watched for all clients that subscribe to it.

The core sees one subscription per root, whatever the number of clients: the *shared
subscription* (`subscription`). So one more client costs no kernel watch. The root
outlives its clients for a while, so that one that comes back gets the difference.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from gamin.core.deliver.cursor import Cursor
from gamin.core.effects import Deliver
from gamin.core.model.difference import NOW
from gamin.core.model.node import Node
from gamin.core.model.subscription import Subscription
from gamin.core.monitor import Monitor
from gamin.daemon.io.errands import Errands
from gamin.daemon.io.loop import Loop, Timer
from gamin.daemon.io.turns import Turns
from gamin.daemon.sessions.watchman.delivery import Listing
from gamin.daemon.sessions.watchman.directory_listing import folders
from gamin.daemon.sessions.watchman.facts import Facts, FarDisk
from gamin.daemon.sessions.watchman.holding import look_for_lock
from gamin.daemon.sessions.watchman.last_stats import LastStats
from gamin.daemon.sessions.watchman.results import admitted
from gamin.daemon.sessions.watchman.shared_query import SharedQuery
from gamin.daemon.sessions.watchman.states import States
from gamin.daemon.sessions.watchman.subscriber import Subscriber
from gamin.events import AnyRow, Kind, Row, as_rows
from gamin.protocol.watchman.clocks import Clock, ClockSpec, Timeline
from gamin.protocol.watchman.query.file_row import Disk
from gamin.protocol.watchman.query.query import Query
from gamin.protocol.watchman.root_config import RootConfig
from gamin.protocol.watchman.warnings import warning
from gamin.system import reach

MAX_USUAL_DELAY = 2.0
"""Seconds: `MAX_USUAL_DELAY_NS` of the clients."""


class Root:
    def __init__(
        self,
        subscription: Subscription,
        numbers: Iterator[int],
        monitor: Monitor,
        loop: Loop,
        server: tuple[int, int],
        errands: Errands | None = None,
        turns: Turns | None = None,
    ) -> None:
        """`server` is when this one started (in seconds) and its pid. `turns` are those
        of all large differences; None: it shares them with no other root."""
        self.subscription = subscription
        self.path: bytes = subscription.path
        self._numbers = numbers
        self.number: int = next(numbers)
        """Part of its clocks; another one when the path leads elsewhere, or nowhere."""
        self.prefix: bytes = b""
        """The directory whose rows are delivered, with a slash at the end. The
        subscription may lead elsewhere already while rows of this one are kept."""
        self._target = subscription.current_target
        self.is_ready: bool = False
        self.ready_second: int = 0
        """When it became ready, in seconds since 1970."""
        self.ready_tick: int = 0
        self._rows: list[AnyRow] = []
        """What happened in this round of the loop."""
        self._reported_tick = 0
        """Everything up to this tick was delivered before these rows."""
        self._is_recovered = False
        """Some of the rows were found by comparing with the disk."""
        self.queries: dict[Query, SharedQuery] = {}
        self.states: States = States()
        self.is_lost: bool = False
        """What was watched is gone, or another object took its path."""
        self.turns: Turns = turns or Turns(loop)
        self.waiting: list[Callable[[], None]] = []
        """Called when it is ready."""
        self.reaper: Timer | None = None
        self.is_pinned = False
        """A client asked for it to be watched for good (`watch`)."""
        self.config: RootConfig = RootConfig()
        self.has_warnings = False
        """Its clients know `warning` in a reply or message."""
        self.last_stats: LastStats = LastStats()
        self._rescans_before = 0
        """How often everything had been rescanned when it became ready."""
        self._forgotten_tick = 0
        """What was deleted up to this tick counts as forgotten; see `age_out`."""
        self._monitor = monitor
        self._loop = loop
        self._server = server
        self._errands = errands
        self.facts: Facts = Facts()
        self._far_key: tuple[int, int] | None = None
        """What `_far_point` was found for."""
        self._far_point: bytes | None = None

    @property
    def top(self) -> Node | None:
        """The directory that it is; None for a file, or for nothing."""
        return self.subscription.bound_directory

    @property
    def subscribers(self) -> list[Subscriber]:
        return [one for query in self.queries.values() for one in query.subscribers]

    @property
    def timeline(self) -> Timeline:
        start, pid = self._server
        tree = self._monitor.tree
        oldest = max(tree.floor, self._forgotten_tick)
        return Timeline(start, pid, self.number, tree.tick, oldest)

    @property
    def rescans(self) -> int:
        """How often it was rescanned since it became ready, because events were lost,
        or because a client wanted it."""
        return self._monitor.recovery.rescans - self._rescans_before

    @property
    def warning(self) -> str:
        """What clients should know about the root; empty for nothing."""
        if not self.has_warnings:
            return ""
        is_wanted = not self.config.suppress_recrawl_warnings
        reason = self._monitor.recovery.reason
        rescans = self.rescans if is_wanted else 0
        return warning(self.path, rescans, reason, self.unreadable())

    def age_out(self, tick: int) -> None:
        """Answer clocks from before this tick as if what was deleted until then were
        forgotten. The memory of it is given back when the tree ages out."""
        self._forgotten_tick = max(self._forgotten_tick, tick)

    def clock(self) -> Clock:
        """The clock of now."""
        return Clock(*self._server, self.number, self._monitor.tree.tick)

    # -- what happens

    def deliver(self, effect: Deliver) -> None:
        """Keep the rows until the end of this round."""
        # All of a round is one message: a client that left between two would come back
        # with a clock that says it has both.
        self._is_recovered = self._is_recovered or effect.recovered
        if not self._rows:
            self._reported_tick = self._monitor.moment.reported_tick
        subscription = self.subscription
        target = subscription.target
        node = target.node if target.entry is None else None
        is_there = (
            node is not None and (node.prefix or node.path_prefix()) == self.prefix
        )
        if is_there and subscription.progress.current_target == self._target:
            if subscription.request.ignore is None:
                self._rows += effect.rows
            else:
                self._keep(effect.rows, effect.is_exempt)
        else:
            self._on_root_moved(effect.rows, effect.is_exempt)

    def _keep(self, rows: Sequence[AnyRow], is_exempt: bool) -> None:
        subscription = self.subscription
        if subscription.ignore is None or subscription.ignore.is_empty or is_exempt:
            self._rows += rows
        else:
            self._rows += admitted(subscription, as_rows(rows))

    def become_ready(self, second: int) -> None:
        """Its tree was scanned for the first time."""
        self.is_ready = True
        self.ready_second, self.ready_tick = second, self._monitor.tree.tick
        self._rescans_before = self._monitor.recovery.rescans
        self._follow()

    def _follow(self) -> None:
        """Rows from now on are of where the path leads now."""
        self._target = self.subscription.current_target
        self.prefix = self.subscription.prefix

    def _on_root_moved(self, rows: Iterable[AnyRow], is_exempt: bool) -> None:
        """Keep rows when the path may lead elsewhere now.

        What happened before that is delivered first. What happens in a directory after
        it was moved away from the path concerns nobody.
        """
        kept: list[Row] = []
        for row in as_rows(rows):
            path, source = row.path, row.source or row.path
            if not path and row.kind is not Kind.CHANGED:
                self._keep(kept, is_exempt)
                self.flush()
                kept = []
                self.number = next(self._numbers)
                self.is_lost = True
                self._follow()
            if not path or (
                path.startswith(self.prefix) and source.startswith(self.prefix)
            ):
                kept.append(row)
        self._keep(kept, is_exempt)

    def flush(self) -> None:
        """The round is over: every query delivers it in its own way."""
        recovered, self._is_recovered = self._is_recovered, False
        if not self._rows:
            return
        rows, self._rows = self._rows, []
        # A client of our own language gets at once what happens.
        was_locked = self.has_warnings and look_for_lock(self)
        self.facts.happened(rows)
        kind, path, *_ = rows[0]
        is_replaced = not path and kind is not Kind.CHANGED
        for query in self.queries.values():
            query.happened(
                rows,
                self._reported_tick,
                recovered=recovered,
                is_replaced=is_replaced,
            )
        if was_locked and not self.states.is_vcs_locked:
            for subscriber in self.subscribers:
                if not self.queries[subscriber.query].is_settling:
                    self.go_on(subscriber)

    def go_on(self, subscriber: Subscriber) -> None:
        """Deliver what it missed, unless it still is to get nothing."""
        if subscriber.cursor.is_behind and not subscriber.is_held:
            self.catch_up(subscriber)

    def go_on_soon(self) -> None:
        """As `go_on` for all subscribers, but later: after the reply to the request
        that lets them go on, as in Watchman."""

        def go_on() -> None:
            subscribers = self.subscribers
            for subscriber in subscribers:
                self.go_on(subscriber)
            # Outside the rounds at whose end everything is sent.
            for subscriber in subscribers:
                subscriber.sink.flush()

        self._loop.call_soon(go_on)

    # -- what is known

    def details(self, rows: Iterable[AnyRow]) -> list[int]:
        """The details of rows of this round, a `Detail` each."""
        details, own = self._monitor.details, self.subscription
        return [details.of(path or own) for _, path, *_ in rows]

    def since(self, tick: int) -> list[Row] | None:
        """What happened after the tick; None if too much was forgotten to say."""
        rows = self.changes_since(tick)
        return None if rows is None else list(rows)

    def changes_since(self, tick: int, until: int = NOW) -> Iterable[Row] | None:
        """As `since`, lazily. `until` as in `difference`."""
        rows = self._monitor.changes_since(self.subscription, tick, until)
        return None if rows is None else admitted(self.subscription, rows)

    def listing(self, until: int = NOW) -> Iterable[Row]:
        """Everything there is, as EXISTS rows. `until` as in `difference`."""
        if self.subscription.entry is not None:
            return [Row(Kind.EXISTS, b"", False)]
        rows = self._monitor.listing(self.subscription, until)
        return admitted(self.subscription, rows)

    def names(self) -> Listing:
        """The names in every directory."""
        subscription = self.subscription
        found = filter(None, folders(subscription))
        all_folders = None if subscription.node is None else list(found)
        return Listing(all_folders, is_file=subscription.entry is not None)

    def complete_until_ns(self, *, is_list: bool = False) -> int | None:
        """Wall-clock ns up to which nothing is missing; None while a loss is
        unresolved.

        A list of everything has what is known by now. Live rows may be late: clients
        allow for the usual delay, so only a longer one is subtracted.
        """
        recovery = self._monitor.recovery
        if recovery.due_at is not None or recovery.is_rescanning:
            return None  # `is_unresolved`, with a call less for each message
        now_ns = recovery.complete_until_ns or time.time_ns()
        if is_list:
            return now_ns
        more = max(0.0, self._monitor.longest_delay - MAX_USUAL_DELAY)
        return now_ns - int(more * 1e9)

    @property
    def far_point(self) -> bytes | None:
        """The mount that the root is on, if only a thread may look there."""
        key = (self.number, reach.generation())
        if self._far_key != key:
            self._far_key = key
            self._far_point = reach.distant_point(self.path)
            if self._far_point is None and self.subscription.request.cross_mounts:
                below = reach.points_below(self.subscription.prefix)
                self._far_point = below[0] if below else None
        return self._far_point

    @property
    def far_disk(self) -> Callable[[bytes], Disk] | None:
        """Makes the disk below a prefix for threads to look at; None: it is near."""
        return None if self.far_point is None else FarDisk

    def look(self, paths: Sequence[bytes], done: Callable[[], None]) -> None:
        """Have a thread gather facts about paths of a root that is far."""
        point = self.far_point
        if point is None or self._errands is None:
            self._loop.call_soon(done)
        else:
            self.facts.look(self._errands, point, paths, done)

    def unreadable(self) -> frozenset[bytes]:
        """The directories, relative to the root, that may not be read."""
        own, skip = self.subscription, len(self.prefix)
        monitor = self._monitor
        return frozenset(
            node.path()[skip:]
            for node in monitor.coverage.registers.unreadable
            if node is own.bound_directory or own in monitor.covering(node)
        )

    def inode(self) -> tuple[int, int] | None:
        """Which object the path leads to; None for none. Raises NotSeen."""
        if self.far_point is not None:
            return self.facts.of(self.path).inode
        try:
            status = os.stat(self.path)
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def resume(self, spec: ClockSpec | None) -> int | None:
        return None if spec is None else self.timeline.resume(spec)

    # -- subscribers

    def cursor(self, tick: int | None) -> Cursor[int]:
        """The cursor of a subscriber that has all until the tick; None: until now."""
        now = self._monitor.tree.tick
        return Cursor(
            self.number, now if tick is None else tick, is_behind=tick is not None
        )

    def add(self, subscriber: Subscriber) -> None:
        query = self.queries.get(subscriber.query)
        if query is None:
            query = SharedQuery(self, subscriber.query, self._loop, self._monitor)
            self.queries[subscriber.query] = query
        query.subscribers[subscriber] = None
        if self.has_warnings:
            look_for_lock(self)
        self.states.hold([subscriber])

    def remove(self, subscriber: Subscriber) -> None:
        # Its client may read again later, and asks those behind to catch up.
        subscriber.cursor.is_behind = False
        subscriber.large_difference = None
        query = self.queries[subscriber.query]
        del query.subscribers[subscriber]
        if not query.subscribers:
            query.cancel_settling()
            del self.queries[subscriber.query]
        subscriber.sink.removed()

    def has(self, subscriber: Subscriber) -> bool:
        query = self.queries.get(subscriber.query)
        return query is not None and subscriber in query.subscribers

    def catch_up(self, subscriber: Subscriber) -> None:
        self.queries[subscriber.query].catch_up(subscriber)

    def flush_subscriber(self, subscriber: Subscriber) -> str:
        """Deliver to it now, whatever it defers to. Return what came of it, in the
        words of Watchman."""
        if self.states.is_dropping(subscriber):
            self.skip(subscriber)
            return "dropped"
        is_owed = self.queries[subscriber.query].flush_subscriber(subscriber)
        return "synced" if is_owed else "no_sync_needed"

    def skip(self, subscriber: Subscriber) -> None:
        """Nothing of what happened until now is delivered to it."""
        subscriber.cursor.catch_up(self._monitor.tree.tick, self.number)

    def deliver_past(
        self, subscriber: Subscriber, since: Clock, rows: list[Row]
    ) -> None:
        """Deliver what happened between a clock of an earlier server and now."""
        self.queries[subscriber.query].deliver_past(subscriber, since, rows)

    def deliver_all(self, subscriber: Subscriber) -> None:
        self.queries[subscriber.query].deliver_all(subscriber)

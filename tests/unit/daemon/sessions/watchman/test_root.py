"""What a root delivers, and how far its subscribers can rely on it."""

import itertools
from contextlib import closing

import pytest

from gamin.config.flow_settings import FlowSettings
from gamin.core.effects import Deliver
from gamin.core.model.subscription import Scope, Subscription
from gamin.core.monitor import Monitor
from gamin.daemon.io.loop import Loop
from gamin.daemon.sessions.watchman.delivery import Delivery, EventRows
from gamin.daemon.sessions.watchman.holding import enter_state, leave_state
from gamin.daemon.sessions.watchman.root import MAX_USUAL_DELAY, Root
from gamin.daemon.sessions.watchman.states import StateChange
from gamin.daemon.sessions.watchman.subscriber import Subscriber
from gamin.events import Kind, Row
from gamin.protocol.watchman.client.watched_path import MAX_USUAL_DELAY_NS
from gamin.protocol.watchman.clocks import Clock
from gamin.protocol.watchman.codec.bser_codec import BserCodec
from gamin.protocol.watchman.codec.compact import EVENT_FIELDS
from gamin.protocol.watchman.codec.json_codec import JSON
from gamin.protocol.watchman.query.query import Query
from testkit.doubles.engine import plain_policy

NOW_NS = 10**18
SECOND_NS = 10**9
QUERY = Query(fields=EVENT_FIELDS, names=True, settle=0.0)


class Collector:
    """A sink that keeps deliveries as they are, as a publisher would get them."""

    def __init__(self) -> None:
        self.is_blocked = False
        self.deliveries: list[Delivery] = []
        self.states: list[StateChange] = []
        self.removals = 0

    codec = None

    def deliver(self, delivery: Delivery) -> None:
        self.deliveries.append(delivery)

    def state_changed(self, root: bytes, clock: Clock, change: StateChange) -> None:
        self.states.append(change)

    def canceled(self, root: bytes) -> None:
        """Not needed here."""

    def removed(self) -> None:
        self.removals += 1

    def flush(self) -> None:
        """Nothing waits."""


class WatchedRoot:
    """A root with one subscriber, and no connection anywhere."""

    def __init__(self, report_interval: float = 1.0, query: Query = QUERY) -> None:
        settings = FlowSettings(report_interval=report_interval)
        self.monitor = Monitor(plain_policy(), settings)
        self._subscription = Subscription(0, 0, b"/d", Scope.TREE)
        self._loop = Loop()
        self.root = Root(
            self._subscription, itertools.count(1), self.monitor, self._loop, (1, 1)
        )
        self.query = query
        self.sink, self.subscriber = self.subscribe()

    def subscribe(
        self, defer: tuple[str, ...] = (), drop: tuple[str, ...] = ()
    ) -> tuple[Collector, Subscriber]:
        sink = Collector()
        subscriber = Subscriber(
            sink, self.query, self.root.cursor(None), defer=defer, drop=drop
        )
        self.root.add(subscriber)
        return sink, subscriber

    def change(self, path: bytes, *, recovered: bool = False) -> None:
        row = Row(Kind.CHANGED, path, False)
        self.root.deliver(Deliver((self._subscription,), [row], recovered))

    def close(self) -> None:
        self._loop.close()


def complete_until(interval: float, report_interval: float, *, lists: bool) -> object:
    """The rows of a delivery in words, of a difference or a full listing."""
    with closing(WatchedRoot(report_interval)) as watched:
        watched.monitor.recovery.complete_until_ns = NOW_NS
        watched.monitor.coverage.method.longest_interval = interval
        if lists:
            watched.root.deliver_all(watched.subscriber)
        else:
            watched.change(b"/d/f")
            watched.root.flush()
        (delivery,) = watched.sink.deliveries
        return delivery.complete_until_ns


def test_clients_allow_for_the_usual_delay() -> None:
    assert MAX_USUAL_DELAY * SECOND_NS == MAX_USUAL_DELAY_NS
    assert complete_until(0.0, 1.0, lists=False) == NOW_NS
    assert complete_until(1.0, 1.0, lists=False) == NOW_NS


@pytest.mark.parametrize(("interval", "report_interval"), [(5.0, 1.0), (1.0, 5.0)])
def test_the_server_allows_for_a_longer_delay(
    interval: float, report_interval: float
) -> None:
    until = complete_until(interval, report_interval, lists=False)
    assert until == NOW_NS - 4 * SECOND_NS


def test_a_list_of_everything_is_complete_by_now() -> None:
    assert complete_until(5.0, 1.0, lists=True) == NOW_NS


def test_all_rows_of_one_round_come_with_the_same_clock() -> None:
    """Otherwise a client that leaves after the first half would miss the second."""
    with closing(WatchedRoot()) as watched:
        watched.change(b"/d/e")
        watched.monitor.tree.tick += 1
        watched.change(b"/d/f", recovered=True)
        watched.change(b"/d/g")
        watched.root.flush()
        watched.change(b"/d/h")
        watched.root.flush()
        first, second = watched.sink.deliveries
    assert first.recovered
    assert not second.recovered


def test_subscribers_with_the_same_query_share_the_rows() -> None:
    with closing(WatchedRoot()) as watched:
        other, _ = watched.subscribe()
        watched.change(b"/d/f")
        watched.root.flush()
        (first,), (second,) = watched.sink.deliveries, other.deliveries
    assert first.rows is second.rows


def test_rows_are_encoded_once_per_codec() -> None:
    with closing(WatchedRoot()) as watched:
        watched.change(b"/d/f")
        watched.root.flush()
        rows = watched.sink.deliveries[0].rows
    assert rows.encoded(JSON) is rows.encoded(JSON)
    assert rows.encoded(BserCodec(2)) is rows.encoded(BserCodec(2))
    assert rows.encoded(BserCodec(2)) != rows.encoded(JSON)


def test_a_subscriber_gets_rows_and_no_text() -> None:
    with closing(WatchedRoot()) as watched:
        watched.change(b"/d/f")
        watched.root.flush()
        rows = watched.sink.deliveries[0].rows
    assert isinstance(rows, EventRows)
    assert rows.rows == [Row(Kind.CHANGED, b"/d/f", False)]


def test_a_blocked_sink_gets_nothing_and_is_behind() -> None:
    with closing(WatchedRoot()) as watched:
        other, _ = watched.subscribe()
        watched.sink.is_blocked = True
        watched.change(b"/d/f")
        watched.root.flush()
        watched.sink.is_blocked = False
        watched.change(b"/d/g")
        watched.root.flush()
    assert watched.subscriber.cursor.is_behind
    assert not watched.sink.deliveries, "it gets the difference, and not what is newer"
    assert len(other.deliveries) == 2


def test_a_subscriber_may_defer_what_happens_to_the_end_of_a_state() -> None:
    with closing(WatchedRoot()) as watched:
        sink, subscriber = watched.subscribe(defer=("busy",))
        me = object()
        enter_state(watched.root, "busy", me, {"why": 1})
        watched.change(b"/d/f")
        watched.root.flush()
        assert not sink.deliveries
        assert subscriber.cursor.is_behind
        assert len(watched.sink.deliveries) == 1, "others do not defer"
        leave_state(watched.root, "busy", me, None)
        assert not sink.deliveries, "what it missed follows the reply"
        watched.root._loop.run_once(0)
        assert not subscriber.cursor.is_behind
    assert sink.states == [
        StateChange("busy", True, {"why": 1}),
        StateChange("busy", False),
    ]


def test_a_subscriber_may_drop_what_happens_during_a_state() -> None:
    with closing(WatchedRoot()) as watched:
        sink, subscriber = watched.subscribe(defer=("busy",), drop=("busy",))
        me = object()
        enter_state(watched.root, "busy", me, None)
        watched.monitor.tree.tick += 1
        watched.change(b"/d/f")
        watched.root.flush()
        leave_state(watched.root, "busy", me, None)
        assert not sink.deliveries
        assert subscriber.cursor.tick == watched.monitor.tree.tick
        watched.change(b"/d/g")
        watched.root.flush()
        assert len(sink.deliveries) == 1


def test_a_subscriber_that_joins_during_a_state_defers_too() -> None:
    with closing(WatchedRoot()) as watched:
        enter_state(watched.root, "busy", object(), None)
        _, subscriber = watched.subscribe(defer=("busy",))
        assert subscriber.is_held


def test_a_subscriber_that_is_removed_is_not_behind() -> None:
    """Its client may read again afterwards, and asks those behind to catch up."""
    with closing(WatchedRoot()) as watched:
        watched.sink.is_blocked = True
        watched.change(b"/d/f")
        watched.root.flush()
        watched.root.remove(watched.subscriber)
        assert watched.sink.removals == 1
        assert not watched.subscriber.cursor.is_behind

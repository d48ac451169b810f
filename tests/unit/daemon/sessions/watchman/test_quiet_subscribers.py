"""A subscriber whose tree is quiet has everything, however much happens elsewhere."""

import itertools
from collections.abc import Iterable, Iterator

import pytest

from gamin.core.effects import Deliver
from gamin.core.model.subscription import Scope, Subscription
from gamin.daemon.io.loop import Loop
from gamin.daemon.sessions.watchman.delivery import Delivery, EventRows
from gamin.daemon.sessions.watchman.root import Root
from gamin.daemon.sessions.watchman.states import StateChange
from gamin.daemon.sessions.watchman.subscriber import Subscriber
from gamin.events import Row
from gamin.protocol.watchman.clocks import Clock
from gamin.protocol.watchman.codec.compact import EVENT_FIELDS
from gamin.protocol.watchman.query.query import Query
from testkit.doubles.engine import Shell
from testkit.words import as_words

AT_ONCE = Query(fields=EVENT_FIELDS, settle=0.0)
SETTLED = Query(fields=EVENT_FIELDS, settle=0.001)


class CoreClient:
    """Passes rows of the core on to a root; a `Listener`."""

    root: Root

    def deliver(self, subscription: Subscription, rows: Iterable[Row]) -> None:
        self.root.deliver(Deliver((subscription,), list(rows), False))

    def ready(self, subscription: Subscription) -> None:
        self.root.become_ready(1)

    def flush(self) -> None:
        self.root.flush()


class Quiet:
    """A subscriber of a root on a disk in memory; a `Sink`."""

    def __init__(self, loop: Loop, query: Query) -> None:
        self.is_blocked = False
        self.deliveries: list[Delivery] = []
        self._loop = loop
        self.shell = Shell()
        self.shell.disk.makedirs(b"/d")
        self.shell.disk.makedirs(b"/elsewhere")
        self.shell.view().subscribe(b"/elsewhere", Scope.TREE)
        watched = Subscription(len(self.shell.listeners), 0, b"/d", Scope.TREE)
        client = CoreClient()
        self.shell.listeners.append(client)
        monitor = self.shell.monitor
        self.root = client.root = Root(
            watched, itertools.count(1), monitor, loop, (1, 1)
        )
        self.shell.begin(watched)
        self.subscriber = Subscriber(self, query, self.root.cursor(None))
        self.root.add(self.subscriber)

    def age_out(self) -> None:
        """So much happens elsewhere that the tree forgets what was before."""
        self.change(b"/elsewhere/f")
        tree = self.shell.monitor.tree
        tree.floor = tree.tick
        self.change(b"/elsewhere/g")

    def change(self, path: bytes) -> None:
        self.shell.disk.touch(path)
        self.shell.run_once()

    def delivered(self) -> Delivery:
        """The next delivery."""
        while not self.deliveries:
            self._loop.run_once(None)
        return self.deliveries.pop(0)

    # -- from the root

    codec = None

    def deliver(self, delivery: Delivery) -> None:
        self.deliveries.append(delivery)

    def state_changed(self, root: bytes, clock: Clock, change: StateChange) -> None:
        """Nobody asserts any."""

    def canceled(self, root: bytes) -> None:
        """It never is."""

    def removed(self) -> None:
        """Nothing is to be released."""

    def flush(self) -> None:
        """Nothing waits."""


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop()
    yield made
    made.close()


def rows_of(delivery: Delivery) -> list[str]:
    assert not delivery.is_fresh
    assert isinstance(delivery.rows, EventRows)
    return as_words(delivery.rows.rows)


def test_a_quiet_subscriber_gets_the_difference_once_it_reads_again(loop: Loop) -> None:
    quiet = Quiet(loop, AT_ONCE)
    quiet.age_out()
    quiet.is_blocked = True
    quiet.change(b"/d/f")
    quiet.is_blocked = False
    quiet.root.catch_up(quiet.subscriber)
    assert rows_of(quiet.delivered()) == ["created /d/f"]


def test_a_quiet_subscriber_gets_the_difference_once_its_tree_settled(
    loop: Loop,
) -> None:
    quiet = Quiet(loop, SETTLED)
    quiet.age_out()
    quiet.change(b"/d/f")
    quiet.change(b"/d/g")
    assert rows_of(quiet.delivered()) == ["created /d/f", "created /d/g"]


def test_a_quiet_subscriber_is_owed_nothing_when_it_is_flushed(loop: Loop) -> None:
    quiet = Quiet(loop, AT_ONCE)
    quiet.age_out()
    assert quiet.root.flush_subscriber(quiet.subscriber) == "no_sync_needed"
    assert not quiet.deliveries


def test_what_settles_is_delivered_once_by_a_flush(loop: Loop) -> None:
    quiet = Quiet(loop, SETTLED)
    quiet.age_out()
    quiet.change(b"/d/f")
    assert quiet.root.flush_subscriber(quiet.subscriber) == "synced"
    assert rows_of(quiet.delivered()) == ["created /d/f"]
    quiet.change(b"/d/g")
    assert rows_of(quiet.delivered()) == ["created /d/g"]


def test_a_subscriber_that_is_behind_for_too_long_starts_afresh(loop: Loop) -> None:
    quiet = Quiet(loop, AT_ONCE)
    quiet.is_blocked = True
    quiet.change(b"/d/f")
    quiet.age_out()
    quiet.is_blocked = False
    quiet.root.catch_up(quiet.subscriber)
    assert quiet.delivered().is_fresh

"""Deferred changes are reported in the end: to everybody what they do not know yet."""

import pytest

from gamin.config.flow_settings import FlowSettings
from gamin.core.deliver.details import Details
from gamin.core.deliver.reporter import Reporter
from gamin.core.effects import Deliver, Effect
from gamin.core.model.audiences import Audiences
from gamin.core.model.difference import entries_since
from gamin.core.model.moment import Moment
from gamin.core.model.node import FILE, Node
from gamin.core.model.subscription import Scope, Subscription
from gamin.core.model.tree import Tree
from gamin.core.throttle.deferred import Deferred
from gamin.core.throttle.flow_control import FlowControl
from gamin.events import Kind, Row


class Busy:
    """A tree whose root is busy."""

    def __init__(self) -> None:
        self.effects: list[Effect] = []
        self.tree, self.audiences = Tree(), Audiences()
        self.moment = Moment(self.tree)
        self.reporter = Reporter(self.effects)
        flow = FlowControl(FlowSettings(churn_per_second=1))
        self.deferred = Deferred(
            tree=self.tree,
            audiences=self.audiences,
            flow=flow,
            reporter=self.reporter,
            details=Details(),
        )
        self.moment.advance(1.0)
        self.root = self.tree.root
        self.root.listed = True
        assert flow.record_churn(self.root, self.tree.tick, self.moment.now)

    def create(self, name: bytes) -> None:
        self.deferred.defer(self.root, name, False, self.moment.now)
        self.tree.add(self.root, name, FILE)

    def delete(self, name: bytes) -> None:
        self.deferred.defer(self.root, name, False, self.moment.now, dies=True)
        self.tree.remove(self.root, name)


@pytest.fixture
def busy() -> Busy:
    return Busy()


def test_a_deletion_is_reported_to_who_knows_of_a_creation_in_the_same_tick(
    busy: Busy,
) -> None:
    busy.tree.add(busy.root, b"a", FILE)  # reported, before the directory was busy
    known = busy.tree.tick
    busy.delete(b"a")
    assert list(entries_since(busy.root, known)) == []
    busy.moment.advance(2.0)
    busy.deferred.flush(busy.root)
    assert list(entries_since(busy.root, known)) == [Row(Kind.DELETED, b"/a", False)]


def test_an_entry_that_came_and_went_meanwhile_is_not_reported(busy: Busy) -> None:
    before = busy.tree.tick
    busy.moment.advance(1.1)
    busy.create(b"a")
    busy.delete(b"a")
    busy.moment.advance(2.0)
    busy.deferred.flush(busy.root)
    assert list(entries_since(busy.root, before)) == []


def test_a_flush_reports_the_difference_once_to_the_audience(busy: Busy) -> None:
    subscription = Subscription(1, 1, b"/", Scope.DIRECTORY)
    busy.root.subscriptions = {subscription: None}
    busy.create(b"a")
    busy.deferred.flush_all()
    busy.deferred.flush_all()
    busy.reporter.close()
    created = Row(Kind.CREATED, b"/a", False, None, True)
    assert busy.effects == [Deliver((subscription,), [created], False)]


def test_a_quiet_directory_defers_nothing(busy: Busy) -> None:
    quiet = Node(busy.root, b"quiet")
    assert not busy.deferred.defer(quiet, b"a", False, busy.moment.now)
    assert quiet.deferred is None

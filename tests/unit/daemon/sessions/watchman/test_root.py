"""What a root's messages say of how far its clients can rely on them."""

import itertools
import json
from contextlib import closing

import pytest

from gamin.config.flow_settings import FlowSettings
from gamin.core.effects import Deliver
from gamin.core.model.subscription import Scope, Subscription
from gamin.core.monitor import Monitor
from gamin.daemon.io.loop import Loop
from gamin.daemon.sessions.watchman.root import MAX_USUAL_DELAY, Root, Subscriber
from gamin.events import Kind, Row
from gamin.protocol.watchman.client.watching import MAX_USUAL_DELAY_NS
from gamin.protocol.watchman.codec.compact import EVENT_FIELDS
from gamin.protocol.watchman.query.query import Query
from testkit.doubles.engine import plain_policy

NOW_NS = 10**18
SECOND_NS = 10**9
QUERY = Query(fields=EVENT_FIELDS, names=True, settle=0.0)


class Speaker:
    """Reads everything at once."""

    is_blocked = False

    def __init__(self) -> None:
        self.said: list[dict[str, object]] = []

    def say(self, data: bytes) -> None:
        self.said.append(json.loads(data))

    def flush(self) -> None:
        """Nothing waits."""


class Told:
    """A root with one client that is ours."""

    def __init__(self, report_interval: float = 1.0) -> None:
        settings = FlowSettings(report_interval=report_interval)
        self.monitor = Monitor(plain_policy(), settings)
        self.speaker = Speaker()
        self._keeper = Subscription(0, 0, b"/d", Scope.TREE)
        self._loop = Loop()
        server = (1, 1)
        self.root = Root(
            self._keeper, itertools.count(1), self.monitor, self._loop, server
        )
        self.view = Subscriber(self.speaker, "view", QUERY, 0, self.root.number)
        self.root.add(self.view)

    def tell(self, path: bytes, *, recovered: bool = False) -> None:
        row = Row(Kind.CHANGED, path, False)
        self.root.tell(Deliver((self._keeper,), [row], recovered))

    def close(self) -> None:
        self._loop.close()


def told_until(interval: float, report_interval: float, *, lists: bool) -> object:
    """What a message says, of a difference or of all there is."""
    with closing(Told(report_interval)) as told:
        told.monitor.recovery.complete_until_ns = NOW_NS
        told.monitor.coverage.method.longest_interval = interval
        if lists:
            told.root.send_fresh(told.view)
        else:
            told.tell(b"/d/f")
            told.root.flush()
        (message,) = told.speaker.said
        return message["complete_until_ns"]


def test_clients_allow_for_what_is_usual() -> None:
    assert MAX_USUAL_DELAY * SECOND_NS == MAX_USUAL_DELAY_NS
    assert told_until(0.0, 1.0, lists=False) == NOW_NS
    assert told_until(1.0, 1.0, lists=False) == NOW_NS


@pytest.mark.parametrize(("interval", "report_interval"), [(5.0, 1.0), (1.0, 5.0)])
def test_what_is_slower_is_allowed_for_by_the_server(
    interval: float, report_interval: float
) -> None:
    told = told_until(interval, report_interval, lists=False)
    assert told == NOW_NS - 4 * SECOND_NS


def test_a_list_has_everything() -> None:
    assert told_until(5.0, 1.0, lists=True) == NOW_NS


def test_what_is_found_in_the_same_round_comes_with_the_same_clock() -> None:
    """Or who leaves after the first half would not be told the other one."""
    with closing(Told()) as told:
        told.tell(b"/d/e")
        told.monitor.tree.tick += 1
        told.tell(b"/d/f", recovered=True)
        told.tell(b"/d/g")
        told.root.flush()
        told.tell(b"/d/h")
        told.root.flush()
        first, second = told.speaker.said
    assert first["recovered"]
    assert "recovered" not in second

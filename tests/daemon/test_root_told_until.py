"""Up to when a root's clients are told everything, by what each message says.

A client needs it when the server dies: what changed after that is looked for.
"""

import itertools
import json

import pytest

from gamin.core.effects import Tell
from gamin.core.flow_settings import FlowSettings
from gamin.core.monitor import Monitor
from gamin.core.subscriptions import Scope, Subscription
from gamin.daemon.loop import Loop
from gamin.daemon.root import USUAL_DELAY, Root, View
from gamin.events import Kind, Row
from gamin.protocol.modern.encoder import EVENT_FIELDS
from gamin.protocol.modern.query import Query
from gamin.protocol.modern.watching import HELD_NS
from tests.core.shell import plain_policy

NOW_NS = 10**18
SECOND_NS = 10**9
QUERY = Query(fields=EVENT_FIELDS, names=True, settle=0.0)


class Speaker:
    """Reads everything at once."""

    is_clogged = False

    def __init__(self) -> None:
        self.said: list[dict[str, object]] = []

    def say(self, data: bytes) -> None:
        self.said.append(json.loads(data))

    def flush(self) -> None:
        """Nothing waits."""


def told_until(interval: float, report_interval: float, *, lists: bool) -> object:
    """What a message says, of a difference or of all there is."""
    settings = FlowSettings(report_interval=report_interval)
    monitor = Monitor(plain_policy(), settings)
    monitor.recovery.good_ns = NOW_NS
    monitor.coverage.longest_interval = interval
    keeper = Subscription(0, 0, b"/d", Scope.TREE)
    loop = Loop()
    root = Root(keeper, itertools.count(1), monitor, loop, (1, 1))
    speaker = Speaker()
    view = View(speaker, "view", QUERY, 0, root.number)
    root.add(view)
    if lists:
        root.tell_all(view)
    else:
        root.tell(Tell((keeper,), [Row(Kind.CHANGED, b"/d/f", False)], False))
        root.flush()
    loop.close()
    (message,) = speaker.said
    return message["told_ns"]


def test_clients_allow_for_what_is_usual() -> None:
    assert USUAL_DELAY * SECOND_NS == HELD_NS
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

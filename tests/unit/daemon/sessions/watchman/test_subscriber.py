"""What a subscriber is owed, and what keeps it from getting it."""

from typing import cast

from gamin.core.deliver.cursor import Cursor
from gamin.daemon.sessions.watchman.delivery import Sink
from gamin.daemon.sessions.watchman.states import States
from gamin.daemon.sessions.watchman.subscriber import Subscriber
from gamin.protocol.watchman.query.query import Query

SINK = cast(Sink, object())
QUERY = Query(fields=("name",))
OWNER = object()


def test_a_subscriber_gets_what_happens_unless_it_wants_to_be_spared() -> None:
    states = States()
    states.enter("busy", OWNER)
    states.is_vcs_locked = True
    cursor = Cursor(1, 2)
    plain = Subscriber(SINK, QUERY, cursor)
    spared = [
        Subscriber(SINK, QUERY, cursor, defer=["busy"]),
        Subscriber(SINK, QUERY, cursor, drop=["busy"]),
        Subscriber(SINK, QUERY, cursor, defer_vcs=True),
    ]
    states.hold([plain, *spared])
    assert not plain.is_held
    assert all(each.is_held for each in spared)
    states.leave("busy", OWNER)
    states.is_vcs_locked = False
    states.hold(spared)
    assert not any(each.is_held for each in spared)

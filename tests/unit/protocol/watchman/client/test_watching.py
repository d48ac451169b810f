import pytest

from gamin.errors import RemoteProtocolError
from gamin.events import Event, Kind
from gamin.protocol.watchman import replies
from gamin.protocol.watchman.client.watched_path import (
    COARSE_NS,
    MAX_USUAL_DELAY_NS,
    WatchOptions,
)
from gamin.protocol.watchman.client.watching import (
    Batch,
    NeedsStat,
    Watching,
    WatchRefused,
)
from gamin.protocol.watchman.clocks import Clock
from gamin.protocol.watchman.codec.compact import EVENT_FIELDS
from gamin.protocol.watchman.codec.framing import encode
from gamin.protocol.watchman.requests import GetVersion, Subscribe
from testkit.rows import NOW, row
from testkit.watching_wire import (
    EMPTY,
    accepted,
    asked,
    events,
    listed,
    ready,
    started,
    subscriptions,
    told,
    welcome,
)


def test_a_watch_begins_with_what_it_needs_and_a_subscription_per_path() -> None:
    watching = Watching(
        ["/a", "/b\udcff"],
        WatchOptions(recursive=False, ignore=("*.o",), settle=0.5),
    )
    version, *subscribed = asked(watching.start())
    assert isinstance(version, GetVersion)
    assert "gamin-moved-from" in version.required
    assert [s.root for s in subscribed if isinstance(s, Subscribe)] == [
        b"/a",
        b"/b\xff",
    ]


def test_options_become_the_query() -> None:
    options = WatchOptions(
        recursive=False, ignore=("*.o",), vcs_ignore=True, settle=0.5
    )
    (subscribed,) = subscriptions(Watching(["/a"], options).start())
    query = subscribed.query
    assert subscribed.watch
    assert query.fields == EVENT_FIELDS
    assert (query.recursive, query.ignore, query.settle) == (False, ("*.o",), 0.0)
    assert (query.vcs_ignore, query.names, query.since) == (True, True, None)


def test_a_watch_is_ready_when_every_path_is_watched_and_pictured() -> None:
    watching = started(["/a", "/b"])
    watching.received(accepted(0) + listed(EMPTY, number=0))
    watching.received(accepted(1))
    assert not watching.ready
    watching.received(listed(EMPTY, number=1))
    assert watching.ready


def test_a_message_is_a_batch_of_events_below_the_path_as_it_was_given() -> None:
    watching = started(["/link/to/a"])
    data = accepted() + listed(EMPTY) + told(row(b"f", kind=Kind.CREATED), row(b"g"))
    (batch,) = watching.received(data)
    assert batch.events == [
        Event(Kind.CREATED, "/link/to/a/f"),
        Event(Kind.CHANGED, "/link/to/a/g"),
    ]


def test_a_batch_knows_the_clock_after_it_and_not_a_later_one() -> None:
    watching = ready()
    batches = watching.received(told(row(), tick=3) + told(row(), tick=4))
    assert [batch.clock for batch in batches] == [
        str(NOW.clock(3)),
        str(NOW.clock(4)),
    ]


def test_messages_cut_anywhere_give_the_same_events() -> None:
    watching = started()
    data = accepted() + listed(EMPTY) + told(row(b"f")) + told(row(b"g"), tick=3)
    batches = [
        batch
        for start in range(len(data))
        for batch in events(watching, data[start : start + 1])
    ]
    assert [[event.path for event in batch] for batch in batches] == [
        ["/a/f"],
        ["/a/g"],
    ]


def test_a_message_without_files_is_no_batch_but_moves_the_clock() -> None:
    watching = ready()
    assert watching.received(told(tick=5)) == []
    assert watching.clock == str(NOW.clock(5))


def test_the_clock_is_known_when_every_path_has_one() -> None:
    watching = started(["/a", "/b"])
    watching.received(accepted(0) + listed(EMPTY, number=0, tick=1))
    assert watching.clock is None
    watching.received(accepted(1) + listed(EMPTY, number=1, tick=2))
    assert watching.clock == f"{NOW.clock(1)},{NOW.clock(2)}"


def test_a_watch_goes_on_from_a_clock() -> None:
    watching = Watching(["/a", "/b"], WatchOptions(), since="c:1:2:3:4,c:1:2:3:5")
    sinces = [s.query.since for s in subscriptions(watching.start())]
    assert sinces == [Clock(1, 2, 3, 4), Clock(1, 2, 3, 5)]


def test_changes_since_the_clock_are_reported_before_it_moves() -> None:
    watching = started(since=str(NOW.clock(1)))
    watching.received(accepted(tick=9))
    assert watching.clock == str(NOW.clock(1))
    data = told(row(), tick=9) + listed(EMPTY, tick=9, fresh=False)
    assert events(watching, data) == [[Event(Kind.CHANGED, "/a/a.c")]]
    assert watching.clock == str(NOW.clock(9))
    assert watching.ready


def test_a_clock_of_other_paths_is_refused() -> None:
    with pytest.raises(ValueError, match="1 clocks for 2 paths"):
        Watching(["/a", "/b"], WatchOptions(), since="c:1:2:3:4")


def test_every_path_continues_from_its_clock_after_a_reconnect() -> None:
    watching = ready()
    watching.received(told(row(), tick=7)[:-5])
    (subscribed,) = subscriptions(watching.start())
    assert subscribed.query.since == NOW.clock(1)
    assert not subscribed.query.initial, "the picture of before will do"
    assert not watching.ready
    assert watching.received(welcome() + accepted(tick=8) + told(row(), tick=8))
    assert watching.ready


def test_a_connection_that_ends_before_all_is_watched_was_none() -> None:
    watching = started()
    watching.received(accepted())
    (subscribed,) = subscriptions(watching.start())
    assert (subscribed.query.since, subscribed.query.initial) == (None, True)


def test_the_list_that_was_asked_for_is_no_recovery() -> None:
    watching = started(initial=True)
    listing = listed((b"", b"d/f"), (b"d", b"g"), (b"d/e", None))
    assert events(watching, accepted() + listing) == [
        [
            Event(Kind.EXISTS, "/a/d", is_dir=True),
            Event(Kind.EXISTS, "/a/f"),
            Event(Kind.EXISTS, "/a/d/g"),
        ]
    ]


def test_a_file_is_its_own_list() -> None:
    watching = started(initial=True)
    message = replies.message("0", b"/a", NOW.clock(1), fresh=True)
    data = encode({**message, "is_file": True}, rows=b'""', names=b'""')
    assert events(watching, accepted() + data) == [[Event(Kind.EXISTS, "/a")]]


def test_the_clock_waits_for_the_list_that_was_asked_for() -> None:
    watching = started(initial=True)
    watching.received(accepted())
    assert watching.clock is None
    watching.received(listed(EMPTY, tick=1))
    assert watching.clock == str(NOW.clock(1))


def test_a_list_that_was_not_asked_for_is_a_recovery() -> None:
    watching = started(since=str(NOW.clock(1)))
    data = accepted() + listed((b"", b"f"))
    assert events(watching, data) == [[Event(Kind.EXISTS, "/a/f", recovered=True)]]


def test_a_new_listing_is_reported_as_its_difference_from_the_belief() -> None:
    watching = ready((b"", b"d"), (b"d", b"old"))
    watching.received(
        told(row(b"e", kind=Kind.CREATED), row(b"d/old", kind=Kind.DELETED), tick=2)
    )
    assert events(watching, listed((b"", b"d"), (b"d", b"new"), tick=3)) == [
        [
            Event(Kind.DELETED, "/a/e", recovered=True),
            Event(Kind.CREATED, "/a/d/new", recovered=True),
        ]
    ]


def test_files_in_both_lists_are_examined() -> None:
    watching = ready((b"", b"f/g"), complete_until_ns=10**18)
    (examine,) = watching.received(listed((b"", b"f/g"), tick=2))
    assert isinstance(examine, NeedsStat)
    assert examine.files == ["/a/f", "/a/g"]
    assert examine.folders == ["/a"]
    assert examine.batch(["/a/g"]) == Batch(
        [Event(Kind.CHANGED, "/a/g", recovered=True)], str(NOW.clock(2)), "0"
    )


def test_entries_in_both_listings_changed_if_the_path_leads_elsewhere() -> None:
    watching = ready((b"", b"d/f"), (b"d", b"g"), inode=(1, 5))
    same = listed((b"", b"d/f"), (b"d", b"g"), inode=(1, 5))
    (examine,) = watching.received(same)
    assert isinstance(examine, NeedsStat)
    assert examine.folders == ["/a", "/a/d"]
    other = listed((b"", b"d/f"), (b"d", b"g"), inode=(1, 6))
    ((*changed,),) = events(watching, other)
    assert sorted(event.path for event in changed) == ["/a/d/g", "/a/f"]
    assert {event.kind for event in changed} == {Kind.CHANGED}


def test_a_new_target_of_the_path_is_not_reported_twice() -> None:
    watching = ready((b"", b"f"), inode=(1, 5))
    gone, come = row(b"", kind=Kind.DELETED), row(b"", kind=Kind.CREATED, is_dir=True)
    file = row(b"f", kind=Kind.CREATED)
    watching.received(told(gone) + told(come, file, inode=(1, 6)))
    (examine,) = watching.received(listed((b"", b"f"), inode=(1, 6)))
    assert isinstance(examine, NeedsStat)


@pytest.mark.parametrize(
    ("messages", "since_ns"),
    [
        pytest.param([], 10**18 - COARSE_NS, id="nothing since the picture was taken"),
        pytest.param(
            [told(row(), complete_until_ns=10**18 + 10**9)],
            10**18 - COARSE_NS,
            id="something soon after, before which something may have been held back",
        ),
        pytest.param(
            [told(row(), complete_until_ns=10**18 + 10**10), told(row())],
            10**18 + 10**10 - MAX_USUAL_DELAY_NS,
            id="something later, and nothing of when the last was complete",
        ),
    ],
)
def test_a_change_counts_as_missed_from_when_on_it_may_have_been(
    messages: list[bytes], since_ns: int
) -> None:
    watching = ready((b"", b"f"), complete_until_ns=10**18)
    for message in messages:
        watching.received(message)
    (examine,) = watching.received(listed((b"", b"f"), tick=9))
    assert isinstance(examine, NeedsStat)
    assert examine.since_ns == since_ns


def test_a_recovery_of_the_server_is_passed_on() -> None:
    ((event,),) = events(ready(), told(row(), recovered=True))
    assert event.recovered


def test_a_watch_is_over_when_all_its_roots_are_gone() -> None:
    watching = started(["/a", "/b"])
    watching.received(encode(replies.canceled("0", b"/a")))
    assert not watching.over
    watching.received(encode(replies.canceled("1", b"/b")))
    assert watching.over


def test_a_root_that_is_gone_is_not_asked_for_again() -> None:
    watching = started(["/a", "/b"])
    watching.received(encode(replies.canceled("0", b"/a")))
    assert [s.root for s in subscriptions(watching.start())] == [b"/b"]


def test_a_refusal_of_the_server_carries_its_reason() -> None:
    watching = Watching(["/a"], WatchOptions())
    watching.start()
    with pytest.raises(WatchRefused, match="too old"):
        watching.received(encode(replies.error("too old")))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(told(number=7), id="a subscription that nobody made"),
        pytest.param(b'{"subscription":"0","rows":""}\n', id="no clock"),
        pytest.param(b'{"subscription":"0","clock":"c","rows":5}\n', id="no rows"),
        pytest.param(b'{"subscription":"0","clock":"c","rows":"x"}\n', id="a bad row"),
        pytest.param(b'{"subscription":"0","clock":"c","names":5}\n', id="no names"),
        pytest.param(
            b'{"subscription":"0","clock":"c","names":"x"}\n', id="a path alone"
        ),
    ],
)
def test_a_senseless_message_ends_the_connection(data: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        started().received(data)


def test_what_changed_after_the_clock_was_set_back_is_asked_for() -> None:
    watching = ready((b"", b"f"), complete_until_ns=100_000_000_000)
    watching.clock_was_set_back(60_000_000_000)
    watching.start()
    watching.received(welcome())
    messages = accepted() + listed((b"", b"f"), complete_until_ns=50_000_000_000)
    (needs_stat,) = watching.received(messages)
    assert isinstance(needs_stat, NeedsStat)
    assert needs_stat.since_ns == 40_000_000_000 - COARSE_NS

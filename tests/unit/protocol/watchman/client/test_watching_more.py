"""Paths that are added to a watch and taken from it, and what a watch may ask for."""

import pytest

from gamin.events import Event, Kind
from gamin.protocol.watchman import replies
from gamin.protocol.watchman.client.watched_path import WatchOptions
from gamin.protocol.watchman.client.watching import Watching, WatchRefused
from gamin.protocol.watchman.codec.framing import encode
from gamin.protocol.watchman.requests import GetVersion
from testkit.rows import NOW, row
from testkit.watching_wire import (
    EMPTY,
    accepted,
    asked,
    listed,
    ready,
    subscriptions,
    told,
    welcome,
)

# -- more paths, and fewer


def refused(text: str) -> bytes:
    return encode(replies.error(text))


def test_a_path_that_is_added_is_asked_for_alone_and_becomes_ready() -> None:
    watching = ready()
    key, data = watching.add("/b")
    assert [s.root for s in subscriptions(data)] == [b"/b"]
    assert not watching.is_ready(key)
    watching.received(accepted(1) + listed(EMPTY, number=1))
    assert watching.is_ready(key)
    (batch,) = watching.received(told(row(b"f"), number=1))
    assert (batch.key, batch.events) == (key, [Event(Kind.CHANGED, "/b/f")])
    assert [s.root for s in subscriptions(watching.start())] == [b"/a", b"/b"]


def test_nothing_is_reported_of_a_path_that_was_taken_away() -> None:
    watching = ready()
    key, _ = watching.add("/b")
    watching.received(accepted(1) + listed(EMPTY, number=1))
    assert watching.keys_of("/b") == [key]
    watching.remove(key)
    assert watching.received(told(row(b"f"), number=1)) == []
    assert watching.keys_of("/b") == []
    watching.received(encode(replies.unsubscribe("1", deleted=True)))
    assert [s.root for s in subscriptions(watching.start())] == [b"/a"]


def test_a_refusal_of_a_path_that_was_added_leaves_the_others_alone() -> None:
    watching = ready()
    key, _ = watching.add("/b", WatchOptions(ignore=("*" * 20_000,)))
    assert watching.received(refused("too much")) == []
    assert watching.is_ready(key)
    assert watching.take_refusal(key) == "too much"
    assert not watching.over
    assert watching.keys_of("/b") == []


def test_a_path_that_was_added_and_that_another_server_refuses_ends_the_watch() -> None:
    watching = ready()
    watching.add("/b")
    watching.received(accepted(1) + listed(EMPTY, number=1))
    watching.start()
    watching.received(welcome() + accepted())
    with pytest.raises(WatchRefused, match="too many"):
        watching.received(refused("too many"))


def test_a_watch_whose_paths_were_all_taken_away_is_not_over() -> None:
    watching = ready()
    watching.remove("0")
    assert watching.clock is None
    assert watching.ready
    assert not watching.over


# -- what a watch may ask for


def test_a_session_that_nobody_continues_has_no_clock() -> None:
    watching = Watching(["/a"], WatchOptions(), has_clock=False)
    watching.start()
    watching.received(accepted() + listed(EMPTY))
    watching.add("/b")
    (batch,) = watching.received(told(row(b"f")))
    assert batch.events == [Event(Kind.CHANGED, "/a/f")]
    assert watching.clock is None


def test_capabilities_are_required_only_by_those_who_need_them() -> None:
    def required(options: WatchOptions) -> set[str]:
        version = asked(Watching(["/a"], options).start())[0]
        assert isinstance(version, GetVersion)
        return set(version.required)

    plain = required(WatchOptions())
    assert required(WatchOptions(details=True)) - plain == {"gamin-details"}
    assert required(WatchOptions(flow_control=False)) - plain == {"gamin-flow-control"}
    assert required(WatchOptions(unreadable=True)) - plain == {"gamin-unreadable"}


def test_unreadable_directories_are_those_of_the_last_message_that_says_so() -> None:
    watching = ready()
    message = replies.message("0", b"/a", NOW.clock(2))
    watching.received(encode({**message, "unreadable": "x//y/z"}, rows=b'""'))
    assert watching.unreadable == ["/a/x", "/a/y/z"]
    watching.received(told(row(b"f")))
    assert watching.unreadable == ["/a/x", "/a/y/z"]
    watching.received(encode({**message, "unreadable": ""}, rows=b'""'))
    assert watching.unreadable == ["/a"]
    watching.received(encode({**message, "unreadable": None}, rows=b'""'))
    assert watching.unreadable == []


@pytest.mark.parametrize("is_known", [True, False])
def test_one_that_asks_once_is_ready_after_a_message_without_rows(
    is_known: bool,
) -> None:
    """The clock may be one of another server, which could answer with a listing."""
    clock = str(NOW.clock(1)) if is_known else "n:backup"
    watching = Watching(["/a"], WatchOptions(once=True), since=clock)
    watching.start()
    watching.received(welcome() + accepted())
    (batch,) = watching.received(told(row(b"f")))
    assert batch.events == [Event(Kind.CHANGED, "/a/f")]
    assert not watching.ready
    assert watching.received(told()) == []
    assert watching.ready


def test_one_that_asks_once_is_ready_after_the_listing_of_an_older_server() -> None:
    watching = Watching(["/a"], WatchOptions(once=True), since=str(NOW.clock(1)))
    watching.start()
    watching.received(welcome() + accepted() + listed(EMPTY))
    assert watching.ready

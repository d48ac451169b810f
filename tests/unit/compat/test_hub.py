"""The connection that all watches of watchdog in a process share."""

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gamin.compat import hub
from gamin.compat.hub import Feed, open_feed
from gamin.errors import GaminError
from gamin.events import Event, Kind
from gamin.protocol.watchman.client.watched_path import WatchOptions
from testkit.waiting import eventually
from testkit.watches import created, kill_server, serving

OPTIONS = WatchOptions()


@pytest.fixture(autouse=True)
def server(session: str) -> Iterator[None]:
    with serving(session):
        yield


@pytest.fixture
def places(tmp_path: Path) -> list[Path]:
    places = [tmp_path / name for name in ("a", "b", "c")]
    for place in places:
        place.mkdir()
    return places


def until(feed: Feed, wanted: Event) -> list[Event]:
    """The events up to the wanted one, which may have been recovered."""
    events: list[Event] = []
    while wanted not in [event._replace(recovered=False) for event in events]:
        batch = feed.get()
        assert batch is not None, "the feed has ended"
        events += batch
    return events


def has_thread() -> bool:
    return any(thread.name == "gamin-hub" for thread in threading.enumerate())


def test_feeds_share_a_connection_and_each_gets_its_own_events(
    places: list[Path],
) -> None:
    feeds = [open_feed(str(place), OPTIONS) for place in places]
    before = len(os.listdir("/proc/self/fd"))
    feeds += [open_feed(str(places[0]), WatchOptions(recursive=False))]
    assert len(os.listdir("/proc/self/fd")) == before
    (places[0] / "f").touch()
    (places[1] / "f").touch()
    assert until(feeds[0], created(places[0] / "f")) == [created(places[0] / "f")]
    assert until(feeds[1], created(places[1] / "f")) == [created(places[1] / "f")]
    assert until(feeds[3], created(places[0] / "f"))
    for feed in feeds:
        feed.close()
    eventually(lambda: not has_thread(), what="the end of the thread")


def test_a_feed_that_is_closed_ends_and_others_go_on(places: list[Path]) -> None:
    first, second = (open_feed(str(place), OPTIONS) for place in places[:2])
    first.close()
    first.close()
    assert first.get() is None
    (places[1] / "f").touch()
    assert until(second, created(places[1] / "f"))
    second.close()


def test_a_new_connection_is_made_after_the_last_feed_was_closed(
    places: list[Path],
) -> None:
    open_feed(str(places[0]), OPTIONS).close()
    feed = open_feed(str(places[1]), OPTIONS)
    (places[1] / "f").touch()
    assert until(feed, created(places[1] / "f"))
    feed.close()


def test_many_threads_open_feeds_at_once(tmp_path: Path) -> None:
    places = [tmp_path / str(number) for number in range(40)]
    for place in places:
        place.mkdir()
    with ThreadPoolExecutor(8) as pool:
        feeds = [*pool.map(lambda place: open_feed(str(place), OPTIONS), places)]
    for place, feed in zip(places, feeds, strict=True):
        (place / "f").touch()
        assert until(feed, created(place / "f"))
    with ThreadPoolExecutor(8) as pool:
        [*pool.map(Feed.close, feeds)]
    eventually(lambda: not has_thread(), what="the end of the thread")


def test_feeds_outlive_the_server(places: list[Path]) -> None:
    feeds = [open_feed(str(place), OPTIONS) for place in places]
    kill_server()
    for place, feed in zip(places, feeds, strict=True):
        (place / "f").touch()
        events = until(feed, created(place / "f"))
        assert {event.kind for event in events} == {Kind.CREATED}
        feed.close()


def test_a_refused_watch_leaves_others_alone(places: list[Path]) -> None:
    feed = open_feed(str(places[0]), OPTIONS)
    with pytest.raises(GaminError):
        open_feed(str(places[1]), WatchOptions(settle=-1.0))
    (places[0] / "f").touch()
    assert until(feed, created(places[0] / "f"))
    feed.close()


def test_without_a_server_feeds_end_with_an_error(
    places: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = open_feed(str(places[0]), OPTIONS)
    monkeypatch.setenv("GAMIN_DEBUG_SERVER", "/bin/no-such-program")
    kill_server()
    assert feed.get() is None
    assert isinstance(feed.error, GaminError)
    feed.close()


def test_a_forked_process_makes_a_connection_of_its_own(places: list[Path]) -> None:
    feed = open_feed(str(places[0]), OPTIONS)
    mine = hub._hub
    child = os.fork()
    if not child:  # only what cannot fail
        os._exit(0 if hub._hub is None else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert hub._hub is mine
    feed.close()

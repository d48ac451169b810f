"""Changes that a thread receives, taken by the main loop."""

import select
from collections.abc import Iterator

import pytest

from gamin.cli.change_feed import ChangeFeed, paths_of
from gamin.events import Event, Kind
from testkit.waiting import eventually

A, B = Event(Kind.CREATED, "/a"), Event(Kind.CHANGED, "/b")


def received(watch: Iterator[list[Event]]) -> ChangeFeed:
    """A feed that has received everything, up to the end of the watch."""
    feed = ChangeFeed(watch)
    eventually(lambda: feed._has_ended)
    return feed


def is_readable(feed: ChangeFeed) -> bool:
    return bool(select.select([feed], [], [], 0)[0])


def failing(batches: list[list[Event]], error: BaseException) -> Iterator[list[Event]]:
    yield from batches
    raise error


def test_a_move_has_two_paths_and_every_other_event_one() -> None:
    moved = Event(Kind.MOVED, "/from", "/to")
    assert list(paths_of([A, moved, B])) == ["/a", "/from", "/to", "/b"]


def test_batches_that_came_since_the_last_call_are_taken_together() -> None:
    feed = received(iter([[A], [B, A]]))
    assert is_readable(feed)
    assert feed.take() == ["/a", "/b", "/a"]
    feed.join()


def test_the_end_is_returned_by_a_call_of_its_own() -> None:
    feed = received(iter([[A]]))
    assert feed.take() == ["/a"]
    assert not feed.is_over
    assert is_readable(feed)  # so the main loop comes back for the end
    assert feed.take() == []
    assert feed.is_over
    feed.join()


def test_an_error_of_the_watch_is_raised_once_after_what_came_before() -> None:
    feed = received(failing([[A]], ValueError("broken")))
    assert feed.take() == ["/a"]
    with pytest.raises(ValueError, match="broken"):
        feed.take()
    assert feed.is_over
    assert feed.take() == []
    feed.join()


def test_even_an_exit_in_the_thread_reaches_the_main_loop() -> None:
    feed = received(failing([], SystemExit(3)))
    with pytest.raises(SystemExit):
        feed.take()
    feed.join()


def test_a_feed_without_changes_is_not_readable() -> None:
    class Waiting:
        """A watch that yields nothing until it is closed."""

        def __init__(self) -> None:
            self.closed = False

        def __iter__(self) -> "Waiting":
            return self

        def __next__(self) -> list[Event]:
            eventually(lambda: self.closed)
            raise StopIteration

    watch = Waiting()
    feed = ChangeFeed(watch)
    assert not is_readable(feed)
    assert feed.take() == []
    assert not feed.is_over
    watch.closed = True
    feed.join()

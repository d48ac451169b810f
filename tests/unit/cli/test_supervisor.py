"""`gamin run` when the watch itself ends or fails."""

from collections.abc import Iterator

import pytest

from gamin.cli.change_feed import ChangeFeed
from gamin.cli.supervisor import Plan, Supervisor
from gamin.client.locate import ServerUnresponsive
from gamin.events import Event, Kind
from gamin.system.address import Address
from testkit.waiting import eventually

ADDRESS = Address(0, b"me", b"s")


def supervise(
    watch: Iterator[list[Event]], *command: str, postponed: bool = False
) -> int:
    feed = ChangeFeed(watch)
    plan = Plan(["/w"], lambda _: list(command), is_postponed=postponed, quiet=True)
    try:
        return Supervisor(plan, feed).run()
    finally:
        feed.join()


def test_an_error_of_the_watch_stops_the_command_and_is_raised() -> None:
    def failing() -> Iterator[list[Event]]:
        yield [Event(Kind.CREATED, "/w/a")]
        raise ServerUnresponsive(ADDRESS, 1)

    with pytest.raises(ServerUnresponsive):
        supervise(failing(), "sleep", "1000")


def test_the_end_of_the_watch_ends_the_program_after_the_command() -> None:
    assert supervise(iter([]), "true") == 0


def test_the_paths_of_a_move_are_both_changed() -> None:
    feed = ChangeFeed(iter([[Event(Kind.MOVED, "/w/a", "/w/b")]]))
    assert eventually(feed.take) == ["/w/a", "/w/b"]
    feed.join()

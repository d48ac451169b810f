"""The state of the server, pushed to the clients that asked for it."""

from collections.abc import Iterator

import pytest

from gamin.daemon.io.loop import Loop
from gamin.daemon.sessions.watchman.figures_feed import FiguresFeed, next_interval
from testkit.doubles.listeners import Listener
from testkit.sessions import home


class CountingLoop(Loop):
    @property
    def timers(self) -> int:
        """Callbacks that are due later."""
        return len(self._timers)


@pytest.fixture
def loop() -> Iterator[CountingLoop]:
    loop = CountingLoop()
    yield loop
    loop.close()


def test_a_client_gets_the_figures_at_once_and_again_after_the_interval(
    loop: CountingLoop,
) -> None:
    taken = iter(range(10))
    feed, client = FiguresFeed(loop, lambda: {"number": next(taken)}), Listener()
    feed.set_interval(client, 0.1)
    loop.run_once(0)
    assert [each["figures"] for each in client.messages] == [{"number": 0}]
    assert client.messages[0]["unilateral"] is True
    while len(client.messages) < 2:
        loop.run_once()
    assert [each["figures"] for each in client.messages][1:] == [{"number": 1}]


def test_nothing_is_scheduled_when_the_last_client_wants_no_more(
    loop: CountingLoop,
) -> None:
    feed, client, other = FiguresFeed(loop, dict), Listener(), Listener()
    feed.set_interval(client, 0.1)
    feed.set_interval(other, 0.1)
    feed.set_interval(client, 0.2)  # in the place of the first wish
    loop.run_once(0)
    feed.set_interval(client, 0)
    feed.set_interval(other, 0)
    feed.set_interval(other, 0)  # it had none
    assert loop.timers == 0
    assert len(client.messages) == len(other.messages) == 1


def test_no_figures_are_taken_for_a_client_that_does_not_read(
    loop: CountingLoop,
) -> None:
    feed, client = FiguresFeed(loop, lambda: pytest.fail("taken")), Listener()
    client.is_blocked = True
    feed.set_interval(client, 0.1)
    loop.run_once(0)
    assert client.messages == []
    assert loop.timers == 1, "it gets them when it reads again"


def test_a_client_that_turns_out_to_have_left_is_forgotten(loop: CountingLoop) -> None:
    class Leaving(Listener):
        def flush(self) -> None:
            feed.set_interval(self, 0)

    feed = FiguresFeed(loop, dict)
    feed.set_interval(Leaving(), 0.1)
    loop.run_once(0)
    assert loop.timers == 0


@pytest.mark.parametrize(
    ("interval", "cost", "expected"),
    [(1.0, 0.001, 1.0), (1.0, 0.02, 2.0), (1.0, 9.0, 10.0), (60.0, 9.0, 60.0)],
)
def test_figures_that_cost_much_are_pushed_less_often(
    interval: float, cost: float, expected: float
) -> None:
    assert next_interval(interval, cost) == expected


def test_the_server_pushes_until_the_client_wants_no_more() -> None:
    with home() as server:
        peer = server.watcher()
        assert peer.ask("gamin-figures", 0.1)["interval"] == 0.1
        assert [peer.message()["figures"] for _ in range(2)] == [{"pid": 7}] * 2
        assert peer.ask("gamin-figures", 0)["interval"] == 0

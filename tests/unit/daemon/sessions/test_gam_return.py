"""A client that comes back: recognized by its first request, and looked after once."""

from collections.abc import Generator, Sequence
from typing import Any

from gamin.core.model.subscription import Scope, Subscription
from gamin.daemon.io.loop import Loop
from gamin.daemon.sessions.gam_return import ClientReturn
from gamin.events import Kind, Row
from gamin.protocol.gam.server import Monitor

REPEATED = Monitor(1, b"/a", directory=True, no_exists=True)
ROWS = [Row(Kind.CREATED, b"new", False)]


class Gap:
    def __init__(self, steps: int = 2) -> None:
        self._steps = steps
        self.is_looked_at = False

    def steps(self) -> Generator[None, None, None]:
        for _ in range(self._steps):
            yield
        self.is_looked_at = True

    def rows(self, listed: object) -> list[Row]:
        return ROWS


class Repetition:
    is_over = False

    def gap(self, request: Monitor, subscription: Subscription) -> Any:
        return Gap() if request.sequence == 1 else None


class Client:
    def __init__(self, repetition: Any = None) -> None:
        self.loop = Loop()
        self.asked: list[Sequence[Monitor]] = []
        self.looked: list[Subscription] = []

        def find(requests: Sequence[Monitor]) -> Any:
            self.asked.append(list(requests))
            return repetition

        self.coming = ClientReturn(find, self.looked.extend, self.loop)

    def run(self) -> None:
        for _ in range(10):
            self.loop.run_once(0)
        self.loop.close()


def subscription(number: int = 1) -> Subscription:
    return Subscription(None, number, b"/a", Scope.DIRECTORY)


def test_only_the_first_request_is_asked_for_and_only_without_a_listing() -> None:
    client = Client(Repetition())
    later = REPEATED._replace(sequence=2)
    assert client.coming.has_come_back(REPEATED, [later])
    assert client.asked == [[REPEATED, later]]
    assert not client.coming.has_come_back(later, [])
    assert len(client.asked) == 1
    other = Client(Repetition())
    assert not other.coming.has_come_back(REPEATED._replace(no_exists=False), [])
    assert not other.coming.has_come_back(REPEATED, [])
    assert other.asked == []


def test_a_path_is_looked_at_before_its_difference_is_taken_once() -> None:
    client, one = Client(Repetition()), subscription()
    client.coming.has_come_back(REPEATED, [])
    client.coming.requested(REPEATED, one)
    assert client.coming.look(one)
    assert client.looked == []
    client.run()
    assert client.looked == [one]
    assert client.coming.take_rows(one, []) == ROWS
    assert client.coming.take_rows(one, []) is None


def test_a_request_of_which_nothing_is_known_is_as_any_other() -> None:
    client, two = Client(Repetition()), subscription(2)
    client.coming.has_come_back(REPEATED, [])
    client.coming.requested(REPEATED._replace(sequence=2), two)
    assert not client.coming.look(two)
    assert client.coming.take_rows(two, []) is None


def test_a_subscription_that_ends_meanwhile_is_not_looked_after() -> None:
    client, one, other = Client(Repetition()), subscription(), subscription()
    client.coming.has_come_back(REPEATED, [])
    for each in (one, other):
        client.coming.requested(REPEATED, each)
        client.coming.look(each)
    client.coming.forget(one)
    client.run()
    assert client.looked == [other]


def test_nothing_is_looked_at_for_a_client_that_is_gone() -> None:
    client, one = Client(Repetition()), subscription()
    client.coming.has_come_back(REPEATED, [])
    client.coming.requested(REPEATED, one)
    client.coming.look(one)
    client.coming.close()
    client.run()
    assert client.looked == []

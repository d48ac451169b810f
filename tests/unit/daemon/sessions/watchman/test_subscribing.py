"""What a subscriber gets first, while the tree changes."""

import itertools
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any

import pytest

from gamin.config.client_limits import ClientLimits
from gamin.core.model.subscription import Scope
from gamin.daemon.io.errands import Steps
from gamin.daemon.io.loop import Loop
from gamin.daemon.sessions.watchman import results
from gamin.daemon.sessions.watchman.delivery import FileRows
from gamin.daemon.sessions.watchman.memory import Recalled
from gamin.daemon.sessions.watchman.queries import Queries
from gamin.daemon.sessions.watchman.root import Root
from gamin.daemon.sessions.watchman.subscriber import Subscriber
from gamin.daemon.sessions.watchman.subscribing import Subscribing
from gamin.daemon.sessions.watchman.tick_times import TickTimes
from gamin.protocol.watchman import replies
from gamin.protocol.watchman import requests as ask
from gamin.protocol.watchman.clocks import ClockSpec
from gamin.protocol.watchman.codec.codec import Codec
from gamin.protocol.watchman.codec.framing import decode
from gamin.protocol.watchman.codec.json_codec import JSON
from gamin.protocol.watchman.query.query import Query, parse_query
from testkit.doubles.engine import Shell


class Client:
    """A connection that reads all it gets."""

    codec: Codec = JSON
    is_blocked = False
    is_waiting = False
    has_room = True
    is_owner = True

    def __init__(self) -> None:
        self.subscriptions: dict[tuple[bytes, str], tuple[Root, Subscriber]] = {}
        self.messages: list[Any] = []

    def send(self, data: bytes) -> None:
        self.messages.append(decode(data))

    def send_pieces(self, pieces: Sequence[bytes]) -> None:
        self.send(b"".join(pieces))

    def flush(self) -> None: ...

    def reply(self, reply: replies.Reply, rows: FileRows | None = None) -> None: ...

    def reply_around(
        self, reply: replies.Reply, member: str, pieces: Sequence[bytes]
    ) -> None: ...

    def attempt(self, step: Callable[[], None]) -> None: ...

    def go_on(self) -> None: ...

    def work(self, steps: Steps[None]) -> None: ...

    def names(self) -> list[str]:
        """What was delivered, in order; the messages are forgotten."""
        messages, self.messages = self.messages, []
        return [row["name"] for each in messages for row in each["files"]]


class Roots:
    """All roots there are, always up to date."""

    limits = ClientLimits()

    def bringing_up_to_date(self, root: Root) -> Generator[None, None, bool]:
        yield
        return True

    def flush_deferred(self) -> None: ...

    def on_changed(self, root: Root) -> None: ...


class Home:
    def __init__(self, loop: Loop) -> None:
        self.shell = Shell()
        self.shell.disk.makedirs(b"/r/a")
        for number in range(6):
            self.shell.disk.touch(b"/r/a/%d" % number)
        subscription = self.shell.view().subscribe(b"/r", Scope.TREE)
        self.root = Root(
            subscription, itertools.count(1), self.shell.monitor, loop, (1, 1)
        )
        self.root.become_ready(1)
        self.client = Client()
        self.subscribing = Subscribing(
            Roots(),  # type: ignore[arg-type]  # a double
            Queries(TickTimes(), lambda root, name: None, ClientLimits),
            self._recall,
            self._no_reader,
        )

    def _recall(
        self, root: Root, query: Query
    ) -> Generator[None, None, tuple[ClockSpec | None, Recalled | None]]:
        yield
        return query.since, None

    def _no_reader(self, root: Root, query: Query) -> Any:
        raise AssertionError("nobody asks for hashes")

    def steps(self, **options: object) -> Steps[None]:
        query = parse_query({"fields": ["name", "exists"], "settle": 0, **options})
        request = ask.Subscribe(b"/r", "s", query)
        return self.subscribing.subscribe(self.root, request, self.client)

    def clock(self) -> str:
        return str(self.root.clock())


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    monkeypatch.setattr(results, "STEP_PRICE", 1)
    loop = Loop()
    yield Home(loop)
    loop.close()


def test_everything_is_found_in_slices_and_what_changed_meanwhile_is_right(
    home: Home,
) -> None:
    steps = home.steps()
    for _ in range(4):
        next(steps)
    home.shell.disk.touch(b"/r/new")
    home.shell.disk.unlink(b"/r/a/0")
    home.shell.disk.rename(b"/r/a/5", b"/r/5")
    home.shell.settle()
    assert sum(1 for _ in steps) > 3
    found = home.client.names()
    assert sorted(found) == ["5", "a", "a/1", "a/2", "a/3", "a/4", "new"]


def test_a_difference_is_found_in_slices_and_each_name_is_delivered_once(
    home: Home,
) -> None:
    clock = home.clock()
    for number in range(4):
        home.shell.disk.write(b"/r/a/%d" % number)
    home.shell.settle()
    steps = home.steps(since=clock)
    for _ in range(4):
        next(steps)
    home.shell.disk.write(b"/r/a/0")
    home.shell.disk.touch(b"/r/late")
    home.shell.settle()
    for _ in steps:
        pass
    assert sorted(home.client.names()) == ["a/0", "a/1", "a/2", "a/3", "late"]


def test_nothing_is_delivered_where_nothing_happened_since(home: Home) -> None:
    for _ in home.steps(since=home.clock()):
        pass
    assert home.client.names() == []
    _, subscriber = home.client.subscriptions[b"/r", "s"]
    assert not subscriber.cursor.is_behind

"""A watch with `settle`: on its channel, with the answers of a server."""

import json
import socket
from collections.abc import Iterator

import pytest

from gamin.client.arguments import make_session
from gamin.client.channel import Channel
from gamin.client.settler import Settler
from gamin.events import Event, Kind
from gamin.protocol.watchman.client.held_clock import split
from gamin.protocol.watchman.client.watched_path import WatchOptions
from gamin.protocol.watchman.client.watching import Batch

START = [
    {"version": "1"},
    {"subscribe": "0", "clock": "c:1:2:3:4"},
    {
        **{"subscription": "0", "clock": "c:1:2:3:4"},
        **{"names": "//", "is_fresh_instance": True},
    },
]
CREATED = {"subscription": "0", "clock": "c:1:2:3:5", "rows": "cf"}
FOUND = Event(Kind.CREATED, "/a/f")


class Scene:
    """A settler with a span of a second, a clock, and the server's end."""

    def __init__(self) -> None:
        self.now = 0.0
        self.channel = Channel(make_session(["/a"], WatchOptions(settle=1.0), None))
        self.settler = Settler(self.channel, lambda: self.now)
        self.server: socket.socket | None = None
        self.connect()

    def connect(self, *first: object) -> None:
        self.close()
        ours, self.server = socket.socketpair()
        self.channel.connected(ours)
        self.send(*(first or START))
        self.sent()

    def close(self) -> None:
        self.channel.close()
        if self.server is not None:
            self.server.close()

    def send(self, *messages: object) -> None:
        """Have the server send, and the settler take what the channel received."""
        assert self.server is not None
        self.server.sendall(b"".join(json.dumps(m).encode() + b"\n" for m in messages))
        while self.channel.pump():
            pass
        while self.channel.batches:
            batch = self.channel.batches[0]
            assert isinstance(batch, Batch)
            self.settler.take(batch)

    def sent(self) -> list[object]:
        """What the settler asked the server since this was called last."""
        assert self.server is not None
        while self.channel.pump():
            pass
        self.server.setblocking(False)
        try:
            data = self.server.recv(65536)
        except BlockingIOError:
            return []
        return [json.loads(line) for line in data.splitlines()]


@pytest.fixture
def scene() -> Iterator[Scene]:
    made = Scene()
    yield made
    made.close()


def test_a_watch_with_settle_asks_before_it_reports(scene: Scene) -> None:
    assert scene.settler.due_in() is None
    scene.send(CREATED)
    assert scene.settler.released() == []
    assert scene.settler.due_in() == 1.0
    scene.now = 1.0
    assert scene.settler.released() == []
    assert scene.sent() == [["gamin-activity", "/a", "0", ["f"]]]
    scene.send({"now": 7.0, "activity": [None]})
    assert scene.settler.released() == [FOUND]


def test_its_clock_says_what_it_holds(scene: Scene) -> None:
    scene.send(CREATED)
    assert scene.settler.clock is not None
    clock, held = split(scene.settler.clock)
    assert clock == scene.channel.clock == "c:1:2:3:5"
    assert [path for path, _ in held] == [FOUND.path]
    assert scene.settler.flush() == [FOUND]
    assert scene.settler.clock == "c:1:2:3:5"


def test_what_it_asked_a_lost_server_it_asks_the_next_one(scene: Scene) -> None:
    scene.send(CREATED)
    scene.now = 1.0
    scene.settler.released()
    scene.channel.close()
    assert scene.settler.due_in() is None
    scene.connect(*START[:2])
    assert scene.settler.released() == []
    assert scene.sent() == [["gamin-activity", "/a", "0", ["f"]]]


def test_answers_wait_for_the_batches_before_them(scene: Scene) -> None:
    scene.send(CREATED)
    scene.now = 1.0
    scene.settler.released()
    scene.channel.batches.append(Batch([FOUND], "c:1:2:3:6"))
    scene.channel.watching.received(b'{"now":7,"activity":[null]}\n')
    assert scene.settler.released() == []
    scene.now = 1.5
    scene.settler.take(Batch([FOUND._replace(kind=Kind.CHANGED)], "c:1:2:3:6"))
    scene.now = 2.0
    assert scene.settler.released() == [], "the answer was about something else"
    scene.now = 2.5
    assert scene.settler.released() == []
    scene.send({"now": 8.0, "activity": [None]})
    assert scene.settler.released() == [FOUND]


def test_a_listing_is_not_held_and_ends_what_was(scene: Scene) -> None:
    scene.send(CREATED)
    (key,) = scene.channel.watching.keys_of("/a")
    there = Event(Kind.EXISTS, "/a/g", recovered=True)
    batch = Batch([there], None, key)
    scene.channel.batches.append(batch)
    scene.settler.take(batch)
    assert scene.settler.released() == [there]
    assert scene.settler.flush() == []


def test_what_is_below_a_path_that_was_removed_is_not_reported(scene: Scene) -> None:
    scene.send(CREATED)
    (key,) = scene.channel.watching.keys_of("/a")
    scene.channel.watching.remove(key)
    scene.now = 1.0
    assert scene.settler.released() == []
    assert scene.settler.due_in() is None
    assert scene.settler.clock == scene.channel.clock

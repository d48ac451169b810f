"""The channel of a watch: what it says about the batches that it holds."""

import socket
from collections.abc import Iterator

import pytest

from gamin.client.arguments import make_session
from gamin.client.channel import Channel
from gamin.protocol.watchman.client.watched_path import WatchOptions
from gamin.protocol.watchman.client.watching import Batch, Watching

VERSION = b'{"version":"1"}\n'
SUBSCRIBED = b'{"subscribe":"0","clock":"c:1:2:3:4"}\n'
LISTING = (
    b'{"subscription":"0","clock":"c:1:2:3:4","names":"//","is_fresh_instance":true}\n'
)
CREATED = (
    b'{"subscription":"0","clock":"c:1:2:3:5","complete_until_ns":null,"rows":"cf"}\n'
)


@pytest.fixture
def channel() -> Channel:
    return Channel(make_session(["/a"], WatchOptions(), None))


@pytest.fixture
def server(channel: Channel) -> Iterator[socket.socket]:
    ours, theirs = socket.socketpair()
    channel.connected(ours)
    with theirs:
        yield theirs
    channel.close()


def test_a_channel_is_empty_until_a_batch_arrives(
    channel: Channel, server: socket.socket
) -> None:
    assert channel.pump(), "it sends its requests"
    assert not channel.pump()
    assert not channel.is_greeted
    server.send(VERSION)
    assert channel.pump()
    assert channel.is_greeted
    assert not channel.is_serving


def test_a_channel_is_catching_up_until_the_listing_is_there(
    channel: Channel, server: socket.socket
) -> None:
    server.send(VERSION + SUBSCRIBED)
    channel.pump()
    assert channel.catching_up
    server.send(LISTING)
    channel.pump()
    assert not channel.catching_up


def test_the_clock_of_a_channel_is_that_of_the_last_batch_taken(
    channel: Channel, server: socket.socket
) -> None:
    server.send(VERSION + SUBSCRIBED + LISTING)
    channel.pump()
    server.send(CREATED)
    channel.pump()
    [batch] = channel.batches
    assert isinstance(batch, Batch)
    assert channel.clock == "c:1:2:3:4", "only the listing was taken"
    channel.take(batch)
    assert channel.clock == "c:1:2:3:5"


def test_a_connection_that_ends_is_closed_and_another_may_be_used(
    channel: Channel, server: socket.socket
) -> None:
    closing: list[bool] = []
    channel.on_close = lambda: closing.append(channel.socket is not None)
    server.send(VERSION)
    channel.pump()
    server.close()
    assert channel.pump()
    assert channel.socket is None
    assert not channel.is_greeted
    assert closing == [True]


def test_an_invalid_message_ends_the_connection(
    channel: Channel, server: socket.socket
) -> None:
    server.send(b"nonsense\n")
    channel.pump()
    assert channel.socket is None


class Suspicious(Watching):
    """Keeps by how much the clock was set back."""

    def __init__(self) -> None:
        super().__init__(["/a"], WatchOptions())
        self.set_back: list[int] = []

    def clock_was_set_back(self, nanoseconds: int) -> None:
        self.set_back.append(nanoseconds)


def test_a_clock_that_was_set_back_between_two_connections_is_detected() -> None:
    offsets = iter([7_000, 9_000, 9_000, 4_000])
    watching = Suspicious()
    channel = Channel(watching, clock_offset_ns=lambda: next(offsets))
    for _ in range(4):
        ours, theirs = socket.socketpair()
        with theirs:
            channel.connected(ours)
        channel.close()
    assert watching.set_back == [5_000]

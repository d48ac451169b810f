"""Positions, pauses and ends of publishing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

import gamin
from gamin.events import Kind
from gamin.fleet import connection, publisher
from gamin.fleet.connection import FleetError
from gamin.fleet.message import Content, Place, decode, encode
from gamin.fleet.publisher import (
    Publisher,
    Sent,
    TreePublisher,
    TreeRefused,
)
from gamin.fleet.sequence import Number
from gamin.fleet.settings import Publication, PublishedTree, Servers
from gamin.protocol.watchman.client.belief import Belief

PLACE = Place("web1", "data")
TREE = PublishedTree("/srv/data", "data")
PUBLICATION = Publication(Servers(("nats://localhost",)), "GAMIN", "web1", (TREE,))


def tree_publisher(stop: asyncio.Event) -> TreePublisher:
    def now() -> datetime:
        return datetime.now(UTC)

    return TreePublisher(PUBLICATION, TREE, stop, now, lambda: None)


class Ended:
    """A watch that the server has ended."""

    clock = "c:1:2:3:4"

    async def __aenter__(self) -> "Ended":
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def next(self, timeout: float | None = None) -> None:  # noqa: ASYNC109
        return None


async def changes(stop: asyncio.Event) -> list[str]:
    found = tree_publisher(stop)._changes("c:1:2:3:4", ())
    return [piece.clock async for piece in found]


def test_a_watch_that_the_server_ends_is_an_error_and_no_success(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gamin, "awatch", lambda *_, **__: Ended())
    with pytest.raises(FleetError, match="/srv/data: the server ended the watch"):
        asyncio.run(changes(asyncio.Event()))


def test_a_publisher_that_is_stopped_ends_without_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gamin, "awatch", lambda *_, **__: Ended())
    stop = asyncio.Event()
    stop.set()
    assert asyncio.run(changes(stop)) == []


def test_a_tree_that_cannot_be_watched_is_not_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise gamin.WatchRefused("too many patterns")

    monkeypatch.setattr(gamin, "awatch", refuse)
    with pytest.raises(TreeRefused, match="/srv/data: too many patterns"):
        asyncio.run(changes(asyncio.Event()))


def test_pauses_grow_until_something_is_acknowledged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses: list[float] = []

    @asynccontextmanager
    async def connected(servers: Servers) -> AsyncIterator[None]:
        yield None

    async def publish() -> None:
        stop = asyncio.Event()
        made = Publisher(PUBLICATION, stop)

        async def fail(_: object) -> None:
            pauses.append(made._pause)
            if len(pauses) == 4:
                made._on_acknowledged()
            if len(pauses) == 6:
                stop.set()
            raise FleetError("the stream is full")

        monkeypatch.setattr(made, "_publish", fail)
        await made.run()

    monkeypatch.setattr(connection, "connected", connected)
    monkeypatch.setattr(publisher, "FIRST_PAUSE_SECONDS", 0.001)
    asyncio.run(publish())
    assert pauses == [0.001, 0.002, 0.004, 0.008, 0.002, 0.004]


class Positions:
    """A bucket that keeps everything that was written."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    async def put(self, key: str, value: bytes) -> None:
        self.written.append(value)


def test_the_position_is_written_seldom_and_at_the_end() -> None:
    async def acknowledge() -> list[bytes]:
        positions: Any = Positions()
        sent: asyncio.Queue[Sent | None] = asyncio.Queue()
        follow = asyncio.create_task(
            tree_publisher(asyncio.Event())._follow_acknowledgements(sent, positions)
        )
        for number in range(100):
            stored: asyncio.Future[int] = asyncio.Future()
            stored.set_result(1)
            sent.put_nowait(Sent(stored, 1, f"c:1:2:3:{number}"))
            await asyncio.sleep(0)  # each comes by itself
        sent.put_nowait(None)
        await follow
        written: list[bytes] = positions.written
        return written

    written = asyncio.run(acknowledge())
    assert len(written) < 5
    assert b"c:1:2:3:99" in written[-1]


def test_the_position_is_that_of_the_last_batch_that_is_stored() -> None:
    async def acknowledge() -> tuple[str, str]:
        positions: Any = Positions()
        made = tree_publisher(asyncio.Event())
        sent: asyncio.Queue[Sent | None] = asyncio.Queue()
        follow = asyncio.create_task(made._follow_acknowledgements(sent, positions))
        stored = asyncio.Future[int]()
        sent.put_nowait(Sent(stored, 3, "c:1:2:3:1"))
        sent.put_nowait(None)
        await asyncio.wait([follow], timeout=0.01)
        before = str(made.summary()["position"])
        stored.set_result(1)
        await follow
        return before, str(made.summary()["position"])

    assert asyncio.run(acknowledge()) == ("", "c:1:2:3:1")


def test_a_message_that_the_stream_refuses_moves_no_position() -> None:
    async def acknowledge() -> None:
        positions: Any = Positions()
        sent: asyncio.Queue[Sent | None] = asyncio.Queue()
        stored = asyncio.Future[int]()
        stored.set_exception(FleetError("maximum bytes exceeded"))
        sent.put_nowait(Sent(stored, 2, "c:1:2:3:1"))
        made = tree_publisher(asyncio.Event())
        try:
            await made._follow_acknowledgements(sent, positions)
        finally:
            assert made.summary()["position"] == ""

    with pytest.raises(FleetError, match="maximum bytes exceeded"):
        asyncio.run(acknowledge())


class Resumed:
    """A watch that reports one change at once, and has ended then."""

    clock = "c:1:2:3:9"

    def __init__(self) -> None:
        self._batches = [[gamin.Event(Kind.CREATED, "/srv/data/new")], None, None]

    async def __aenter__(self) -> "Resumed":
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def next(self, timeout: float | None = None) -> Any:  # noqa: ASYNC109
        return self._batches.pop(0)


def test_no_position_is_past_messages_that_are_not_stated_again_yet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gamin, "awatch", lambda *_, **__: Resumed())
    monkeypatch.setattr(publisher, "belief_of", lambda *_: Belief())
    beyond = [decode(PLACE.subject("created"), body(Content("created", "gone")))]

    found: list[tuple[list[tuple[str, str]], bool]] = []

    async def read() -> None:
        async for piece in tree_publisher(asyncio.Event())._changes(
            "c:1:2:3:4", beyond
        ):
            contents = [(each.kind, each.path) for each in piece.contents]
            found.append((contents, piece.is_last))

    with pytest.raises(FleetError, match="the server ended the watch"):
        asyncio.run(read())
    assert found == [
        ([("created", "new")], False),
        ([("deleted", "gone")], True),
    ]


def body(content: Content) -> bytes:
    number = Number("e", 0)
    return encode(
        *(PLACE, content), number=number, clock="c:1:2:3:5", time="", labels={}
    )

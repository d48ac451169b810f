"""When a publisher tries again, what it logs of that, and what ends it."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gamin.fleet import connection, publisher
from gamin.fleet.connection import FleetError, Unreachable
from gamin.fleet.publisher import Publisher
from gamin.fleet.settings import Publication, PublishedTree, Servers

TREE = PublishedTree("/srv/data", "data")
PUBLICATION = Publication(Servers(("nats://localhost",)), "GAMIN", "web1", (TREE,))


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


def attempts(monkeypatch: pytest.MonkeyPatch, failures: list[FleetError]) -> Publisher:
    """A publisher whose connections fail so; after them one succeeds and it ends."""
    stop = asyncio.Event()
    made = Publisher(PUBLICATION, stop)

    @asynccontextmanager
    async def connected(_: Servers) -> AsyncIterator[None]:
        if failures:
            raise failures.pop(0)
        yield None

    async def publish(_: object) -> None:
        stop.set()

    monkeypatch.setattr(connection, "connected", connected)
    monkeypatch.setattr(publisher, "MAX_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(made, "_pause", 0.001)
    monkeypatch.setattr(made, "_publish", publish)
    return made


def test_a_server_that_is_not_there_yet_is_waited_for_and_named_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    made = attempts(monkeypatch, [Unreachable("nobody is there") for _ in range(5)])
    asyncio.run(made.run())
    messages = [record.getMessage() for record in caplog.records]
    assert [message.partition(";")[0] for message in messages] == [
        "nobody is there",
        "connected to NATS",
    ]


def test_a_server_that_is_away_again_is_named_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failures: list[FleetError] = [Unreachable("away")]
    made = attempts(monkeypatch, failures)

    async def run_twice() -> None:
        await made.run()
        made._stop.clear()
        failures.extend([Unreachable("away"), Unreachable("away")])
        await made.run()

    asyncio.run(run_twice())
    messages = [record.getMessage().partition(";")[0] for record in caplog.records]
    assert messages == ["away", "away"]


def test_what_a_stream_refuses_is_logged_again_after_something_got_through(
    caplog: pytest.LogCaptureFixture,
) -> None:
    made = Publisher(PUBLICATION, asyncio.Event())
    for _ in range(3):
        made._log("the stream is full")
    made._on_acknowledged()
    made._log("the stream is full")
    assert len(caplog.records) == 2


def test_a_refused_connection_ends_a_publisher_that_was_never_connected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refusal = FleetError("Authorization Violation")
    made = attempts(monkeypatch, [Unreachable("nobody is there"), refusal])
    with pytest.raises(FleetError, match="Authorization Violation"):
        asyncio.run(made.run())

"""Messages on their way to a stream: acknowledged in any order, refused, or lost."""

import asyncio
from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any

import pytest

from gamin.fleet import sender
from gamin.fleet.connection import FleetError
from gamin.fleet.sender import Sender

STORED = b'{"stream":"GAMIN","seq":7}'


class Client:
    """As nats-py's, with a server that acknowledges when a test says so."""

    def __init__(self) -> None:
        self.replies: list[str] = []
        self._callback: Callable[[Any], Coroutine[Any, Any, None]] | None = None

    def new_inbox(self) -> str:
        return "_INBOX.x"

    async def subscribe(self, subject: str, cb: Any) -> None:
        assert subject == "_INBOX.x.*"
        self._callback = cb

    async def publish(
        self, subject: str, body: bytes, reply: str, headers: dict[str, str]
    ) -> None:
        assert headers["Nats-Expected-Stream"] == "GAMIN"
        self.replies.append(reply)

    async def acknowledge(self, number: int, data: bytes = STORED) -> None:
        assert self._callback is not None
        await self._callback(SimpleNamespace(subject=self.replies[number], data=data))


async def sending(client: Any, count: int, limit: int = 8) -> Sender:
    made = Sender(client, "GAMIN", limit)
    await made.start()
    for _ in range(count):
        await made.send("gamin.web1.data.created", b"{}", {})
    return made


def test_a_group_is_stored_when_all_of_its_messages_are_in_any_order() -> None:
    async def run() -> None:
        client = Client()
        made = await sending(client, 3)
        stored = made.close_group()
        for number in (2, 0):
            await client.acknowledge(number)
        assert not stored.done()
        assert made.unacknowledged == 1
        await client.acknowledge(1)
        await stored

    asyncio.run(run())


def test_a_group_that_is_stored_before_it_is_closed_is_done_at_once() -> None:
    async def run() -> None:
        client = Client()
        made = await sending(client, 1)
        await client.acknowledge(0)
        await client.acknowledge(0)  # twice
        assert made.close_group().done()
        assert made.close_group().done()  # one without messages

    asyncio.run(run())


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'{"error":{"code":503,"description":"maximum bytes exceeded"}}', "maximum"),
        (b'{"error":{"err_code":10077},"stream":"","seq":0}', "error 10077"),
        (b"", "no stream takes its subject"),
        (b"{}", "no acknowledgement"),
        (b"\xff", "no acknowledgement"),
    ],
)
def test_a_refusal_is_an_error_of_its_group_and_of_the_next_message(
    data: bytes, reason: str
) -> None:
    async def run() -> None:
        client = Client()
        made = await sending(client, 2)
        await client.acknowledge(1, data)
        with pytest.raises(FleetError, match=reason):
            await made.send("gamin.web1.data.created", b"{}", {})
        with pytest.raises(FleetError, match=reason):
            await made.close_group()

    asyncio.run(run())


def test_a_full_window_waits_until_half_of_it_is_acknowledged() -> None:
    async def run() -> None:
        client = Client()
        made = await sending(client, 8)
        ninth = asyncio.create_task(made.send("gamin.web1.data.created", b"{}", {}))
        for number in range(4):
            await asyncio.sleep(0)  # the ninth has its turn
            assert len(client.replies) == 8
            await client.acknowledge(number)
        await ninth
        assert len(client.replies) == 9

    asyncio.run(run())


def test_a_stream_that_acknowledges_nothing_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sender, "ACK_SECONDS", 0.001)

    with pytest.raises(FleetError, match="nothing acknowledged"):
        asyncio.run(sending(Client(), 9))

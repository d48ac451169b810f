"""Publishes to a stream, and says when a group of messages is stored.

A message with a reply subject is acknowledged there by JetStream, with its position or
with an error (https://docs.nats.io/reference/reference-protocols/nats_api_reference).
nats-py's `publish_async` makes a future, a random token and a decoded position of each,
which costs as much as sending it. A publisher needs only to know that all messages of a
batch are stored, or why one of them is not.
"""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from gamin.fleet.connection import FleetError

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg

ACK_SECONDS = 10.0
"""How long an acknowledgement may take."""
MAX_UNACKNOWLEDGED = 1024
"""Messages that may wait for their acknowledgement; then the next one waits until half
of them have it."""


class _Problem(msgspec.Struct):
    description: str = ""
    err_code: int = 0


class _Acknowledgement(msgspec.Struct):
    """What a publisher needs of one."""

    stream: str = ""
    seq: int = 0
    error: _Problem | None = None


_decode = msgspec.json.Decoder(_Acknowledgement).decode


class _Group:
    __slots__ = ("is_closed", "last", "stored", "waiting")

    def __init__(self) -> None:
        self.waiting = 0
        self.last = 0
        self.is_closed = False
        self.stored: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.stored.add_done_callback(_retrieve)

    def check(self) -> None:
        if self.is_closed and not self.waiting and not self.stored.done():
            self.stored.set_result(self.last)


def _retrieve(stored: "asyncio.Future[int]") -> None:
    """Nobody may wait for it any more: then asyncio would log its exception."""
    if not stored.cancelled():
        stored.exception()


class Sender:
    """Sends messages to one stream on one connection. Call `start` first."""

    def __init__(
        self, client: "Client", stream: str, limit: int = MAX_UNACKNOWLEDGED
    ) -> None:
        self._client = client
        self._stream = stream
        self._limit = limit
        self._inbox = client.new_inbox()
        self._next = 0
        self._groups: dict[str, _Group] = {}
        """Of each message that is not acknowledged, by the end of its reply subject."""
        self._open = _Group()
        self._room = asyncio.Event()

    @property
    def unacknowledged(self) -> int:
        """How many messages wait for their acknowledgement."""
        return len(self._groups)

    async def start(self) -> None:
        await self._client.subscribe(f"{self._inbox}.*", cb=self._on_acknowledgement)

    async def send(self, subject: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Send one message of the open group; first wait while too many wait.

        Raises nats.errors.Error if the connection does not take it; FleetError if the
        stream has refused one of the group, or acknowledges nothing.
        """
        if len(self._groups) >= self._limit:
            await self._until_half_are_acknowledged()
        if self._open.stored.done():
            self._open.stored.result()
        number = str(self._next)
        self._next += 1
        self._open.waiting += 1
        self._groups[number] = self._open
        await self._client.publish(
            subject,
            body,
            reply=f"{self._inbox}.{number}",
            headers={**headers, "Nats-Expected-Stream": self._stream},
        )

    async def _until_half_are_acknowledged(self) -> None:
        # Not until there is room for one: a wait costs as much as sending a message.
        self._room.clear()
        try:
            await asyncio.wait_for(self._room.wait(), ACK_SECONDS)
        except TimeoutError:
            raise FleetError(
                f"stream {self._stream}: nothing acknowledged within {ACK_SECONDS} s"
            ) from None

    def close_group(self) -> "asyncio.Future[int]":
        """When all messages since the last call are stored, as a future.

        It returns the last position that they have in the stream, 0 if there are none,
        and raises FleetError if the stream refuses one of them.
        """
        group, self._open = self._open, _Group()
        group.is_closed = True
        group.check()
        return group.stored

    async def _on_acknowledgement(self, message: "Msg") -> None:
        # A coroutine, because nats-py awaits it.
        group = self._groups.pop(message.subject.rpartition(".")[2], None)
        if group is None:
            return  # it came twice
        group.waiting -= 1
        found = _position(message.data)
        if isinstance(found, int):
            group.last = max(group.last, found)
            group.check()
        elif not group.stored.done():
            group.stored.set_exception(FleetError(f"stream {self._stream}: {found}"))
        if len(self._groups) <= self._limit // 2:
            self._room.set()


def _position(data: bytes) -> int | str:
    """The position of a message in the stream; as a text why it is not stored."""
    if not data:
        return "no stream takes its subject"  # the server's "no responders"
    try:
        acknowledgement = _decode(data)
    except msgspec.MsgspecError:
        return f"no acknowledgement: {data[:80]!r}"
    problem = acknowledgement.error
    if problem is not None:
        return problem.description or f"error {problem.err_code}"
    if not acknowledgement.stream:
        return f"no acknowledgement: {data[:80]!r}"
    return acknowledgement.seq

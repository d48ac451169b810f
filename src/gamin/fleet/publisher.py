"""Sends the changes of trees to a stream.

Nothing is queued: what is not acknowledged is asked for again. The position of a tree
is the clock of the last batch of which every message was acknowledged. It is kept in a
bucket beside the stream, so that a publisher that goes on elsewhere, or with another
stream, starts from what that stream has. While NATS is away the watch is closed, and
afterwards the server names the difference to the position.
"""

import asyncio
import json
import logging
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import aclosing, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import gamin
from gamin.client.base import belief_of
from gamin.events import Kind
from gamin.fleet import connection as nats
from gamin.fleet import message
from gamin.fleet.beyond import read_beyond, restated
from gamin.fleet.connection import FleetError
from gamin.fleet.contents import contents_of, listing, with_status
from gamin.fleet.message import Content, FleetEvent, Place
from gamin.fleet.sender import ACK_SECONDS, Sender
from gamin.fleet.sequence import Numbering
from gamin.fleet.settings import Publication, PublishedTree

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.js import JetStreamContext
    from nats.js.kv import KeyValue

logger: logging.Logger = logging.getLogger(__name__)

CHANGES_PER_PIECE = 1000
"""Changes that are examined and encoded together: after an outage a batch has all."""
POSITION_SECONDS = 1.0
"""Least time between two writes of a position; a kill repeats at most so much."""
ANNOUNCE_SECONDS = 5.0
"""Between two announcements."""
FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 0.2, 4.0
"""Between two attempts to reach NATS: the first pause, and the longest."""


class Sent(NamedTuple):
    """Messages on their way, in order."""

    stored: "asyncio.Future[int]"
    messages: int
    clock: str | None
    """The position once all are stored; None within a batch."""


class Position(NamedTuple):
    """How far a tree is in the stream."""

    clock: str
    """That of the server: everything before it is."""
    last: int
    """The position of the last message of the tree until then."""


class Piece(NamedTuple):
    """A part of a batch of changes."""

    contents: Iterable[Content]
    clock: str
    """That of the server after the batch."""
    is_last: bool = True
    """Whether the batch ends with it."""


class TreeRefused(FleetError):
    """A tree that cannot be watched as it is asked for; trying again is of no use."""


class Publisher:
    """Publishes until `stop` is set. Made once; `run` may wait for NATS for ever."""

    def __init__(
        self,
        publication: Publication,
        stop: asyncio.Event,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._publication = publication
        self._stop = stop
        self._now = now
        self._pause = FIRST_PAUSE_SECONDS
        self._trees = [
            TreePublisher(publication, tree, stop, now, self._on_acknowledged)
            for tree in publication.trees
        ]

    def _on_acknowledged(self) -> None:
        """Something got through, so the next failure is a new one."""
        self._pause = FIRST_PAUSE_SECONDS

    async def run(self) -> None:
        """Publish. What goes wrong is logged and tried again, in growing pauses.

        Raises FleetError only if NATS could not be reached even once; TreeRefused; and
        NotInstalled.
        """
        was_connected = False
        while not self._stop.is_set():
            try:
                async with nats.connected(self._publication.servers) as connection:
                    was_connected = True
                    await self._publish(connection)
                    return
            except* FleetError as group:
                error = _first(group)
                is_fatal = isinstance(error, (nats.NotInstalled, TreeRefused))
                if is_fatal or not was_connected:
                    raise error from None
                logger.warning("%s; trying again in %.1f s", error, self._pause)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), self._pause)
            self._pause = min(2 * self._pause, MAX_PAUSE_SECONDS)

    async def _publish(self, connection: nats.Connection) -> None:
        """Until `stop` is set. Raises FleetError, in a group."""
        client = connection.client
        context = nats.jetstream(client)
        await nats.ensure_stream(context, self._publication.stream)
        positions = await nats.bucket(context, nats.POSITIONS)
        announced = await nats.bucket(
            context, nats.PUBLISHERS, ttl=nats.ANNOUNCED_SECONDS
        )
        async with asyncio.TaskGroup() as group:
            others = [
                group.create_task(self._announce(announced)),
                group.create_task(connection.until_lost()),
            ]
            sending = [
                group.create_task(tree.publish(client, context, positions))
                for tree in self._trees
            ]
            await asyncio.wait(sending)
            for task in others:
                task.cancel()

    async def _announce(self, announced: "KeyValue") -> None:
        publication = self._publication
        # A host may have several publishers.
        key = f"{publication.host}.{publication.stream}.{os.getpid()}"
        while True:
            about = {
                "host": publication.host,
                "stream": publication.stream,
                "pid": os.getpid(),
                "version": gamin.__version__,
                "time": self._now().isoformat(),
                "trees": {tree.tree.name: tree.summary() for tree in self._trees},
            }
            with nats.as_fleet_error("announcement"):
                await announced.put(key, json.dumps(about).encode())
            await asyncio.sleep(ANNOUNCE_SECONDS)


class TreePublisher:
    """One tree: reads its changes, sends them, and moves its position."""

    def __init__(
        self,
        publication: Publication,
        tree: PublishedTree,
        stop: asyncio.Event,
        now: Callable[[], datetime],
        on_acknowledged: Callable[[], None],
    ) -> None:
        self.tree = tree
        self._stream = publication.stream
        self._place = Place(publication.host, tree.name)
        self._stop = stop
        self._now = now
        self._on_acknowledged = on_acknowledged
        self._numbering = Numbering()
        self._is_first = True
        self._position = Position("", 0)
        self._sender: Sender | None = None
        self._sent_total = 0
        self._last_sent = 0.0

    def summary(self) -> dict[str, object]:
        """What `gamin fleet status` shows."""
        return {
            "path": self.tree.path,
            "position": self._position.clock,
            "unacknowledged": self._sender.unacknowledged if self._sender else 0,
            "sent": self._sent_total,
            "last_sent": self._last_sent,
            "labels": dict(self.tree.labels),
        }

    async def publish(
        self, client: "Client", context: "JetStreamContext", positions: "KeyValue"
    ) -> None:
        """Until the stop event is set. Raises FleetError."""
        if not self._is_first:
            self._numbering.start_epoch()
        self._is_first = False
        known = await self._read_position(positions)
        beyond: list[FleetEvent] | None = []
        if known is not None:
            place, last = self._place, known.last
            beyond = await read_beyond(context, self._stream, place, last)
        since = None if known is None or beyond is None else known.clock
        sent: asyncio.Queue[Sent | None] = asyncio.Queue()
        self._sender = sender = Sender(client, self._stream)
        with nats.as_fleet_error("subscription"):
            await sender.start()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow_acknowledgements(sent, positions))
            async with aclosing(self._changes(since, beyond or ())) as changes:
                async for piece in changes:
                    await self._send(sender, client.max_payload, sent, piece)
            await sent.put(None)

    # -- what to send

    async def _changes(
        self, since: str | None, beyond: Sequence[FleetEvent]
    ) -> AsyncGenerator[Piece, None]:
        """What to send, until the stop event is set; `beyond` are the messages that the
        stream has from after `since`. Raises FleetError."""
        tree = self.tree
        prefix = tree.path.rstrip("/") + "/"
        try:
            async with gamin.awatch(
                tree.path,
                ignore=tree.ignore,
                vcs_ignore=tree.vcs_ignore,
                since=since,
                initial=since is None,
                stop_event=self._stop,
            ) as watch:
                if since is None:
                    first = await watch.next(timeout=0)
                    yield Piece(listing(first or (), prefix), watch.clock or "")
                while beyond and (batch := await watch.next(timeout=0)) is not None:
                    async for piece in self._pieces(batch, prefix, watch.clock or ""):
                        # The position may not move before `beyond` is stated again.
                        yield piece._replace(is_last=False)
                if beyond:  # and everything that was received is yielded
                    again = restated(beyond, belief_of(watch, tree.path))
                    yield Piece(again, watch.clock or "")
                while (batch := await watch.next()) is not None:
                    async for piece in self._pieces(batch, prefix, watch.clock or ""):
                        yield piece
        except (gamin.ServerError, OSError) as error:
            raise FleetError(f"{tree.path}: {error}") from error
        except gamin.GaminError as error:  # the rules, or the path
            raise TreeRefused(f"{tree.path}: {error}") from error
        if not self._stop.is_set():
            raise FleetError(f"{tree.path}: the server ended the watch")

    async def _pieces(
        self, batch: Sequence[gamin.Event], prefix: str, clock: str
    ) -> AsyncIterator[Piece]:
        if batch[0].kind is Kind.EXISTS:
            yield Piece(listing(batch, prefix), clock)
            return
        for start in range(0, len(batch), CHANGES_PER_PIECE):
            end = start + CHANGES_PER_PIECE
            contents = contents_of(batch[start:end], prefix)
            examined = await asyncio.to_thread(with_status, contents, prefix)
            yield Piece(examined, clock, is_last=end >= len(batch))

    async def _send(
        self,
        sender: Sender,
        max_payload: int,
        sent: "asyncio.Queue[Sent | None]",
        piece: Piece,
    ) -> None:
        """Send the messages of one piece of a batch. Raises FleetError."""
        time_sent = message.timestamp(self._now())
        count = 0
        with nats.as_fleet_error(str(self._place)):
            for content in piece.contents:
                number = self._numbering.next()
                body = message.encode(
                    *(self._place, content),
                    number=number,
                    clock=piece.clock,
                    time=time_sent,
                    labels=self.tree.labels,
                )
                if len(body) > max_payload:
                    raise FleetError(
                        f"a message of {len(body)} bytes is larger than the server "
                        f"allows (max_payload {max_payload}); raise it there"
                    )
                headers = {
                    "Nats-Msg-Id": message.message_id(self._place, number),
                    "Content-Type": message.CONTENT_TYPE,
                }
                await sender.send(self._place.subject(content.kind), body, headers)
                count += 1
        clock = piece.clock if piece.is_last else None
        sent.put_nowait(Sent(sender.close_group(), count, clock))

    # -- what has arrived

    async def _follow_acknowledgements(
        self, sent: asyncio.Queue[Sent | None], positions: "KeyValue"
    ) -> None:
        """Move the position on; at the end too. Raises FleetError."""
        written, write_at = self._position, 0.0
        while True:
            wait = None
            if self._position != written:
                wait = max(0.0, write_at - time.monotonic())
            try:
                each = await asyncio.wait_for(sent.get(), wait)
            except TimeoutError:
                await self._write_position(positions)
                written, write_at = self._position, time.monotonic() + POSITION_SECONDS
                continue
            if each is None:
                break
            await self._acknowledged(each)
        if self._position != written:
            await self._write_position(positions)

    async def _acknowledged(self, each: Sent) -> None:
        """Wait until all of these messages are stored. Raises FleetError."""
        with nats.as_fleet_error(f"stream {self._stream}"):
            last = await asyncio.wait_for(each.stored, ACK_SECONDS)
        self._on_acknowledged()
        self._sent_total += each.messages
        if each.clock is not None:
            self._position = Position(each.clock, last or self._position.last)
            self._last_sent = time.time()

    @property
    def _rules(self) -> dict[str, object]:
        """What a position is valid for."""
        tree = self.tree
        return {
            "stream": self._stream,
            "path": tree.path,
            "ignore": list(tree.ignore),
            "vcs_ignore": tree.vcs_ignore,
        }

    @property
    def _key(self) -> str:
        return f"{self._stream}.{self._place.host}.{self._place.tree}"

    async def _read_position(self, positions: "KeyValue") -> Position | None:
        """Where to go on from; None where everything has to be listed."""
        from nats.js.errors import KeyNotFoundError

        try:
            with nats.as_fleet_error("position"):
                try:
                    entry = await positions.get(self._key)
                except KeyNotFoundError:
                    return None
            known = json.loads(entry.value or b"")
            clock, last = str(known.pop("clock")), int(known.pop("last"))
            self._position = Position(clock, last)
        except (ValueError, KeyError, AttributeError, TypeError):
            return None
        if known != self._rules:
            logger.info("%s: other rules than before, so it is listed", self._place)
            return None
        return self._position

    async def _write_position(self, positions: "KeyValue") -> None:
        value = {**self._rules, **self._position._asdict()}
        with nats.as_fleet_error("position"):
            await positions.put(self._key, json.dumps(value).encode())


def _first(group: BaseExceptionGroup[FleetError]) -> FleetError:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, FleetError)
    return error

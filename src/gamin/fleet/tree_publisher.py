"""Sends the changes of one tree to a stream.

Nothing is queued: what is not acknowledged is asked for again. The position of a tree
is the clock of the last batch of which every message was acknowledged
(`gamin.fleet.position`). While NATS is away the watch is closed, and afterwards the
server names the difference to the position.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import gamin
from gamin.client.base import belief_of, has_unyielded
from gamin.events import Kind
from gamin.fleet import connection as nats
from gamin.fleet import message
from gamin.fleet.beyond import read_beyond, restated
from gamin.fleet.connection import FleetError
from gamin.fleet.contents import MAX_GENERATIONS, contents_of, listing, with_status
from gamin.fleet.message import Content, FleetEvent, Place
from gamin.fleet.position import NOWHERE, Position, SavedPosition
from gamin.fleet.sender import ACK_SECONDS, Sender
from gamin.fleet.sequence import Numbering
from gamin.fleet.settings import Publication, PublishedTree

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.js import JetStreamContext
    from nats.js.kv import KeyValue

CHANGES_PER_PIECE = 1000
"""Changes that are examined and encoded together: after an outage a batch has all."""
POSITION_SECONDS = 1.0
"""Least time between two writes of a position; a kill repeats at most so much."""


class Sent(NamedTuple):
    """Messages on their way, in order."""

    stored: "asyncio.Future[int]"
    messages: int
    clock: str | None
    """The position once all are stored; None within a batch."""


class Piece(NamedTuple):
    """A part of a batch of changes."""

    contents: Iterable[Content]
    clock: str
    """That of the server after the batch."""
    is_last: bool = True
    """Whether the batch ends with it."""


class TreeRefused(FleetError):
    """A tree that cannot be watched as it is asked for; trying again is of no use."""


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
        self._position = NOWHERE
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
        saved = SavedPosition(positions, self._stream, self._place, self.tree)
        known = await saved.read()
        beyond: list[FleetEvent] | None = []
        if known is not None:
            self._position = known
            place, last = self._place, known.last
            beyond = await read_beyond(context, self._stream, place, last)
        since = None if known is None or beyond is None else known.clock
        sent: asyncio.Queue[Sent | None] = asyncio.Queue()
        self._sender = sender = Sender(client, self._stream)
        with nats.as_fleet_error("subscription"):
            await sender.start()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow_acknowledgements(sent, saved))
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
                # A stop may close the watch while it is being opened, and at each
                # `next`. A closed one knows nothing of the tree: it has no clock, and
                # what it believes may be of a time before `beyond`.
                if since is None:
                    first = await watch.next(timeout=0)
                    if not watch.closed:
                        yield Piece(listing(first or (), prefix), watch.clock or "")
                # What was received until now is stated first, so that the belief is
                # what followers know. Nothing else: under unbroken load there is
                # always more to receive.
                while beyond and not watch.closed and has_unyielded(watch):
                    batch = await watch.next(timeout=0)
                    async for piece in self._pieces(batch, prefix, watch.clock or ""):
                        # The position may not move before `beyond` is stated again.
                        yield piece._replace(is_last=False)
                if beyond and not watch.closed:
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
        self, batch: Sequence[gamin.Event] | None, prefix: str, clock: str
    ) -> AsyncIterator[Piece]:
        if not batch:
            return
        if batch[0].kind is Kind.EXISTS:
            yield Piece(listing(batch, prefix), clock)
            return
        is_small = len(batch) <= MAX_GENERATIONS
        for start in range(0, len(batch), CHANGES_PER_PIECE):
            end = start + CHANGES_PER_PIECE
            contents = contents_of(batch[start:end], prefix)
            examined = await asyncio.to_thread(
                with_status, contents, prefix, with_generation=is_small
            )
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
        self, sent: asyncio.Queue[Sent | None], saved: SavedPosition
    ) -> None:
        """Move the position on; at the end too. Raises FleetError."""
        written, write_at = self._position, 0.0
        while True:
            wait = None
            if self._position != written:
                wait = write_at - time.monotonic()
                if wait <= 0:  # also while there is always something in the queue
                    await saved.write(self._position)
                    written, wait = self._position, None
                    write_at = time.monotonic() + POSITION_SECONDS
            try:
                each = await asyncio.wait_for(sent.get(), wait)
            except TimeoutError:
                continue
            if each is None:
                break
            await self._acknowledged(each)
        if self._position != written:
            await saved.write(self._position)

    async def _acknowledged(self, each: Sent) -> None:
        """Wait until all of these messages are stored. Raises FleetError."""
        with nats.as_fleet_error(f"stream {self._stream}"):
            last = await asyncio.wait_for(each.stored, ACK_SECONDS)
        self._on_acknowledged()
        self._sent_total += each.messages
        if each.clock is not None:
            self._position = Position(each.clock, last or self._position.last)
            self._last_sent = time.time()

"""Receives the changes of many machines from a stream, batch by batch.

A batch is acknowledged when the next one is asked for, so what a consumer was given and
did not finish comes again. Lost connections are made again; a follower goes on with the
message after the last one that it was given.

The order of a stream holds for a consumer that is new. One that exists gives new
messages first, and those that were not acknowledged a minute later. So a durable one
that has such messages is made again, at the first of them.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from gamin.fleet import connection as nats
from gamin.fleet.connection import FleetError
from gamin.fleet.message import (
    PREFIX,
    BadMessage,
    FleetEvent,
    Place,
    decode,
    missed,
    token,
)
from gamin.fleet.sequence import REPEATED_SECONDS, Gate, Number, Verdict
from gamin.fleet.settings import DEFAULT_STREAM, Servers, check_url
from gamin.paths import printable

if TYPE_CHECKING:
    from nats.aio.msg import Msg
    from nats.js import JetStreamContext
    from nats.js.api import ConsumerConfig

logger: logging.Logger = logging.getLogger(__name__)

BATCH_MESSAGES = 256
"""Messages in a batch, at most."""
WAIT_SECONDS = 5.0
"""How long one request for messages waits."""
IDLE_SECONDS = 300.0
"""How long the server keeps a consumer without a name whose follower is gone."""
ACK_WAIT_SECONDS = 60.0
"""How long a batch may be worked on before the server gives it again."""
FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 0.2, 15.0

Since = int | datetime | str | None


def follow(
    *servers: str,
    stream: str = DEFAULT_STREAM,
    host: str | None = None,
    tree: str | None = None,
    since: Since = None,
    durable: str | None = None,
    credentials: str = "",
    tls_ca: str = "",
) -> "Follower":
    """Follow the changes that publishers send.

    Args:
        servers: addresses as nats://HOST or tls://HOST.
        stream: the name of the stream.
        host: only changes of this host.
        tree: only changes of trees of this name.
        since: where to begin: None with what comes from now on; a position in the
            stream; a time; or "all". A durable consumer that exists goes on where it
            was, whatever `since` is.
        durable: the name of a consumer that the server keeps.
        credentials: a file with the credentials of a NATS user.
        tls_ca: a file with the certificates of the authority to trust.

    Returns:
        An asynchronous iterator of batches: lists of `FleetEvent`, in the order of the
        stream, each tree's without gaps and repetitions. An event of the kind "missed"
        says that messages of its tree were dropped by the stream before they were
        read. Use the iterator in an `async with`.

    Raises:
        BadSettings: an address is wrong.

    Iterating raises `FleetError`: NATS could not be reached even once, or refuses.

    Example:

        async with gamin.fleet.follow("nats://localhost", since="all") as batches:
            async for batch in batches:
                print(batch)
    """
    urls = tuple(check_url(url) for url in servers)
    where = Servers(urls, credentials, tls_ca)
    parts = [PREFIX, _part(host), _part(tree), "*"]
    return Follower(where, stream, ".".join(parts), since, durable)


def _part(name: str | None) -> str:
    return "*" if name is None else token(name)


class Follower:
    """An asynchronous iterator of batches: lists of `FleetEvent`, never empty.

    `follow` makes it. Use it in an `async with`. Asking for the next batch acknowledges
    the last one.
    """

    def __init__(
        self,
        servers: Servers,
        stream: str,
        subject: str,
        since: Since,
        durable: str | None,
    ) -> None:
        self._servers = servers
        self._stream = stream
        self._subject = subject
        self._since = since
        self._durable = durable
        self._gates: dict[Place, Gate] = {}
        self._gaps: dict[Place, float] = {}
        """When a gap was seen first, by the monotonic clock."""
        self._batches: AsyncGenerator[list[FleetEvent], None] | None = None
        self.last_sequence: int = 0
        """The position in the stream of the last message that was received."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End the iteration; the last batch is not acknowledged."""
        batches, self._batches = self._batches, None
        if batches is not None:
            await batches.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[FleetEvent]:
        if self._batches is None:
            self._batches = self._receive()
        return await anext(self._batches)

    async def _receive(self) -> AsyncGenerator[list[FleetEvent], None]:
        pause, was_connected = FIRST_PAUSE_SECONDS, False
        while True:
            try:
                async with (
                    nats.connected(self._servers) as connection,
                    aclosing(self._batches_of(connection.client)) as batches,
                ):
                    was_connected = True
                    async for batch in batches:
                        pause = FIRST_PAUSE_SECONDS
                        yield batch
            except FleetError as error:
                if not was_connected:
                    raise
                reason = printable(str(error))
                logger.warning("%s; trying again in %.1f s", reason, pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, MAX_PAUSE_SECONDS)

    async def _batches_of(self, client: Any) -> AsyncGenerator[list[FleetEvent], None]:
        """Until the connection is lost. Raises FleetError."""
        import nats as library
        from nats.js.errors import APIError

        context = nats.jetstream(client)
        try:
            subscription = await context.pull_subscribe(
                self._subject,
                durable=self._durable,
                stream=self._stream,
                config=await self._config(context),
            )
            while True:
                messages: list[Msg] = []
                try:
                    messages = await subscription.fetch(BATCH_MESSAGES, WAIT_SECONDS)
                except (library.errors.TimeoutError, TimeoutError):
                    if client.is_closed:
                        raise FleetError("the connection to NATS was lost") from None
                batch = [*self._admitted(messages), *self._abandoned(time.monotonic())]
                if batch:
                    yield batch
                for each in messages:
                    await each.ack()
        except APIError as error:
            raise FleetError(f"stream {self._stream}: {error.description}") from error
        except (library.errors.Error, OSError) as error:
            reason = str(error) or type(error).__name__
            raise FleetError(f"the connection to NATS was lost: {reason}") from error

    # -- where to begin

    async def _config(self, context: "JetStreamContext") -> "ConsumerConfig":
        """Of the consumer, if it has to be made. Raises FleetError."""
        start = None
        if self._durable is not None:
            start = await self._first_unacknowledged(context, self._durable)
        elif self.last_sequence:
            start = self.last_sequence + 1
        return self._config_from(self._since if start is None else start)

    def _config_from(self, since: Since) -> "ConsumerConfig":
        from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

        config = ConsumerConfig(
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=ACK_WAIT_SECONDS,
            max_ack_pending=4 * BATCH_MESSAGES,
            deliver_policy=DeliverPolicy.NEW,
        )
        if self._durable is None:
            config.inactive_threshold = IDLE_SECONDS
        if since == "all":
            config.deliver_policy = DeliverPolicy.ALL
        elif isinstance(since, datetime):
            config.deliver_policy = DeliverPolicy.BY_START_TIME
            start: Any = since.astimezone(UTC).isoformat()
            config.opt_start_time = start  # sent as it is
        elif isinstance(since, int):
            config.deliver_policy = DeliverPolicy.BY_START_SEQUENCE
            config.opt_start_seq = max(1, since)
        return config

    async def _first_unacknowledged(
        self, context: "JetStreamContext", name: str
    ) -> int | None:
        """Where the durable consumer is to be made again; None if it can be used as it
        is, or has never been. Raises FleetError.

        The position is noted before the old one is removed, so that nothing is lost
        where this ends in between.
        """
        from nats.js.errors import KeyNotFoundError, NotFoundError

        notes = await nats.bucket(context, nats.POSITIONS)
        key = f"consumer.{self._stream}.{name}"
        try:
            info = await context.consumer_info(self._stream, name)
        except NotFoundError:
            with suppress(KeyNotFoundError):
                return int((await notes.get(key)).value or b"0") or None
            return None
        if info.num_waiting:
            raise FleetError(f"another follower uses the durable name {name}")
        if not info.num_ack_pending:
            with suppress(KeyNotFoundError):
                await notes.get(key)
                await notes.delete(key)
            return None
        floor = 0 if info.ack_floor is None else info.ack_floor.stream_seq
        await notes.put(key, str(floor + 1).encode())
        await context.delete_consumer(self._stream, name)
        return floor + 1

    # -- what is given to the consumer

    def _admitted(self, messages: "Iterable[Msg]") -> Iterable[FleetEvent]:
        for each in messages:
            sequence = each.metadata.sequence.stream
            if sequence <= self.last_sequence:
                continue  # it was given before, and its acknowledgement was lost
            self.last_sequence = sequence
            try:
                event = decode(each.subject, each.data, sequence)
            except BadMessage as error:
                reason = printable(str(error))
                logger.warning("message %d left out: %s", sequence, reason)
                continue
            place = Place(event.host, event.tree)
            gate = self._gates.setdefault(place, Gate())
            number = Number(event.epoch, event.sequence, event.previous)
            verdict = gate.check(number, each.metadata.timestamp.timestamp())
            if gate.gap_began is None:
                self._gaps.pop(place, None)
            elif place not in self._gaps:
                self._gaps[place] = time.monotonic()
                shown = printable(str(place))
                logger.warning("%s: messages before %d are missing", shown, sequence)
            if verdict is Verdict.MISSED:
                yield missed(place)
            if verdict is not Verdict.REFUSED:
                yield event

    def _abandoned(self, now: float) -> Iterable[FleetEvent]:
        """Gaps that no later message has closed, and that no publisher closes now."""
        for place, began in list(self._gaps.items()):
            if now >= began + REPEATED_SECONDS:
                del self._gaps[place]
                self._gates[place].give_up()
                yield missed(place)


def parse_since(text: str) -> Since:
    """A position, a time (ISO 8601) or "all". Raises ValueError for anything else.

    >>> parse_since("42")
    42
    """
    if text == "all":
        return text
    with suppress(ValueError):
        return int(text)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is no position, no time (2026-01-31T12:00) and not 'all'"
        ) from None
    return found if found.tzinfo else found.astimezone()

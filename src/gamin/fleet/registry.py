"""Who publishes and who reads: what `gamin fleet status` shows."""

import json
from typing import Any, NamedTuple

from gamin.fleet import connection as nats
from gamin.fleet.connection import FleetError
from gamin.fleet.settings import Servers


class TreeState(NamedTuple):
    name: str
    path: str
    sent: int
    unacknowledged: int
    last_sent: float
    """When the last message was acknowledged, in seconds since 1970; 0 for never."""


class PublisherState(NamedTuple):
    host: str
    version: str
    seen: str
    """When it announced itself last (RFC 3339)."""
    trees: tuple[TreeState, ...]


class ConsumerState(NamedTuple):
    name: str
    pending: int
    """Messages that it has not been given yet."""
    unacknowledged: int


class FleetState(NamedTuple):
    stream: str
    messages: int
    bytes: int
    first: int
    last: int
    """Positions in the stream."""
    max_age: float
    """Seconds for which messages are kept; 0 without limit."""
    max_bytes: int
    max_messages: int
    publishers: tuple[PublisherState, ...]
    consumers: tuple[ConsumerState, ...]


async def fleet_state(servers: Servers, stream: str) -> FleetState:
    """Ask NATS. Raises FleetError."""
    nats.load_library()
    from nats.js.errors import NotFoundError

    async with nats.connected(servers) as connection:
        context = nats.jetstream(connection.client)
        with nats.as_fleet_error(f"stream {stream}"):
            try:
                info = await context.stream_info(stream)
                consumers = await context.consumers_info(stream)
                publishers = await _publishers(context, stream)
            except NotFoundError as error:
                raise FleetError(f"there is no stream {stream}") from error
    config, state = info.config, info.state
    return FleetState(
        stream,
        *(state.messages, state.bytes, state.first_seq, state.last_seq),
        max_age=config.max_age or 0.0,
        max_bytes=config.max_bytes or -1,
        max_messages=config.max_msgs or -1,
        publishers=publishers,
        consumers=tuple(
            ConsumerState(each.name, each.num_pending or 0, each.num_ack_pending or 0)
            for each in consumers
        ),
    )


async def _publishers(context: Any, stream: str) -> tuple[PublisherState, ...]:
    from nats.js.errors import BucketNotFoundError, KeyNotFoundError, NoKeysError

    found = []
    try:
        bucket = await context.key_value(nats.PUBLISHERS)
        for key in sorted(await bucket.keys()):
            try:
                entry = await bucket.get(key)
            except KeyNotFoundError:
                continue  # its time to live is over
            state = publisher_state(entry.value or b"", stream)
            if state is not None:
                found.append(state)
    except (BucketNotFoundError, NoKeysError):
        pass
    return tuple(found)


def publisher_state(body: bytes, stream: str) -> PublisherState | None:
    """Read an announcement; None for one of another stream, and for what is none."""
    try:
        about = json.loads(body)
        if about["stream"] != stream:
            return None
        trees = tuple(
            TreeState(
                str(name),
                str(tree["path"]),
                int(tree["sent"]),
                int(tree["unacknowledged"]),
                float(tree["last_sent"]),
            )
            for name, tree in about["trees"].items()
        )
        seen = str(about["time"])
        return PublisherState(str(about["host"]), str(about["version"]), seen, trees)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None

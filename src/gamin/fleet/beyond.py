"""What a stream has of a tree beyond the position from which its publisher goes on.

A position is written once a second, and a message may have been stored although its
acknowledgement never came. The difference since a position is a net one: a file that
was made and removed since then is not in it. A follower that has the message of its
making would keep the file for good, and one that has one of two renames would keep what
was moved. So the paths of these messages are stated again as they are now.
"""

import logging
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from gamin.events import Kind
from gamin.fleet import connection as nats
from gamin.fleet.message import BadMessage, Content, FleetEvent, Place, decode
from gamin.paths import printable
from gamin.protocol.watchman.client.belief import Belief

if TYPE_CHECKING:
    from nats.aio.msg import Msg
    from nats.js import JetStreamContext

logger: logging.Logger = logging.getLogger(__name__)

MAX_MESSAGES = 10_000
"""With more of them the tree is listed again."""
FETCHED = 500
"""Messages that are asked for at once."""
WAIT_SECONDS = 5.0
"""How long the stream may take for these."""

_NAMING = {Kind.CREATED.value, Kind.DELETED.value, Kind.MOVED.value}
_ORDINARY = _NAMING | {Kind.CHANGED.value}


async def read_beyond(
    context: "JetStreamContext", stream: str, place: Place, position: int
) -> list[FleetEvent] | None:
    """The messages of the tree that were stored after `position`.

    None where the tree has to be listed: the stream is another one than when the
    position was written, there are too many messages, a listing began, or the tree
    itself came or went. What is no message of a publisher is left out, as followers
    leave it out. Raises FleetError.
    """
    from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

    found: list[FleetEvent] = []
    with nats.as_fleet_error(f"stream {stream}"):
        if (await context.stream_info(stream)).state.last_seq < position:
            return None
        config = ConsumerConfig(
            ack_policy=AckPolicy.NONE,
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=position + 1,
            inactive_threshold=2 * WAIT_SECONDS,
        )
        subject = place.subject("*")
        consumer = await context.pull_subscribe(subject, stream=stream, config=config)
        info = await consumer.consumer_info()
        pending = info.num_pending or 0
        left = pending if pending <= MAX_MESSAGES else 0
        while left > 0:
            messages = await consumer.fetch(min(FETCHED, left), WAIT_SECONDS)
            left -= len(messages)
            found += _understood(messages)
        await consumer.unsubscribe()
        # `gamin fleet status` would show it as a reader until it is given up.
        await context.delete_consumer(stream, info.name)
    is_understood = all(each.kind in _ORDINARY and each.path for each in found)
    return found if is_understood and pending <= MAX_MESSAGES else None


def _understood(messages: "Iterable[Msg]") -> Iterator[FleetEvent]:
    for each in messages:
        try:
            yield decode(each.subject, each.data)
        except BadMessage as error:
            logger.warning("a message left out: %s", printable(str(error)))


def restated(beyond: Iterable[FleetEvent], now: Belief) -> Iterator[Content]:
    """What makes a follower right that has any part of these messages.

    `now` has everything that is in the tree. A directory is removed and made again with
    what is in it, since it may have been another one in between.
    """
    was_dir: dict[str, bool] = {}
    for event in beyond:
        if event.kind in _NAMING:
            for path in filter(None, (event.path, event.dest)):
                was_dir[path] = was_dir.get(path, False) or event.is_dir
    done = ""
    for path in sorted(was_dir, key=lambda each: each.split("/")):
        if done and path.startswith(done):
            continue
        is_dir = now.is_folder(path)
        if is_dir or was_dir[path] or not now.has_file(path):
            yield Content(
                Kind.DELETED.value, path, is_dir=was_dir[path], recovered=True
            )
        if is_dir:
            done = path + "/"
            yield Content(Kind.CREATED.value, path, is_dir=True, recovered=True)
            for below, below_is_dir in now.below(path):
                yield Content(
                    Kind.CREATED.value, below, is_dir=below_is_dir, recovered=True
                )
        elif now.has_file(path):
            yield Content(Kind.CREATED.value, path, recovered=True)

"""How far a tree is in a stream, as it is kept in a bucket beside that stream.

A publisher that goes on elsewhere, or with another stream, starts from what that stream
has. A position holds only for the rules with which the tree was published.
"""

import json
import logging
from typing import TYPE_CHECKING, NamedTuple

from gamin.fleet import connection as nats
from gamin.fleet.message import Place
from gamin.fleet.settings import PublishedTree

if TYPE_CHECKING:
    from nats.js.kv import KeyValue

logger: logging.Logger = logging.getLogger(__name__)


class Position(NamedTuple):
    """How far a tree is in the stream."""

    clock: str
    """That of the server: everything before it is."""
    last: int
    """The position of the last message of the tree until then."""


NOWHERE = Position("", 0)
"""Of a tree of which nothing was published."""


class SavedPosition:
    """The position of one tree in one bucket."""

    def __init__(
        self, bucket: "KeyValue", stream: str, place: Place, tree: PublishedTree
    ) -> None:
        self._bucket = bucket
        self._place = place
        self._key = f"{stream}.{place.host}.{place.tree}"
        self._rules = {
            "stream": stream,
            "path": tree.path,
            "ignore": list(tree.ignore),
            "vcs_ignore": tree.vcs_ignore,
        }

    async def read(self) -> Position | None:
        """Where to go on from; None where everything has to be listed.

        Raises FleetError.
        """
        from nats.js.errors import KeyNotFoundError

        try:
            with nats.as_fleet_error("position"):
                try:
                    entry = await self._bucket.get(self._key)
                except KeyNotFoundError:
                    return None
            known = json.loads(entry.value or b"")
            position = Position(str(known.pop("clock")), int(known.pop("last")))
        except (ValueError, KeyError, AttributeError, TypeError):
            return None
        if known != self._rules:
            logger.info("%s: other rules than before, so it is listed", self._place)
            return None
        if not position.clock:
            return None  # of a listing that was interrupted: nothing is known
        return position

    async def write(self, position: Position) -> None:
        """Raises FleetError."""
        value = {**self._rules, **position._asdict()}
        with nats.as_fleet_error("position"):
            await self._bucket.put(self._key, json.dumps(value).encode())

"""The outbox of a libgamin client: it sends differences instead of keeping a queue.

A client that reads gets every row, in order. One that does not gets nothing meanwhile:
the cursor of each of its subscriptions remembers the tick up to which the client has
everything, and when the client reads again it gets the difference. A first listing is
the same case: the difference to nothing. So what waits here is a set of subscriptions,
never a queue of events, and at most one listing is on its way at a time.
"""

from collections.abc import Callable, Iterable

from gamin.core.deliver.cursor import Cursor
from gamin.core.model.moment import Moment
from gamin.core.model.subscription import Place, Subscription
from gamin.events import AnyRow, Row

Encode = Callable[[Subscription, Iterable[AnyRow], bool], bytes]
"""Encodes rows for the wire; the flag says that they are the subscription's first."""
CatchUp = Callable[[Subscription, Cursor[Place]], list[Row]]
"""Returns the rows from what a client has to what is there, and moves its cursor on."""

SEND_BATCH_BYTES = 64 * 1024
"""Bytes handed to the socket before more listings are made."""


def _nothing(
    _subscription: Subscription, _rows: Iterable[AnyRow], _first: bool
) -> bytes:
    return b""


class Outbox:
    """Bytes to send, and the subscriptions that are behind."""

    def __init__(self, encode: Encode, catch_up: CatchUp, moment: Moment) -> None:
        self._encode = encode
        self._catch_up = catch_up
        self._moment = moment
        self._cursors: dict[Subscription, Cursor[Place]] = {}
        """Of the subscriptions that are ready."""
        self._behind: dict[Subscription, None] = {}
        self._bytes = bytearray()
        self.is_blocked = False
        """The client does not read; set by the owner of the socket."""

    def close(self) -> None:
        """The client is gone: nothing is sent, and nothing of it is kept."""
        self._cursors.clear()
        self._behind.clear()
        self._bytes.clear()
        self._encode = _nothing

    @property
    def backlog(self) -> int:
        """Subscriptions whose difference is still to be sent."""
        return len(self._behind)

    def deliver(self, subscription: Subscription, rows: Iterable[AnyRow]) -> None:
        """Send rows of a subscription, now or as a part of its difference."""
        cursor = self._cursors.get(subscription)
        if cursor is None or cursor.is_behind:
            return  # the first listing, or the difference, will include these
        if self.is_blocked:
            cursor.fall_behind(self._moment.reported_tick)
            self._behind[subscription] = None
            return
        cursor.target = subscription.current_target
        self._bytes += self._encode(subscription, rows, False)

    def ready(self, subscription: Subscription) -> None:
        """Send the first listing when the client reads."""
        self._cursors[subscription] = Cursor(is_behind=True)
        self._behind[subscription] = None

    def forget(self, subscription: Subscription) -> None:
        """The subscription has ended; nothing more is sent of it."""
        self._cursors.pop(subscription, None)
        self._behind.pop(subscription, None)

    def append(self, packet: bytes) -> None:
        """Send a packet as it is, in its place in the order."""
        self._bytes += packet

    @property
    def buffered_bytes(self) -> int:
        """Bytes waiting for the socket."""
        return len(self._bytes)

    def take(self) -> bytes:
        """Return what to send next; empty if the client has everything."""
        while self._behind and len(self._bytes) < SEND_BATCH_BYTES:
            subscription = next(iter(self._behind))
            del self._behind[subscription]
            cursor = self._cursors[subscription]
            is_first = cursor.target is None
            rows = self._catch_up(subscription, cursor)
            self._bytes += self._encode(subscription, rows, is_first)
        data = bytes(self._bytes)
        self._bytes.clear()
        return data

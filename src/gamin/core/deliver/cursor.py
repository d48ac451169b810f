"""What one client is still to be told, without keeping it.

A client that reads gets every row, in order. One that does not is told nothing
meanwhile: each of its subscriptions remembers the tick up to which it was told, and
when the client reads again it gets the difference. First listings are the same case:
the difference to nothing. So what waits here is a set of subscriptions, never a queue
of events, and at most one listing is on its way at a time.
"""

from collections.abc import Callable, Iterable

from gamin.core.model.subscription import Subscription
from gamin.events import Row

Encode = Callable[[Subscription, Iterable[Row], bool], bytes]
"""Rows as bytes for the wire; the flag says that they are the first telling."""
CatchUp = Callable[[Subscription], list[Row]]

SEND_BATCH_BYTES = 64 * 1024
"""Bytes handed to the socket before more listings are made."""


class Outbox:
    """Bytes to send, and the subscriptions that are behind."""

    def __init__(self, encode: Encode, catch_up: CatchUp) -> None:
        self._encode = encode
        self._catch_up = catch_up
        self._behind: dict[Subscription, None] = {}
        self._bytes = bytearray()
        self.is_blocked = False
        """The client does not read; kept by whoever owns the socket."""
        self.synced_tick = 0
        """The tick up to which a client that reads was told everything."""

    @property
    def backlog(self) -> int:
        """How many subscriptions are to be told a difference."""
        return len(self._behind)

    def tell(self, subscription: Subscription, rows: Iterable[Row]) -> None:
        if subscription.behind:
            return  # what it will be told includes these
        if self.is_blocked:
            subscription.behind = True
            subscription.since = self.synced_tick
            self._behind[subscription] = None
            return
        subscription.sent_target = subscription.current_target
        self._bytes += self._encode(subscription, rows, False)

    def ready(self, subscription: Subscription) -> None:
        """It can have its first listing, when the client reads."""
        self._behind[subscription] = None

    def forget(self, subscription: Subscription) -> None:
        self._behind.pop(subscription, None)

    def append(self, packet: bytes) -> None:
        """Something that must be told as it is, in its place in the order."""
        self._bytes += packet

    @property
    def buffered_bytes(self) -> int:
        """Bytes waiting for the socket."""
        return len(self._bytes)

    def take(self) -> bytes:
        """What to send next; empty when the client was told everything."""
        while self._behind and len(self._bytes) < SEND_BATCH_BYTES:
            subscription = next(iter(self._behind))
            del self._behind[subscription]
            first = subscription.sent_target is None
            rows = self._catch_up(subscription)
            self._bytes += self._encode(subscription, rows, first)
        data = bytes(self._bytes)
        self._bytes.clear()
        return data

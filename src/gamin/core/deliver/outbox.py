"""The outbox of a libgamin client: it sends differences instead of keeping a queue.

A client that reads gets every row, in order. One that does not gets nothing meanwhile:
the cursor of each of its subscriptions remembers the tick up to which the client has
everything, and when the client reads again it gets the difference. A first listing is
the same case: the difference to nothing. So what waits here is a set of subscriptions,
never a queue of events, and at most one listing is on its way at a time.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import NamedTuple, Protocol

from gamin.core.deliver.cursor import Cursor
from gamin.core.model.moment import Moment
from gamin.core.model.subscription import Place, Subscription
from gamin.events import AnyRow, Row


class Encode(Protocol):
    """Encodes rows for the wire. `first` says that they are the subscription's first,
    `is_last` that there are no more of these."""

    def __call__(
        self,
        subscription: Subscription,
        rows: Iterable[AnyRow],
        first: bool,
        /,
        *,
        is_last: bool = True,
    ) -> bytes: ...


CatchUp = Callable[[Subscription, Cursor[Place]], Iterable[Row]]
"""Returns the rows from what a client has to what is there, and moves its cursor on."""

SEND_BATCH_BYTES = 64 * 1024
"""Bytes handed to the socket before more listings are made."""
PIECE_ROWS = 1024
"""Rows of a listing that are encoded before others get their turn: some 2 ms."""


class _Listing(NamedTuple):
    """A long listing or difference that is on its way."""

    subscription: Subscription
    rows: Iterator[Row]
    is_first: bool


def _nothing(
    _subscription: Subscription,
    _rows: Iterable[AnyRow],
    _first: bool,
    /,
    *,
    is_last: bool = True,
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
        self._listing: _Listing | None = None
        self._bytes = bytearray()
        self.is_blocked = False
        """The client does not read; set by the owner of the socket."""

    def close(self) -> None:
        """The client is gone: nothing is sent, and nothing of it is kept."""
        self._cursors.clear()
        self._behind.clear()
        self._listing = None
        self._bytes.clear()
        self._encode = _nothing

    @property
    def backlog(self) -> int:
        """Subscriptions whose difference is still to be sent."""
        return len(self._behind) + (self._listing is not None)

    @property
    def is_listing(self) -> bool:
        """Whether more of a long listing is to be taken in the next turn."""
        return self._listing is not None

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
        if self._listing is not None and self._listing.subscription is subscription:
            self._listing = None

    def append(self, packet: bytes) -> None:
        """Send a packet as it is, in its place in the order."""
        self._bytes += packet

    @property
    def buffered_bytes(self) -> int:
        """Bytes waiting for the socket."""
        return len(self._bytes)

    def take(self) -> bytes:
        """Return what to send next, at most a piece of a long listing; empty if the
        client has everything."""
        while len(self._bytes) < SEND_BATCH_BYTES:
            if self._listing is not None:
                if self._bytes:
                    break
                self._add_piece(self._listing)
            elif self._behind:
                self._begin_next()
            else:
                break
        data = bytes(self._bytes)
        self._bytes.clear()
        return data

    def _begin_next(self) -> None:
        subscription = next(iter(self._behind))
        del self._behind[subscription]
        cursor = self._cursors[subscription]
        is_first = cursor.target is None
        rows = iter(self._catch_up(subscription, cursor))
        piece = list(islice(rows, PIECE_ROWS))
        is_last = len(piece) < PIECE_ROWS
        if not is_last:
            self._listing = _Listing(subscription, rows, is_first)
            cursor.is_behind = True  # what happens meanwhile follows as a difference
        self._bytes += self._encode(subscription, piece, is_first, is_last=is_last)

    def _add_piece(self, listing: _Listing) -> None:
        subscription, rows, is_first = listing
        piece = list(islice(rows, PIECE_ROWS))
        is_last = len(piece) < PIECE_ROWS
        if is_last:
            self._listing = None
            self._behind[subscription] = None
        self._bytes += self._encode(subscription, piece, is_first, is_last=is_last)

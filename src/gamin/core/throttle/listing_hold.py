"""Holds the changes of a client for a moment after it was sent a first listing.

Programs of the original's time ask for several paths in a row, and some are not ready
for a change until they have all listings. courier-imap asks for three directories, and
gives up when it hears of a deletion before the third listing ends. The original sends
changes a second after they happened, so its clients rarely see one that early.

The moment ends after a quarter of a second. A program may not run for so long, on a
busy machine even between two of its requests. Then what it was sent lies unread, so the
moment is extended while it does, up to the second of the original. Whoever does not
read does not wait for changes either.

Listings, and answers to cancels, are never held. A change that happens later than this
moment is sent at once.
"""

from gamin.core.model.subscription import Subscription

HOLD_SECONDS = 0.25
"""Seconds after a listing within which changes are held, and seconds for which a change
is held for a client that reads. With 0.1, 4 of 34 sessions of courier-imap gave up on a
busy machine. Programs rely on it that they hear of a change within 0.3 s."""

MAX_HOLD_SECONDS = 1.0
"""Seconds for which a change is held for a client that does not read. Also the original
sends all that it has then."""

RETRY_SECONDS = 0.02
"""Seconds after which a client that has not read may have read."""

MAX_HELD_BYTES = 1 << 20
"""Bytes of encoded changes that are held; with more, all are sent at once."""


class ListingHold:
    """The changes of one client that are not sent yet, in order and encoded.

    `now` is seconds of a monotonic clock.
    """

    def __init__(self) -> None:
        self._until = 0.0
        """The end of the moment after the last listing."""
        self._oldest = 0.0
        """Since when the oldest change is held."""
        self._retry_at = 0.0
        """Not due before this, for the client had not read."""
        self._held: list[tuple[Subscription, bytes]] = []
        self._ended: set[Subscription] = set()
        """Subscriptions of which nothing held is sent any more."""
        self.size = 0
        """Bytes that are held."""

    def listed(self, now: float) -> None:
        """A first listing is sent."""
        self._until = now + HOLD_SECONDS

    def pass_on(self, subscription: Subscription, data: bytes, now: float) -> bytes:
        """Return what to send now of changes that happened: `data`, or nothing if they
        are held."""
        if not self._held:
            if now >= self._until:
                return data
            self._oldest = now
        self._held.append((subscription, data))
        self.size += len(data)
        return b""

    def forget(self, subscription: Subscription) -> None:
        """The subscription has ended; nothing that is held of it is sent."""
        if self._held:
            self._ended.add(subscription)

    def deadline(self) -> float | None:
        """When to call `release`; None while nothing is held."""
        if not self._held:
            return None
        if self.size > MAX_HELD_BYTES:
            return self._oldest
        return max(self._retry_at, min(self._until, self._oldest + HOLD_SECONDS))

    def release(self, now: float, *, has_read: bool) -> bytes:
        """Return everything that is held, if it is due. `has_read` says that the client
        has read all that it was sent."""
        due = self.deadline()
        if due is None or due > now:
            return b""
        latest = self._oldest + MAX_HOLD_SECONDS
        if not has_read and now < latest and self.size <= MAX_HELD_BYTES:
            self._retry_at = min(now + RETRY_SECONDS, latest)
            return b""
        ended = self._ended
        data = b"".join(each for one, each in self._held if one not in ended)
        self._held, self._ended = [], set()
        self._retry_at = 0.0
        self.size = 0
        return data

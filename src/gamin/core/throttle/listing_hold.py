"""Holds the changes of a client for a moment after it was sent a first listing.

Programs of the original's time ask for several paths in a row, and some are not ready
for a change until they have all listings. courier-imap asks for three directories, and
gives up when it receives a deletion before it has worked through the three listings.
The original sends changes a second after they happened, so its clients rarely see one
that early.

The moment is a quarter of a second. On a busy machine a program may not run for longer,
even between two of its requests. Then what it was sent lies unread, so the moment does
not end before the client has read it. A change is held for a second at most, as by the
original: whoever does not read does not wait for changes either.

Listings, and answers to cancels, are never held. A change that happens later than this
moment is sent at once.
"""

from gamin.core.model.subscription import Subscription

HOLD_SECONDS = 0.25
"""Seconds after a listing within which changes are held, and seconds for which a change
is held for a client that reads. With 0.1, 4 of 34 sessions of courier-imap gave up on a
busy machine. Programs rely on receiving a change within 0.3 s."""

MAX_HOLD_SECONDS = 1.0
"""Seconds for which a change is held for a client that does not read."""

RETRY_SECONDS = 0.1
"""Seconds until the next check whether a client has read. In what is left of them when
it has, the client works through what it read."""

MAX_HELD_BYTES = 1 << 20
"""Bytes of encoded changes that are held; with more, all are sent at once."""


class ListingHold:
    """The changes of one client that are not sent yet, in order and encoded.

    `now` is seconds of a monotonic clock; `has_read` says that the client has read all
    that it was sent.
    """

    def __init__(self) -> None:
        self.is_open: bool = False
        """The moment after a listing is not over."""
        self._until = 0.0
        """The moment is not over before this."""
        self._oldest = 0.0
        """Since when the oldest change is held."""
        self._check_at = 0.0
        """When what is held may be due."""
        self._held: list[tuple[Subscription, bytes]] = []
        self._ended: set[Subscription] = set()
        """Subscriptions of which nothing held is sent any more."""
        self.size: int = 0
        """Bytes that are held."""

    def listed(self, now: float) -> None:
        """A first listing is sent."""
        self.is_open = True
        self._until = now + HOLD_SECONDS

    def pass_on(
        self, subscription: Subscription, data: bytes, now: float, *, has_read: bool
    ) -> bytes:
        """Return what to send now of changes that happened: `data`, or nothing if they
        are held. While `is_open` is False, all changes can be sent without asking."""
        if not self._held:
            self._end_moment(now, has_read)
            if not self.is_open:
                return data
            self._oldest = now
            self._check_at = min(self._until, now + HOLD_SECONDS)
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
        return self._oldest if self.size > MAX_HELD_BYTES else self._check_at

    def release(self, now: float, *, has_read: bool) -> bytes:
        """Return everything that is held, if it is due."""
        due = self.deadline()
        if due is None or due > now:
            return b""
        latest = self._oldest + MAX_HOLD_SECONDS
        if not has_read and now < latest and self.size <= MAX_HELD_BYTES:
            self._check_at = min(now + RETRY_SECONDS, latest)
            return b""
        ended = self._ended
        data = b"".join(each for one, each in self._held if one not in ended)
        self._held, self._ended = [], set()
        self.size = 0
        self._end_moment(now, has_read)
        return data

    def _end_moment(self, now: float, has_read: bool) -> None:
        if now < self._until:
            return
        if has_read:
            self.is_open = False
        else:
            self._until = now + RETRY_SECONDS

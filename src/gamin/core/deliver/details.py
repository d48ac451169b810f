"""What exactly changed, for subscriptions that ask: content, attributes, closed, moved.

A row says that an entry changed, and is shared by everybody. The details stand beside
the rows of one round, by path, so that rows cost nothing more while nobody asks.
"""

from collections.abc import Hashable

from gamin.core.model.node import Node
from gamin.core.model.subscription import Subscription
from gamin.events import ATTRIB, CLOSE_WRITE, MODIFY, MOVED_FROM, MOVED_TO, Detail

MAX_PENDING = 100_000
"""Entries whose details are kept until they are reported; beyond it all are dropped,
and are reported as unknown."""

_BITS = (
    (MODIFY, int(Detail.CONTENT)),
    (ATTRIB, int(Detail.ATTRIBUTES)),
    (CLOSE_WRITE, int(Detail.CLOSED)),
    (MOVED_FROM | MOVED_TO, int(Detail.RENAMED)),
)
RENAMED = int(Detail.RENAMED)
PLAIN = 0
"""The details of a creation or a deletion to which nothing else happened."""
UNKNOWN = -1
"""The details of what was found by a comparison: nobody knows what changed."""


def details_of(mask: int) -> int:
    """The bits of `Detail` for the mask of a change."""
    return sum(bit for bits, bit in _BITS if mask & bits)


class Details:
    def __init__(self) -> None:
        self._askers: set[Subscription] = set()
        self.is_wanted: bool = False
        """Whether any subscription asks for details."""
        self._pending: dict[tuple[Node, bytes], int] = {}
        """What changed of entries, and is not reported yet."""
        self._reported: dict[Hashable, int] = {}
        """What the rows of this round say, by path; rows about a subscription's very
        path are by subscription."""

    def subscribed(self, subscription: Subscription) -> None:
        """A subscription begins, which may ask for details."""
        if subscription.wants_details:
            self._askers.add(subscription)
            self.is_wanted = True

    def ended(self, subscription: Subscription) -> None:
        """A subscription has ended."""
        self._askers.discard(subscription)
        if not self._askers:
            self.is_wanted = False
            self._pending.clear()
            self._reported.clear()

    def add_pending(self, node: Node, name: bytes, mask: int) -> None:
        """A change of the entry was detected, and will be reported."""
        entry = (node, name)
        if len(self._pending) >= MAX_PENDING:
            self._pending.clear()
        self._pending[entry] = self._pending.get(entry, 0) | details_of(mask)

    def take_pending(self, node: Node, name: bytes) -> int:
        """The details of the change that is reported now. A change of unknown kind
        counts as one of content."""
        return self._pending.pop((node, name), 0) or int(Detail.CONTENT)

    def forget(self, node: Node, name: bytes) -> None:
        """The entry is gone."""
        self._pending.pop((node, name), None)

    def report(self, what: Hashable, bits: int) -> None:
        """A row about `what`, a path or a subscription, is reported in this round."""
        self._reported[what] = self._reported.get(what, 0) | bits

    def of(self, what: Hashable) -> int:
        """The details of the rows of this round about `what`; UNKNOWN for others."""
        return self._reported.get(what, UNKNOWN)

    def end_round(self) -> None:
        """The rows of this round were delivered."""
        self._reported.clear()

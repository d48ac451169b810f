"""Holds a Changed back until its writer closes the file, or for 20 ms.

Programs rely on a truncation followed at once by a write being one Changed. Whatever
was created or deleted is not held.
"""

from gamin.core.model.node import Node

HOLD_SECONDS = 0.02


class WriteDebouncer:
    """Entries that changed and are not reported yet, earliest deadline first."""

    def __init__(self) -> None:
        self.held: dict[tuple[Node, bytes], float] = {}
        """With the deadline of each."""

    def hold(self, node: Node, name: bytes, now: float) -> None:
        """Start holding; one that is held already keeps its deadline."""
        self.held.setdefault((node, name), now + HOLD_SECONDS)

    def release(self, node: Node, name: bytes) -> bool:
        """Stop holding. True if it was held, so that there is something to report."""
        return self.held.pop((node, name), None) is not None

    def expired(self, now: float) -> list[tuple[Node, bytes]]:
        """Stop holding those whose time is over, and return them in order."""
        over = []
        for entry, deadline in self.held.items():
            if deadline > now:
                break  # all have the same span, so the order is that of deadlines
            over.append(entry)
        for entry in over:
            del self.held[entry]
        return over

    def deadline(self) -> float | None:
        """When to ask `expired` next; None while nothing is held."""
        return next(iter(self.held.values()), None)

"""Holds a Changed until its writer closes the file, or for 20 ms.

Programs rely on it that a truncation followed at once by a write is one Changed. What
was created or deleted is not held.
"""

from gamin.core.model.node import Node

HOLD_SECONDS = 0.02
"""Seconds for which a Changed is held at most."""


class WriteDebouncer:
    """Entries that changed and are not reported yet, earliest deadline first."""

    def __init__(self) -> None:
        self.held: dict[tuple[Node, bytes], float] = {}
        """Each entry with its deadline (seconds)."""

    def hold(self, node: Node, name: bytes, now: float) -> None:
        """Start holding an entry; one that is held already keeps its deadline."""
        self.held.setdefault((node, name), now + HOLD_SECONDS)

    def release(self, node: Node, name: bytes) -> bool:
        """Stop holding an entry. Return whether it was held."""
        return self.held.pop((node, name), None) is not None

    def expired(self, now: float) -> list[tuple[Node, bytes]]:
        """Stop holding the entries whose deadline has come; return them in order."""
        over = []
        for entry, deadline in self.held.items():
            if deadline > now:
                break  # all are held equally long, so they are in deadline order
            over.append(entry)
        for entry in over:
            del self.held[entry]
        return over

    def deadline(self) -> float | None:
        """When to call `expired` next; None while nothing is held."""
        return next(iter(self.held.values()), None)

"""When to try again for what the kernel had no watch for.

Other programs give watches back without telling us. So while directories are polled for
want of room, one is tried every second; while that goes well, twice as many.
"""

from gamin.core.coverage.need import Coverage
from gamin.core.model.node import Node

RETRY_SECONDS = 1.0
"""What is polled is looked at as often, and a try costs no more than a look."""
MAX_TRIED = 1024
"""Directories tried at once: some milliseconds of work."""


class QuotaRetry:
    def __init__(self, coverage: Coverage) -> None:
        self._coverage = coverage
        self.due_at: float | None = None
        """When to call `due`; None while everything has room."""
        self._tried: list[Node] = []
        self._count = 1

    def update(self, now: float) -> None:
        """Something may have run out of room, or nothing wants any more."""
        if not self._coverage.over_quota:
            self.due_at, self._tried, self._count = None, [], 1
        elif self.due_at is None:
            self.due_at = now + RETRY_SECONDS

    def due(self, now: float) -> None:
        if self.due_at is None or self.due_at > now:
            return
        self.due_at = None
        no_room = self._coverage.over_quota
        went_well = self._tried and not any(node in no_room for node in self._tried)
        self._count = min(2 * self._count, MAX_TRIED) if went_well else 1
        self._tried = self._coverage.room_again(self._count)

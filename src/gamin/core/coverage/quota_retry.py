"""Decides when the kernel is tried again for directories that are over quota.

The kernel does not report when other programs release watches. So while directories are
polled because of the quota, one is tried every second; while that succeeds, twice as
many.
"""

from gamin.core.coverage.method import WatchMethod
from gamin.core.coverage.registers import Registers
from gamin.core.model.node import Node

RETRY_SECONDS = 1.0
"""Seconds between two tries. Polling has the same pace, and a try costs no more."""
MAX_TRIED = 1024
"""Directories tried at once: some milliseconds of work."""


class QuotaRetry:
    def __init__(self, method: WatchMethod, registers: Registers) -> None:
        self._method = method
        self._registers = registers
        self.due_at: float | None = None
        """When to call `due`; None while nothing is over quota."""
        self._tried: list[Node] = []
        self._count = 1

    def update(self, now: float) -> None:
        """Plan the next try, or none, after the register may have changed."""
        if not self._registers.over_quota:
            self.due_at, self._tried, self._count = None, [], 1
        elif self.due_at is None:
            self.due_at = now + RETRY_SECONDS

    def due(self, now: float) -> None:
        """Try some directories, if it is time."""
        if self.due_at is None or self.due_at > now:
            return
        self.due_at = None
        over_quota = self._registers.over_quota
        succeeded = self._tried and not any(node in over_quota for node in self._tried)
        self._count = min(2 * self._count, MAX_TRIED) if succeeded else 1
        self._tried = self._method.retry_quota(self._count)

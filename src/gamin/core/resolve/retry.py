"""Repeats every second what failed and whose success nothing would report.

That is: directories that may not be read, or could not be listed for want of
descriptors or memory or for an error that passes, and paths that lead through a
directory which no backend can watch, or to where such an error keeps us from looking.
And directories that were not found in their place: usually an event says what became of
them, but none comes of one that was gone before its parent was watched.

Each is tried once at a time: on a mount that does not answer, tries must not gather.
"""

from gamin.core.coverage.registers import Registers
from gamin.core.effects import Effect, Scan
from gamin.core.resolve.path_walk import PathResolver

RETRY_SECONDS = 1.0
"""Seconds between two tries."""


class Retry:
    def __init__(
        self, registers: Registers, resolver: PathResolver, effects: list[Effect]
    ) -> None:
        self._registers = registers
        self._resolver = resolver
        self._effects = effects
        self.due_at: float | None = None
        """When to call `due`; None while there is nothing to try."""

    def update(self, now: float) -> None:
        """Plan the next try, or none, after the registers may have changed."""
        registers = self._registers
        if not (
            registers.unwatched_unreadable
            or registers.unlisted
            or registers.misplaced
            or self._resolver.blocked
        ):
            self.due_at = None
        elif self.due_at is None:
            self.due_at = now + RETRY_SECONDS

    def due(self, now: float) -> None:
        """Try everything, if it is time."""
        if self.due_at is None or self.due_at > now:
            return
        self.due_at = None
        self._resolver.retry_blocked()
        late = self._registers.take_late()
        self._effects += [Scan(node, None, since) for node, since in late.items()]
        for node in self._registers.take_misplaced():
            self._resolver.scan_place_of(node)
            self._effects.append(Scan(node, None))  # if it is still needed then

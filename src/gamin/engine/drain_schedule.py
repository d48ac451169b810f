"""Decides when the kernel is drained next: at once when it is quiet, later in a storm.

A wake-up and a batch each cost ten times what an event costs. So where much happens,
much at a time or little again and again, fewer and larger batches do the same work. A
pause is far shorter than what fills the kernel's queue, and there is no pause while
much was read ahead and not applied yet.
"""

from typing import NamedTuple

from gamin.engine.ports import AT_ONCE

BURST_EVENTS = 64
"""After this many changes in one drain, the next drain waits for BURST_PAUSE."""
BURST_PAUSE = 0.005
"""Seconds."""
STORM_EVENTS = 400
"""After this many changes in one drain, the next drain waits for STORM_PAUSE."""
STORM_PAUSE = 0.01
"""Seconds. inotify's queue holds 16,384 events by default, and a process makes up to
500 in a millisecond."""

BACK_TO_BACK_SECONDS = 0.001
"""A drain that begins sooner than this after the last one is back to back with it."""
BACK_TO_BACK_DRAINS = 16
"""After this many drains back to back, each drain waits for BACK_TO_BACK_PAUSE until
one of them finds nothing."""
BACK_TO_BACK_PAUSE = 0.002
"""Seconds."""

LARGE_READ = 64 * 1024
"""Bytes, one read of a backend. While this much was read ahead and not applied, there
is no pause. A smaller rest can wait: applied at once it would be a small batch, and
leave a smaller one."""


class Slices(NamedTuple):
    """How much is done in a row before clients get their turn."""

    crawl_seconds: float = 0.005
    """Seconds of listing directories of large trees, rounded up to a batch."""
    crawl_batch: int = 64
    """Directories that are listed and applied together: about 2 ms."""
    scan_seconds: float = 0.004
    """Seconds of scanning directories that are new or may have lost events."""
    scan_batch: int = 16
    """Directories that are scanned before the time is looked at."""
    answer_seconds: float = 0.005
    """Seconds of applying what threads of distant mounts answered."""
    drain_pieces: int = 4
    """Pieces of what was read ahead, some 1,500 events each, in one drain."""


class DrainSchedule:
    """`due_at` is the answer; the times are seconds of the monotonic clock."""

    def __init__(self) -> None:
        self.due_at: float | None = None
        """When to drain next, whatever there is to read by then; None: as soon as there
        is something to read."""
        self.last_drain: float = float("-inf")
        """When the kernel was drained last."""
        self._back_to_back = 0

    def on_drained(self, count: int, behind: int, now: float) -> None:
        """A drain returned `count` changes and left `behind` bytes read ahead."""
        is_back_to_back = now < self.last_drain + BACK_TO_BACK_SECONDS
        self._back_to_back = self._back_to_back + 1 if is_back_to_back else 0
        self.last_drain = now
        if behind >= LARGE_READ:
            self.due_at = AT_ONCE
        elif count >= BURST_EVENTS:
            self.due_at = now + (BURST_PAUSE if count < STORM_EVENTS else STORM_PAUSE)
        elif behind:
            self.due_at = AT_ONCE
        elif (
            count and self.due_at is not None
        ) or self._back_to_back >= BACK_TO_BACK_DRAINS:
            self.due_at = now + BACK_TO_BACK_PAUSE
        else:
            self.due_at = None

    def on_read_ahead(self, behind: int) -> None:
        """`behind` bytes are read ahead outside of a drain. No descriptor announces
        them, so a drain becomes due."""
        if behind > 0 and self.due_at is None:
            self.due_at = AT_ONCE

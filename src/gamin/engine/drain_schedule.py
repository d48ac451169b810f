"""When the kernel is drained next: at once when things are quiet, later in a flood.

To wake up, and each batch by itself, costs ten times what an event costs. So where
much happens, be it much at a time or little again and again, fewer and larger batches
do the same work. A pause is far shorter than what fills the queue, and there is none
while much was read and not taken in.
"""

import time
from collections.abc import Callable

from gamin.backends.base import KernelBackend
from gamin.daemon.io.loop import Callback, Loop
from gamin.system.inotify import BUFFER

BURST_EVENTS, BURST_PAUSE = 64, 0.005
STORM_EVENTS, STORM_PAUSE = 400, 0.01
"""So many changes in one drain, and the next one is so many seconds later. inotify's
queue holds 16,384 events by default, and a process makes up to 500 in a millisecond."""

BACK_TO_BACK_SECONDS, BACK_TO_BACK_DRAINS, BACK_TO_BACK_PAUSE = 0.001, 16, 0.002
"""So many drains in a row, each within so many seconds after the last one, and the next
ones are so many seconds later, until one of them finds nothing."""

LARGE_READ = BUFFER
"""While so many bytes were read and not taken in, there is no pause. The rest after a
round can wait: taken at once it would be a small batch, and leave a smaller one."""

MAX_PIECES_PER_ROUND = 4
"""What was read ahead is taken in and told by so many pieces, some 1,500 events each;
then clients get their turn."""


class DrainSchedule:
    def __init__(
        self,
        kernel: KernelBackend,
        loop: Loop,
        drain: Callback,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kernel = kernel
        self._loop = loop
        self._drain = drain
        self._clock = clock
        self._last = float("-inf")
        self._in_a_row = 0
        self._is_paused = False
        """The next drain has its time, whatever there is to read before."""
        self._is_scheduled = False
        """It will be called at that time."""
        loop.add_reader(kernel.fileno(), drain)

    def schedule_read_ahead(self) -> None:
        """What was read and not given out yet is announced by no descriptor: see to it
        that it is taken in, though nothing else may happen."""
        if self._kernel.drained_bytes < self._kernel.queued_bytes:
            self._wait(0.0)

    def on_drained(self, count: int) -> None:
        """So many changes came; see to it that there is a next time."""
        now = self._clock()
        self._in_a_row = (
            self._in_a_row + 1 if now < self._last + BACK_TO_BACK_SECONDS else 0
        )
        self._last = now
        behind = self._kernel.queued_bytes - self._kernel.drained_bytes
        if behind >= LARGE_READ:
            self._wait(0.0)
        elif count >= BURST_EVENTS:
            self._wait(BURST_PAUSE if count < STORM_EVENTS else STORM_PAUSE)
        elif behind:
            self._wait(0.0)
        elif (count and self._is_paused) or self._in_a_row >= BACK_TO_BACK_DRAINS:
            self._wait(BACK_TO_BACK_PAUSE)
        elif self._is_paused:
            self._is_paused = False
            self._loop.add_reader(self._kernel.fileno(), self._drain)

    def _wait(self, seconds: float) -> None:
        if not self._is_paused:
            self._is_paused = True
            self._loop.remove_reader(self._kernel.fileno())
        if self._is_scheduled:
            return
        self._is_scheduled = True
        if seconds:
            self._loop.call_later(seconds, self._now)
        else:
            self._loop.call_soon(self._now)

    def _now(self) -> None:
        self._is_scheduled = False
        self._drain()

    def stop(self) -> None:
        """Call nobody any more, but for a drain that has its time already."""
        self._loop.remove_reader(self._kernel.fileno())

"""When the kernel is drained next: at once when things are quiet, later in a flood.

To wake up, and each batch by itself, costs ten times what an event costs. So where
much happens, be it much at a time or little again and again, fewer and larger batches
do the same work. A pause is far shorter than what fills the queue, and there is none
while much was read and not taken in.
"""

import time
from collections.abc import Callable

from gamin.backends.base import KernelBackend
from gamin.daemon.io.loop import Call, Loop
from gamin.system.inotify import BUFFER

FLOOD, PAUSE = 64, 0.005
TORRENT, LONG_PAUSE = 400, 0.01
"""So many changes in one drain, and the next one is so many seconds later. inotify's
queue holds 16,384 events by default, and a process makes up to 500 in a millisecond."""

CLOSE, MANY, SHORT_PAUSE = 0.001, 16, 0.002
"""So many drains in a row, each within so many seconds after the last one, and the next
ones are so many seconds later, until one of them finds nothing."""

MUCH = BUFFER
"""While so many bytes were read and not taken in, there is no pause. The rest after a
round can wait: taken at once it would be a small batch, and leave a smaller one."""

PIECES = 4
"""What was read ahead is taken in and told by so many pieces, some 1,500 events each;
then clients get their turn."""


class Pace:
    def __init__(
        self,
        kernel: KernelBackend,
        loop: Loop,
        drain: Call,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kernel = kernel
        self._loop = loop
        self._drain = drain
        self._clock = clock
        self._last = float("-inf")
        self._in_a_row = 0
        self._is_waiting = False
        """The next drain has its time, whatever there is to read before."""
        self._is_due = False
        """It will be called at that time."""
        loop.add_reader(kernel.fileno(), drain)

    def read_ahead(self) -> None:
        """What was read and not given out yet is announced by no descriptor: see to it
        that it is taken in, though nothing else may happen."""
        if self._kernel.given < self._kernel.end:
            self._wait(0.0)

    def drained(self, count: int) -> None:
        """So many changes came; see to it that there is a next time."""
        now = self._clock()
        self._in_a_row = self._in_a_row + 1 if now < self._last + CLOSE else 0
        self._last = now
        behind = self._kernel.end - self._kernel.given
        if behind >= MUCH:
            self._wait(0.0)
        elif count >= FLOOD:
            self._wait(PAUSE if count < TORRENT else LONG_PAUSE)
        elif behind:
            self._wait(0.0)
        elif (count and self._is_waiting) or self._in_a_row >= MANY:
            self._wait(SHORT_PAUSE)
        elif self._is_waiting:
            self._is_waiting = False
            self._loop.add_reader(self._kernel.fileno(), self._drain)

    def _wait(self, seconds: float) -> None:
        if not self._is_waiting:
            self._is_waiting = True
            self._loop.remove_reader(self._kernel.fileno())
        if self._is_due:
            return
        self._is_due = True
        if seconds:
            self._loop.call_later(seconds, self._now)
        else:
            self._loop.call_soon(self._now)

    def _now(self) -> None:
        self._is_due = False
        self._drain()

    def end(self) -> None:
        """Call nobody any more, but for a drain that has its time already."""
        self._loop.remove_reader(self._kernel.fileno())

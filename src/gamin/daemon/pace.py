"""When the kernel is drained next: at once when things are quiet, later in a flood.

What a batch costs by itself is ten times what an event costs, so in a flood fewer and
larger batches do the same work. A pause is far shorter than what fills the queue, and
there is none while more was read than could be taken in at a time.
"""

from gamin.backends.base import KernelBackend
from gamin.daemon.loop import Call, Loop

FLOOD, PAUSE = 64, 0.005
TORRENT, LONG_PAUSE = 400, 0.01
"""So many changes in one drain, and the next one is so many seconds later. inotify's
queue holds 16,384 events by default, and a process makes up to 500 in a millisecond."""

PIECES = 4
"""What was read ahead is taken in and told by so many pieces, some 1,500 events each;
then clients get their turn."""


class Pace:
    def __init__(self, kernel: KernelBackend, loop: Loop, drain: Call) -> None:
        self._kernel = kernel
        self._loop = loop
        self._drain = drain
        self._is_waiting = False
        """The next drain has its time, whatever there is to read before."""
        loop.add_reader(kernel.fileno(), drain)

    def drained(self, count: int) -> None:
        """So many changes came; see to it that there is a next time."""
        if count < FLOOD and not self._is_waiting:
            return
        is_behind = self._kernel.given < self._kernel.end
        if is_behind or count >= FLOOD:
            self._loop.remove_reader(self._kernel.fileno())
            if is_behind:
                self._loop.call_soon(self._drain)
            else:
                pause = PAUSE if count < TORRENT else LONG_PAUSE
                self._loop.call_later(pause, self._drain)
            self._is_waiting = True
        else:
            self._loop.add_reader(self._kernel.fileno(), self._drain)
            self._is_waiting = False

    def end(self) -> None:
        """Call nobody any more, but for a drain that has its time already."""
        self._loop.remove_reader(self._kernel.fileno())

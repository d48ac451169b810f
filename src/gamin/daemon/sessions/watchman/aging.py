"""Forgets old clocks of roots whose configuration wants that.

`gc_age_seconds` and `gc_interval_seconds` bound what Watchman keeps of deleted files.
The tree has bounds of its own, and so does nothing of this unless it is asked to: then
a clock that is too old is answered as fresh, as by Watchman.
"""

import time
from collections.abc import Callable
from weakref import WeakKeyDictionary

from gamin.daemon.sessions.watchman.root import Root
from gamin.daemon.sessions.watchman.tick_times import TickTimes


class Aging:
    def __init__(
        self,
        times: TickTimes,
        drop_cursors: Callable[[Root, int], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`drop_cursors` forgets the cursors of a root from before a tick."""
        self._times = times
        self._drop_cursors = drop_cursors
        self._clock = clock
        self._looked: WeakKeyDictionary[Root, float] = WeakKeyDictionary()
        """When a root was looked at last, in seconds since 1970."""

    def consider(self, root: Root) -> None:
        """Forget what is too old, if the time for that has come. Called with each
        request about the root: so nothing wakes the server for it."""
        interval = root.config.gc_interval_seconds
        if not interval:
            return
        now = self._clock()
        if now - self._looked.setdefault(root, root.ready_second) >= interval:
            self._looked[root] = now
            self.forget(root, int(now) - root.config.gc_age_seconds)

    def forget(self, root: Root, second: int) -> None:
        """Clocks and cursors from before that second are not valid any more."""
        tick = self._times.before(second)
        if tick is not None:
            root.age_out(tick)
            self._drop_cursors(root, tick)

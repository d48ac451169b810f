"""After the kernel's queue overflowed: look everywhere, and not too often.

inotify drops what does not fit into its queue (fs.inotify.max_queued_events) and says
so with one event without a place (man 7 inotify, IN_Q_OVERFLOW). So every directory
that a kernel watch covers is watched anew, which also shows whether it is still the
same one, and listed; entries whose ctime is not older than the last time the queue was
known to be complete are reported as changed. What the queue still holds is applied as
ever: it only repeats what the listings show, or follows them.

A flood that overflows the queue again and again must not make us list for ever: the
next look waits, one second first, then twice as long each time, half a minute at most.
"""

from gamin.core.binding import Bindings
from gamin.core.effects import Effect, Explore, Note, Noted, Watch
from gamin.core.tree import Tree

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
FORGET_AFTER = 60.0
"""Seconds without an overflow after which the first pause is short again."""
MARGIN_NS = 20_000_000
"""Time stamps come from the kernel's coarse clock, up to 10 ms behind (CONFIG_HZ=100,
man 2 clock_gettime, CLOCK_REALTIME_COARSE)."""


class Recovery:
    def __init__(self, tree: Tree, bindings: Bindings, effects: list[Effect]) -> None:
        self._tree = tree
        self._bindings = bindings
        self._effects = effects
        self._pause = FIRST_PAUSE
        self._last = float("-inf")
        self.due_at: float | None = None
        """When to look everywhere, since something is known to be lost."""
        self._since_ns = 0
        self.good_ns = 0
        """Real time (ns) of the last drain that is known to have lost nothing."""
        self.overflows = 0
        self.rescans = 0

    def overflowed(self, now: float) -> None:
        """The queue lost something. Looks everywhere, now or after a pause."""
        self.overflows += 1
        if self.due_at is not None:
            return
        self._since_ns = max(1, self.good_ns - MARGIN_NS)
        if now - self._last > FORGET_AFTER:
            self._pause = FIRST_PAUSE
        if now - self._last >= self._pause:
            self._rescan(now)
        else:
            self.due_at = self._last + self._pause
            self._pause = min(2 * self._pause, LONGEST_PAUSE)

    def due(self, now: float) -> None:
        if self.due_at is not None and self.due_at <= now:
            self._rescan(now)

    def _rescan(self, now: float) -> None:
        self._last = now
        self.due_at = None
        self.rescans += 1
        self._effects.append(Note(Noted.OVERFLOW, self._tree.root))
        for node in self._tree.root.subtree():
            if not node.kernel and not node.blind:
                continue
            if node.listed or node.blind:
                self._effects.append(Explore(node, None, self._since_ns))
            else:
                self._effects.append(Watch(node))
            for subscriptions in (node.hooks or {}).values():
                for subscription in subscriptions:
                    self._bindings.distrust(subscription, self._since_ns)

"""After the kernel's queue overflowed: look everywhere, and not too often.

inotify drops what does not fit into its queue (fs.inotify.max_queued_events) and says
so with one event without a place (man 7 inotify, IN_Q_OVERFLOW). So every directory
that a kernel watch covers is watched anew, which also shows whether it is still the
same one, and listed; entries whose ctime is not older than the last time the queue was
known to be complete are reported as changed.

That event marks where the queue was full first, not where something is missing: as
long as it was not read, no second one is queued (fsnotify_insert_event in
fs/notify/notification.c). While what is before it is read, there is room again, so
more comes behind it, and what is dropped after that is marked by nothing. A file of
which only the creation got through would stay for ever if that were applied after a
listing that is right. So it is looked only when all is applied that was queued before
the event was read. What follows is complete, or has an event of its own.

A flood that overflows the queue again and again must not make us list for ever: after
a look so much time passes that looking takes a tenth of it at the most.
"""

from gamin.core.coverage.need import Coverage
from gamin.core.effects import Effect, Scan, Trace, TraceKind, Watch
from gamin.core.model.tree import Tree
from gamin.core.resolve.path_walk import PathResolver

MIN_PAUSE = 0.1
MAX_PAUSE = 30.0
MIN_INTERVAL_PER_COST = 10
"""From one look to the next it is so many times as long as the look took."""
MARGIN_NS = 20_000_000
"""Time stamps come from the kernel's coarse clock, up to 10 ms behind (CONFIG_HZ=100,
man 2 clock_gettime, CLOCK_REALTIME_COARSE)."""


class Recovery:
    def __init__(
        self,
        tree: Tree,
        coverage: Coverage,
        bindings: PathResolver,
        effects: list[Effect],
    ) -> None:
        self._tree = tree
        self._coverage = coverage
        self._bindings = bindings
        self._effects = effects
        self._last = float("-inf")
        """When it was last begun to look everywhere, and how long that took, with what
        had to be applied before."""
        self._cost = 0.0
        self.due_at: float | None = None
        """When to look everywhere, since something is known to be lost."""
        self._since_ns = 0
        self.complete_until_ns = 0
        """Real time (ns) of the last drain that is known to have lost nothing."""
        self.overflows = 0
        self.rescans = 0
        self._losses = self._losses_at_start = 0

    def drained_completely(self, at_ns: int) -> None:
        """Everything that happened before the real time `at_ns` was drained, and
        nothing of that lost."""
        self.complete_until_ns = at_ns
        if self.due_at is None and self._coverage.handed_to_polling:
            self._coverage.handed_to_polling.clear()

    def overflowed(self, now: float) -> None:
        """The queue lost something. It is to be looked everywhere, soon or after a
        pause."""
        self.overflows += 1
        self.loss_detected(now)

    def loss_detected(self, now: float) -> None:
        """Something was lost, be it by the kernel or by us."""
        self._losses += 1
        if self.due_at is None:
            self._since_ns = max(1, self.complete_until_ns - MARGIN_NS)
            self._plan(now)

    def _plan(self, now: float) -> None:
        pause = max(MIN_PAUSE, min(MIN_INTERVAL_PER_COST * self._cost, MAX_PAUSE))
        self.due_at = max(now, self._last + pause)

    def is_due(self, now: float) -> bool:
        return self.due_at is not None and self.due_at <= now

    def start(self, now: float) -> None:
        """Now all that is queued is applied, and then comes `look`. Should it not come
        to that, there will be another time."""
        self._last = now
        self._losses_at_start = self._losses
        self._plan(now)

    def rescan(self) -> None:
        """Look everywhere. For a loss that was noticed since `begin`, what followed it
        may still be queued: there will be another look."""
        self.due_at = None
        self._scan_everything()
        if self._losses > self._losses_at_start:
            self._plan(self._last)

    def scan_done(self, now: float) -> None:
        """One of the directories was looked at."""
        self._cost = now - self._last

    def _scan_everything(self) -> None:
        self.rescans += 1
        self._effects.append(Trace(TraceKind.OVERFLOW, self._tree.root))
        released = self._coverage.handed_to_polling
        for node in self._tree.root.subtree():
            if not (node.kernel_mask or node.unreadable or node in released):
                continue
            if node.listed or node.unreadable:
                self._effects.append(Scan(node, None, self._since_ns))
            else:
                self._effects.append(Watch(node))
            for subscriptions in (node.path_waiters or {}).values():
                for subscription in subscriptions:
                    self._bindings.invalidate(subscription, self._since_ns)

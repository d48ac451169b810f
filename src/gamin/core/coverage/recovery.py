"""After a loss of events: rescan every directory the kernel watches, but not too often.

inotify drops what does not fit into its queue (fs.inotify.max_queued_events) and says
so with one event without a place (man 7 inotify, IN_Q_OVERFLOW). So every directory
that a kernel watch covers is watched again, which also shows whether it is still the
same one, and listed; entries whose ctime is not older than the last time the queue was
known to be complete are reported as changed.

That event marks where the queue was full first, not where something is missing: as
long as it was not read, no second one is queued (fsnotify_insert_event in
fs/notify/notification.c). While what is before it is read, there is room again, so
more comes behind it, and what is dropped after that is marked by nothing. A file of
which only the creation got through would stay for ever if that were applied after a
listing that is right. So a rescan happens only after everything is applied that was
queued before the event was read. What follows is complete, or has an event of its own.

A flood that overflows the queue again and again must not cause rescans without end:
the pause between two rescans is ten times as long as a rescan takes, within limits.

A rescan may have to list 100,000 directories, so it is done in parts, between which
changes are applied and clients are served.
"""

from collections.abc import Callable
from typing import NamedTuple

from gamin.core.coverage.need import Coverage
from gamin.core.effects import Effect, Scan, Trace, TraceKind, Watch
from gamin.core.model.node import Node
from gamin.core.model.subscription import Subscription
from gamin.core.model.tree import Tree

MIN_PAUSE = 0.1
"""Least seconds from the start of one rescan to the start of the next."""
MAX_PAUSE = 30.0
"""Most seconds from the start of one rescan to the start of the next."""
MIN_INTERVAL_PER_COST = 10
"""Pause between two rescans, as a multiple of the time the last one took."""
MARGIN_NS = 20_000_000
"""Nanoseconds that a ctime may lag behind the real-time clock. Time stamps come from
the kernel's coarse clock, up to 10 ms behind (CONFIG_HZ=100, man 2 clock_gettime,
CLOCK_REALTIME_COARSE)."""
MIN_SET_BACK_NS = 1_000_000
"""Nanoseconds by which the two clocks may differ more because they are read one after
the other; `MARGIN_NS` allows for that."""


OVERFLOW = "the kernel's queue of events overflowed (IN_Q_OVERFLOW)"
FAILURE = "an internal error kept changes from being applied"


class _Rescan(NamedTuple):
    """What is left of a rescan."""

    since_ns: int
    """Entries with a ctime from this real time on are reported as changed."""
    with_polled: bool
    """It includes directories that are only polled."""
    left: list[Node]
    """Directories that it has not reached, nor what is below."""
    paths: dict[Subscription, None]
    """Subscriptions whose paths are walked again after that."""


class Recovery:
    """Decides when a rescan is due, and which entries it reports as changed.

    Only the monitor and the renames call it, and a client that wants a rescan
    (`on_wish`). Others may read `due_at`,
    `is_unresolved`, `complete_until_ns`, `reason` and the two counters.
    """

    def __init__(
        self,
        tree: Tree,
        coverage: Coverage,
        invalidate: Callable[[Subscription, int], None],
        effects: list[Effect],
    ) -> None:
        self._tree = tree
        self._coverage = coverage
        self._invalidate_path = invalidate
        self._effects = effects
        self.due_at: float | None = None
        """When the next rescan is due; None unless a loss waits for one."""
        self.is_rescanning: bool = False
        """A rescan was begun, and not all of it is done."""
        self.complete_until_ns: int = 0
        """Real time (ns) up to which no event was lost, as far as is known."""
        self.overflows: int = 0
        """How often the kernel's queue overflowed."""
        self.rescans: int = 0
        """How often everything was rescanned."""
        self.reason: str = ""
        """Why events were lost the last time."""
        self._started_at = float("-inf")
        """When the last rescan was started, with the drain that comes before it."""
        self._cost = 0.0
        """Seconds the last rescan took, from its start to its last listing so far."""
        self._changed_since_ns = 0
        """The next rescan reports entries with a ctime from this real time on as
        changed."""
        self._clock_offset_ns = 0
        """Real time minus the monotonic clock at the last drain."""
        self._undetected_ns = 0
        """Nanoseconds for which polling may not have found what is to be rescanned."""
        self._includes_polled = False
        """Whether the next rescan includes directories that are only polled."""
        self._present = _Rescan(0, with_polled=False, left=[], paths={})
        self._has_overflowed = False
        """Whether the queue overflowed since the last complete drain."""
        self._losses = 0
        self._losses_at_start = 0
        """Value of `_losses` when the last rescan was started."""

    @property
    def is_unresolved(self) -> bool:
        """Whether something may be missing that a rescan will find."""
        return self.due_at is not None or self.is_rescanning

    def on_drain_started(self, now: float, now_ns: int) -> None:
        """The kernel's queue is about to be drained, at the real time `now_ns`.

        Where the real-time clock was set back, what happened since has times that are
        earlier by as much.
        """
        offset_ns = now_ns - int(now * 1e9)
        set_back_ns = self._clock_offset_ns - offset_ns
        self._clock_offset_ns = offset_ns
        if set_back_ns > MIN_SET_BACK_NS and self.complete_until_ns:
            self.complete_until_ns = max(1, self.complete_until_ns - set_back_ns)
            self._changed_since_ns = max(1, self._changed_since_ns - set_back_ns)
            since_ns = max(1, self._present.since_ns - set_back_ns)
            self._present = self._present._replace(since_ns=since_ns)

    def on_drained(self, started_ns: int) -> None:
        """Everything queued before the real time `started_ns` was applied.

        If the queue overflowed on the way, that says nothing about what is missing.
        """
        if self._has_overflowed:
            self._has_overflowed = False
            return
        self.complete_until_ns = started_ns
        if self._coverage.registers.handed_to_polling and not self.is_unresolved:
            self._coverage.registers.queue_was_complete()

    def on_overflow(self, now: float) -> None:
        """The kernel's queue lost events: a rescan is due, at once or after a pause."""
        self.overflows += 1
        self._has_overflowed = True
        self.on_loss(now, OVERFLOW)

    def on_failure(self, now: float, undetected: float) -> None:
        """An exception lost changes, be they the kernel's or found by polling; these
        may be `undetected` seconds old."""
        self._includes_polled = True
        self._undetected_ns = max(self._undetected_ns, int(undetected * 1e9))
        self.on_loss(now, FAILURE)

    def on_loss(self, now: float, reason: str) -> None:
        """Events were lost."""
        self._require(now, reason, self.complete_until_ns - MARGIN_NS)

    def on_wish(self, now: float, reason: str) -> None:
        """A client wants a rescan. No event is missing, so what changed before the last
        drain was reported, however coarse its ctime is."""
        self._require(now, reason, self.complete_until_ns)

    def _require(self, now: float, reason: str, since_ns: int) -> None:
        self._losses += 1
        self.reason = reason
        if self.due_at is None:
            self._changed_since_ns = max(1, since_ns)
            self._schedule(now)
        else:
            self._changed_since_ns = max(1, min(self._changed_since_ns, since_ns))

    def _schedule(self, now: float) -> None:
        pause = max(MIN_PAUSE, min(MIN_INTERVAL_PER_COST * self._cost, MAX_PAUSE))
        self.due_at = max(now, self._started_at + pause)

    def start(self, now: float, *, at_once: bool = False) -> bool:
        """Whether a rescan is due, or pending if it is wanted `at_once`. The present
        one is finished first.

        If so it starts: the caller applies everything that is queued, then calls
        `rescan`. Should that fail, another one is due later.
        """
        if self.is_rescanning or self.due_at is None:
            return False
        if self.due_at > now and not at_once:
            return False
        self._started_at = now
        self._losses_at_start = self._losses
        self._schedule(now)
        return True

    def rescan(self) -> None:
        """Begin to rescan everything. After a loss detected since `start`, events from
        before that loss may still be queued, so another rescan is due."""
        self.due_at = None
        self.is_rescanning = True
        self.rescans += 1
        with_polled, self._includes_polled = self._includes_polled, False
        since_ns = self._changed_since_ns
        if with_polled:
            since_ns = max(1, since_ns - self._undetected_ns)
            self._undetected_ns = 0
        self._present = _Rescan(since_ns, with_polled, [self._tree.root], {})
        self._effects.append(Trace(TraceKind.OVERFLOW, self._tree.root))
        if self._losses > self._losses_at_start:
            self._schedule(self._started_at)

    def go_on(self, count: int) -> None:
        """Have the next `count` directories scanned. Call it when the scans before are
        done: when none is left, the rescan is over."""
        since_ns, _, left, paths = self._present
        if not left and not paths:
            self.is_rescanning = False
        while (left or paths) and count:
            count -= 1
            if left:
                node = left.pop()
                left.extend(node.children())
                self._scan(node)
            else:
                subscription, _ = paths.popitem()
                if subscription.steps:  # it has not ended
                    self._invalidate_path(subscription, since_ns)

    def on_moved(self, node: Node) -> None:
        """A directory was renamed, perhaps from where the rescan has not been yet to
        where it has been."""
        if self.is_rescanning:
            self._present.left.append(node)

    def on_scanned(self, now: float) -> None:
        """One of the directories was listed."""
        self._cost = now - self._started_at

    def _scan(self, node: Node) -> None:
        """Have a directory scanned that may have lost events."""
        present = self._present
        released = self._coverage.registers.handed_to_polling
        is_lossy = node.kernel_mask or node.unreadable or node in released
        if not is_lossy and not (present.with_polled and node.poll_mask):
            return
        # One that should be listed and is not: its first scan was lost, too.
        if node.listed or node.unreadable or self._coverage.wants_entries(node):
            self._effects.append(Scan(node, None, present.since_ns))
        else:
            self._effects.append(Watch(node))
        for subscriptions in (node.path_waiters or {}).values():
            present.paths.update(dict.fromkeys(subscriptions))

"""Carries the core's effects out: watches, lists, looks, and keeps the one timer.

What is told to whom comes out at the other end as calls of a `Delivery`. Decides
nothing but the order of work: what one client waits for is done before the next slice
of a large tree, and the kernel's queue is emptied between slices.
"""

import errno
import logging
import sys
import time
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from gamin.backends.base import KernelBackend
from gamin.backends.polling import PollingBackend
from gamin.core.effects import (
    Deliver,
    Effect,
    Listing,
    Probe,
    Ready,
    Scan,
    Trace,
    Unwatch,
    Watch,
)
from gamin.core.model.subscription import Subscription
from gamin.core.monitor import Monitor
from gamin.daemon.io.loop import Loop, Timer
from gamin.daemon.process.change_log import log
from gamin.engine.crawler import crawl_batch
from gamin.engine.drain_schedule import MAX_PIECES_PER_ROUND, DrainSchedule
from gamin.engine.handover import Handover
from gamin.errors import WatchLimitReached
from gamin.events import Change
from gamin.system.filesystem import changed_since, probe, scan, split_entries

_switched = logging.getLogger("gamin")  # by who looks for a fault

CRAWL_SLICE_SECONDS = 0.02
"""Seconds of crawling before clients and the kernel's queue get their turn."""

_Work = Watch | Unwatch | Probe | Scan


class Delivery(Protocol):
    """Who passes on what the core says."""

    def tell(self, effect: Deliver) -> None: ...

    def ready(self, subscription: Subscription) -> None: ...

    def note(self, effect: Trace) -> None: ...

    def listed(self, listings: Sequence[Listing]) -> None:
        """These directories are to be taken in."""

    def flush(self) -> None:
        """A round is over: send."""


class Watcher:
    def __init__(
        self,
        monitor: Monitor,
        kernel: KernelBackend | None,
        polling: PollingBackend,
        telling: Delivery,
        loop: Loop,
    ) -> None:
        self._monitor = monitor
        self._kernel = kernel
        self._polling = polling
        self._telling = telling
        self._loop = loop
        self._urgent: deque[_Work] = deque()
        self._crawl: deque[Scan] = deque()
        self._timer: Timer | None = None
        self._is_crawling = False
        self._ways = Handover(kernel, polling, self._apply)
        self._pace = None if kernel is None else DrainSchedule(kernel, loop, self.drain)
        loop.add_reader(polling.fileno(), self._drain_polling)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._kernel is not None and self._pace is not None:
            self._pace.stop()
            self._kernel.close()
            # A drain may still be due.
            self._kernel = self._pace = self._ways.kernel = None
        self._loop.remove_reader(self._polling.fileno())
        self._polling.close()

    @property
    def is_busy(self) -> bool:
        """Whether directories are still to be listed."""
        return bool(self._crawl)

    # -- what comes in

    def drain(self) -> None:
        """Take what the kernel has noticed, and do all that follows from it."""
        count = 0
        try:
            count = self._catch_up(MAX_PIECES_PER_ROUND)
            self._telling.flush()  # before what can be done while the client wakes up
        finally:
            self._plan_work()
            if self._pace is not None:
                self._pace.on_drained(count)

    def synchronise(self) -> int:
        """Take everything that happened up to now; nothing is sent yet. How many
        changes that were.

        The kernel queues an event inside the system call that causes it, so after
        this the tree knows whatever any process did before. Where some of it is known
        to be lost, it is looked for now, unless that was done just before.
        """
        try:
            count = self._catch_up()
            self._recover()
        finally:
            self._plan()
        return count

    def _recover(self) -> None:
        """Look for what was lost, if it is time."""
        if self._monitor.start_recovery(time.monotonic()):
            self._catch_up()
            self._take(self._monitor.recover(time.monotonic()))
            self._work()

    def _catch_up(self, most: int = sys.maxsize) -> int:
        """Take in what happened before this, but at most so many pieces of it."""
        kernel = self._kernel
        if kernel is None:
            return 0
        started = time.time_ns()
        goal: int | None = None
        count = 0
        try:
            while (goal is None or kernel.drained_bytes < goal) and most > 0:
                most -= 1
                changes = kernel.drain()
                goal = kernel.queued_bytes if goal is None else goal
                if changes:
                    count += len(changes)
                    self._apply(changes)
                    if self._ways.observed or self._urgent or kernel.has_pending:
                        self._work()
        except Exception:
            # A bug, which the loop logs. What was not taken in because of it is looked
            # for, like what the kernel drops.
            self._monitor.drain_failed(time.monotonic())
            raise
        if goal is None or kernel.drained_bytes >= goal:
            self._monitor.drained(started)
        return count

    def _apply(self, changes: Sequence[Change]) -> None:
        """What the kernel told is taken in; the work that makes is queued."""
        if _switched.level == logging.DEBUG:
            log(changes)
        self._ways.absorb_kernel_events(changes)
        self._take(self._monitor.changed(changes, time.monotonic()))

    def _drain_polling(self) -> None:
        changes = self._polling.drain()
        if changes:
            self.do(self._monitor.changed(changes, time.monotonic()))
            self._telling.flush()

    def _due(self) -> None:
        self._timer = None
        try:
            self._recover()
            self.do(self._monitor.due(time.monotonic()))
        finally:
            self._plan()
        self._telling.flush()

    def _arm(self) -> None:
        """Have the loop call when the core wants to be called; else no timer."""
        deadline = self._monitor.deadline()
        timer = self._timer
        if deadline is None:
            if timer is not None:
                timer.cancel()
                self._timer = None
        elif timer is None or timer.when() > deadline:
            if timer is not None:
                timer.cancel()
            self._timer = self._loop.call_at(deadline, self._due)

    # -- what goes out

    def do(self, effects: list[Effect]) -> None:
        """Carry effects out, and what follows from them, save for large crawls."""
        self._take(effects)
        self._work()
        self._plan()

    def _plan(self) -> None:
        """See to it that what is left is done later, and what was read is taken in."""
        if self._pace is not None:
            self._pace.schedule_read_ahead()
        self._plan_work()

    def _plan_work(self) -> None:
        if self._crawl and not self._is_crawling:
            self._is_crawling = True
            self._loop.call_soon(self._crawl_on)
        self._arm()

    def _work(self) -> None:
        """Do what is urgent. What was noticed on the way comes first: it is older than
        what the next piece of work finds."""
        while True:
            if self._ways.observed:
                found, self._ways.observed = self._ways.observed, []
                self._take(self._monitor.changed(found, time.monotonic()))
            elif self._urgent:
                self._perform(self._urgent.popleft())
            elif self._kernel is not None and self._kernel.has_pending:
                changes = self._kernel.drain()
                self._ways.absorb_kernel_events(changes)
                self._ways.observed += changes
            else:
                return

    def _take(self, effects: list[Effect]) -> None:
        """Tellings go out at once, in their order; work is queued."""
        for effect in effects:
            if isinstance(effect, Deliver):
                self._telling.tell(effect)
            elif isinstance(effect, Scan):
                queue = self._urgent if effect.requested_by is None else self._crawl
                queue.append(effect)
            elif isinstance(effect, Ready):
                self._telling.ready(effect.subscription)
            elif isinstance(effect, Trace):
                self._telling.note(effect)
            elif isinstance(effect, Watch | Unwatch | Probe):
                self._urgent.append(effect)

    def _crawl_on(self) -> None:
        """List for a slice of time; then let clients and the kernel have theirs."""
        self._is_crawling = False
        end = time.monotonic() + CRAWL_SLICE_SECONDS
        crawl = self._crawl
        try:
            while crawl and time.monotonic() < end:
                kernel = self._kernel
                listings = [] if kernel is None else crawl_batch(crawl, kernel)
                if listings:
                    self._listed(listings)
                else:
                    self._perform(crawl.popleft())
                self._work()
        finally:
            self.synchronise()
        self._telling.flush()
        self.do([])

    def _perform(self, work: _Work) -> None:
        if isinstance(work, Scan):
            self._explore(work)
        elif isinstance(work, Probe):
            self._look(work)
        elif isinstance(work, Unwatch):
            self._ways.unwatch(work.node)
        elif work.node.mask:
            try:
                self._ways.watch(work.node)
            except OSError as error:
                self._failed(work, error.errno or errno.EIO)
            except WatchLimitReached:
                self._failed(work, errno.ENOSPC)

    def _failed(self, work: Watch | Scan, number: int) -> None:
        """What is to be done instead comes before what relies on it being watched."""
        waiting = len(self._urgent)
        self._take(self._monitor.unwatchable(work, number, time.monotonic()))
        self._urgent.rotate(len(self._urgent) - waiting)

    def _explore(self, work: Scan) -> None:
        node = work.node
        now = time.monotonic()
        if not node.mask:
            self._take(self._monitor.skipped(work, now))
            return
        changed: list[bytes] = []
        if work.changed_since_ns and self._kernel is not None:
            self._kernel.read_ahead()  # or the queue overflows again meanwhile
        try:
            # All that is in another directory is new, whatever names it has.
            since = 1 if self._ways.rewatch(node) else work.changed_since_ns
            entries = scan(node.path())
            directories, others = split_entries(entries)
            if since:
                changed = changed_since(entries, since)
        except OSError as error:
            self._failed(work, error.errno or errno.EIO)
        except WatchLimitReached:
            self._failed(Watch(node), errno.ENOSPC)
            self._urgent.append(work)  # polled from now on
        else:
            if node.wd_poll >= 0:
                found = dict.fromkeys(directories, True) | dict.fromkeys(others, False)
                self._ways.observed += self._polling.absorb_scan(
                    node, found, is_all=True
                )
            self._listed([(work, directories, others, changed)])

    def _listed(self, listings: list[Listing]) -> None:
        self._telling.listed(listings)
        self._take(self._monitor.listed(listings, time.monotonic()))

    def _look(self, work: Probe) -> None:
        subscription, node, name, changed_since_ns = work
        if node.wd_poll >= 0:
            self._polling.track_entry(node, name)
        found, is_newer, is_known = probe(node.path_prefix() + name, changed_since_ns)
        now = time.monotonic()
        if is_known and node.wd_poll >= 0:
            kind = None if found is None else found is True
            self._ways.observed += self._polling.absorb_scan(node, {name: kind})
        self._take(self._monitor.probed(subscription, node, name, found, now, is_newer))

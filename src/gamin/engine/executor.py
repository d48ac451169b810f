"""Carries the core's effects out: watches, scans, probes, and passes reports on.

It decides nothing but the order of work: what a client waits for is done before the
next slice of a large tree, and the kernel's queue is emptied between slices. It never
waits: whoever drives it calls `drain` when the kernel has something to read (unless
`is_drain_scheduled`) and `due` when the time of `deadline` has come.
"""

import errno
import sys
from collections import deque
from collections.abc import Mapping, Sequence

from gamin.backends.base import KernelBackend
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
from gamin.core.model.node import Node
from gamin.core.monitor import Monitor
from gamin.engine.crawler import crawl_batch
from gamin.engine.distant import Distant, Hands
from gamin.engine.drain_schedule import DrainSchedule, Slices
from gamin.engine.handover import Handover
from gamin.engine.ports import (
    AT_ONCE,
    Asked,
    Clock,
    Delivery,
    FileSystem,
    MountThreads,
    Poller,
)
from gamin.errors import WatchLimitReached
from gamin.events import Change

MAX_RESCANS = 3
"""Rescans before one answer: the kernel may lose events again during each of them."""


_Work = Watch | Unwatch | Probe | Scan | Ready


class Executor:
    def __init__(
        self,
        monitor: Monitor,
        kernel: KernelBackend | None,
        polling: Poller,
        files: FileSystem,
        clock: Clock,
        delivery: Delivery,
        slices: Slices | None = None,
        threads: MountThreads | None = None,
    ) -> None:
        """`kernel` is None where everything is polled; `threads` is None where every
        mount is certain to answer."""
        self._monitor = monitor
        self._kernel = kernel
        self._polling = polling
        self._files = files
        self._clock = clock
        self._delivery = delivery
        self._slices = slices or Slices()
        self._urgent: deque[_Work] = deque()
        self._crawl: deque[Scan] = deque()
        self._handover = Handover(kernel, polling, self._apply)
        self._schedule = DrainSchedule()
        hands = Hands(self._take, self._handover.release, self._urgent.append)
        self.distant = Distant(monitor, threads, delivery, clock, hands)

    # -- what drives it

    @property
    def is_crawling(self) -> bool:
        """Whether directories of a large tree are still to be listed."""
        return bool(self._crawl)

    @property
    def is_drain_scheduled(self) -> bool:
        """Whether the next drain has its time: until then the kernel's descriptor need
        not be waited for."""
        return self._schedule.due_at is not None

    def deadline(self) -> float | None:
        """When `due` is to be called next: AT_ONCE, or a time of the clock, or None
        while nothing is pending."""
        if self._crawl or self.distant.has_answers:
            return AT_ONCE
        soonest = self._monitor.deadline()
        for due_at in (self._schedule.due_at, self._polling.deadline()):
            if due_at is not None and (soonest is None or due_at < soonest):
                soonest = due_at
        return soonest

    def due(self) -> None:
        """Do everything whose time has come, and a slice of what is to be crawled.

        An exception in one of these does not keep the others from being done.
        """
        try:
            if self._is_past(self._schedule.due_at):
                self.drain()
        finally:
            try:
                if self._is_past(self._monitor.deadline()):
                    self._monitor_due()
            finally:
                try:
                    if self._is_past(self._polling.deadline()):
                        self._polling_due()
                finally:
                    try:
                        if self.distant.has_answers:
                            self._apply_answers()
                    finally:
                        if self._crawl:
                            self._crawl_slice()

    def _is_past(self, deadline: float | None) -> bool:
        return deadline is not None and deadline <= self._clock.monotonic()

    # -- what comes in

    def answered(self) -> None:
        """Threads of distant mounts have answered: apply a slice of it, and send."""
        self.distant.collect()
        self._apply_answers()

    def _apply_answers(self) -> None:
        end = self._clock.monotonic() + self._slices.answer_seconds
        self.distant.apply_until(end, self._work)
        self._delivery.flush()

    def drain(self) -> None:
        """Apply what the kernel has reported, do all that follows, and send."""
        count = 0
        try:
            count = self._catch_up(self._slices.drain_pieces)
            self._delivery.flush()
        finally:
            self._schedule.on_drained(count, self._behind(), self._clock.monotonic())

    def synchronise(self) -> int:
        """Apply everything that happened before this call; send nothing yet. Returns
        the number of changes.

        The kernel queues an event inside the system call that causes it, so after this
        the tree knows whatever any process did before. If events were lost, everything
        is rescanned now, unless that was done just before.
        """
        try:
            count = self._catch_up()
            self._recover()
        finally:
            self._schedule.on_read_ahead(self._behind())
        return count

    def bring_up_to_date(self, subscription: Asked) -> bool:
        """Detect now what would be detected later at or below the path of a
        subscription that is ready: what is polled, what waits to be scanned, and what a
        loss has hidden. Call it after `synchronise`; it sends nothing yet.

        Returns False if the kernel loses events faster than a rescan finds them.
        """
        try:
            for _ in range(MAX_RESCANS):
                if not self._recover(at_once=True):
                    break
            self._take(self._monitor.retry(self._clock.monotonic()))
            self._work()
            self._crawl_all(subscription)
            directory = subscription.bound_directory
            if directory is not None:
                changes = self._polling.poll_below(directory.path())
                if changes:
                    now = self._clock.monotonic()
                    self._take(self._monitor.changed(changes, now))
                    self._work()
        finally:
            self._schedule.on_read_ahead(self._behind())
        return self._monitor.recovery.due_at is None

    def _crawl_all(self, subscription: Asked) -> None:
        """Do now what is to be crawled for the subscription."""
        while any(scan.requested_by is subscription for scan in self._crawl):
            crawl, self._crawl = self._crawl, deque()
            for scan in crawl:
                is_its = scan.requested_by is subscription
                (self._urgent if is_its else self._crawl).append(scan)
            self._work()

    def _behind(self) -> int:
        """Bytes that are read ahead from the kernel's queue and not applied."""
        kernel = self._kernel
        return 0 if kernel is None else kernel.queued_bytes - kernel.drained_bytes

    def _recover(self, *, at_once: bool = False) -> bool:
        """Rescan everything, if that is due, or pending if it is wanted `at_once`.
        Returns whether it was done."""
        monitor, clock = self._monitor, self._clock
        if not monitor.start_recovery(clock.monotonic(), at_once=at_once):
            return False
        self._catch_up()
        self._take(monitor.recover(clock.monotonic()))
        self._work()
        return True

    def _catch_up(self, pieces: int = sys.maxsize) -> int:
        """Apply what happened before this call, but at most so many pieces of it."""
        kernel = self._kernel
        if kernel is None:
            return 0
        started = self._clock.time_ns()
        self._monitor.drain_started()
        goal: int | None = None
        count = 0
        try:
            while (goal is None or kernel.drained_bytes < goal) and pieces > 0:
                pieces -= 1
                changes = kernel.drain()
                goal = kernel.queued_bytes if goal is None else goal
                if changes:
                    count += len(changes)
                    self._apply(changes)
                    if self._handover.observed or self._urgent or kernel.has_pending:
                        self._work()
        except Exception:
            # A bug, which is logged further up. A rescan finds what it kept from being
            # applied, as it finds what the kernel drops.
            self._monitor.drain_failed(self._clock.monotonic())
            raise
        if goal is None or kernel.drained_bytes >= goal:
            self._monitor.drained(started)
        return count

    def _apply(self, changes: Sequence[Change]) -> None:
        """Give the core what the kernel reported; the work that makes is queued."""
        self._delivery.detected(changes)
        self._handover.absorb_kernel_events(changes)
        self._take(self._monitor.changed(changes, self._clock.monotonic()))

    def _monitor_due(self) -> None:
        try:
            self._recover()
            self.do(self._monitor.due(self._clock.monotonic()))
        finally:
            self._schedule.on_read_ahead(self._behind())
        self._delivery.flush()

    def _polling_due(self) -> None:
        changes = self._polling.due(self._clock.monotonic())
        if changes:
            self.do(self._monitor.changed(changes, self._clock.monotonic()))
            self._delivery.flush()

    # -- what goes out

    def do(self, effects: list[Effect]) -> None:
        """Carry effects out, and what follows from them, save for large crawls."""
        self._take(effects)
        self._work()
        self._schedule.on_read_ahead(self._behind())

    def _work(self) -> None:
        """Do what is urgent. Changes detected on the way are applied first: they are
        older than what the next piece of work finds."""
        handover, kernel = self._handover, self._kernel
        while True:
            if handover.observed:
                observed, handover.observed = handover.observed, []
                self._take(self._monitor.changed(observed, self._clock.monotonic()))
            elif self._urgent:
                self._perform(self._urgent.popleft())
            elif kernel is not None and kernel.has_pending:
                changes = kernel.drain()
                handover.absorb_kernel_events(changes)
                handover.observed += changes
            else:
                return

    def _take(self, effects: list[Effect]) -> None:
        """Pass reports on at once, in their order; queue work."""
        for effect in effects:
            if isinstance(effect, Deliver):
                self._delivery.deliver(effect)
            elif isinstance(effect, Scan):
                queue = self._urgent if effect.requested_by is None else self._crawl
                queue.append(effect)
            elif isinstance(effect, Trace):
                self._delivery.note(effect)
            elif isinstance(effect, Watch | Unwatch | Probe | Ready):
                # Ready waits for the watches before it: what changes between the
                # first rows of a client and the watch would never be reported.
                self._urgent.append(effect)

    def _crawl_slice(self) -> None:
        """List directories for a slice of time, then apply what happened meanwhile."""
        crawl, clock, most = self._crawl, self._clock, self._slices.crawl_batch
        end = clock.monotonic() + self._slices.crawl_seconds
        kernel = self._kernel
        try:
            while crawl:
                listings: list[Listing] = []
                if kernel is not None:
                    listings = crawl_batch(crawl, kernel, self._files, most)
                if listings:
                    self._listed(listings)
                else:
                    self._perform(crawl.popleft())
                self._work()
                if clock.monotonic() >= end:
                    break
        finally:
            self.synchronise()
        self._delivery.flush()
        self.do([])

    def _perform(self, work: _Work) -> None:
        if self.distant.is_in_use and self.distant.takes(work):
            return
        if isinstance(work, Scan):
            self._scan(work)
        elif isinstance(work, Probe):
            self._probe(work)
        elif isinstance(work, Unwatch):
            self._handover.unwatch(work.node)
        elif isinstance(work, Ready):
            self._delivery.ready(work.subscription)
        elif work.node.mask:
            try:
                self._handover.watch(work.node)
            except OSError as error:
                self._failed(work, error.errno or errno.EIO)
            except WatchLimitReached:
                self._failed(work, errno.ENOSPC)

    def _failed(self, work: Watch | Scan, number: int) -> None:
        """What is to be done instead comes before what relies on the watch."""
        waiting = len(self._urgent)
        self._take(self._monitor.unwatchable(work, number, self._clock.monotonic()))
        self._urgent.rotate(len(self._urgent) - waiting)

    def _scan(self, work: Scan) -> None:
        node = work.node
        if not node.mask:
            self._take(self._monitor.skipped(work, self._clock.monotonic()))
            return
        if work.changed_since_ns and self._kernel is not None:
            self._kernel.read_ahead()  # or the queue overflows again meanwhile
        try:
            # All that is in another directory is new, whatever names it has.
            since = 1 if self._handover.rewatch(node) else work.changed_since_ns
            directories, others, changed = self._files.scan(node.path(), since)
        except OSError as error:
            self._failed(work, error.errno or errno.EIO)
        except WatchLimitReached:
            self._failed(Watch(node), errno.ENOSPC)
            self._urgent.append(work)  # polled from now on
        else:
            if node.wd_poll >= 0:
                found = dict.fromkeys(directories, True) | dict.fromkeys(others, False)
                self._absorb(node, found, is_all=True)
            self._listed([(work, directories, others, changed)])

    def _listed(self, listings: list[Listing]) -> None:
        self._delivery.listed(listings)
        self._take(self._monitor.listed(listings, self._clock.monotonic()))

    def _probe(self, work: Probe) -> None:
        subscription, node, name, changed_since_ns = work
        if node.wd_poll >= 0:
            self._polling.track_entry(node, name)
        path = node.path_prefix() + name
        found, is_newer, is_certain = self._files.probe(path, changed_since_ns)
        now = self._clock.monotonic()
        if is_certain and node.wd_poll >= 0:
            kind = None if found is None else found is True
            self._absorb(node, {name: kind}, is_all=False)
        self._take(self._monitor.probed(subscription, node, name, found, now, is_newer))

    def _absorb(
        self, node: Node, found: Mapping[bytes, bool | None], *, is_all: bool
    ) -> None:
        """Have the poller not detect again what was found."""
        changes = self._polling.absorb_scan(node, found, is_all=is_all)
        self._handover.observed += changes

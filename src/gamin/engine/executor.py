"""The executor: orders the core's effects, and the drains of the kernel's queue.

It decides nothing but the order of work: what a client waits for is done before the
next slice of a large tree, and the kernel's queue is emptied between slices. It never
waits: whoever drives it calls `drain` when the kernel has something to read (unless
`is_drain_scheduled`) and `due` when the time of `deadline` has come.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from gamin.backends.base import KernelBackend
from gamin.core.effects import Effect, Listing
from gamin.core.monitor import Monitor
from gamin.engine.crawler import crawl_batch
from gamin.engine.distant import Distant
from gamin.engine.drain_schedule import DrainSchedule, Slices
from gamin.engine.ports import (
    AT_ONCE,
    Asked,
    Clock,
    Delivery,
    FileSystem,
    MountThreads,
    Poller,
)
from gamin.engine.work_queue import WorkQueue

FIRST_BATCH = 8
"""Directories of a tree that are listed together first: those near the top often have
many subdirectories."""


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
        self._queue = WorkQueue(
            monitor, kernel, polling, files, clock, delivery, threads, self._slices
        )
        self._crawl = self._queue.crawl
        self.distant: Distant = self._queue.distant
        self._schedule = DrainSchedule()
        self._crawl_most = min(FIRST_BATCH, self._slices.crawl_batch)
        """Directories that are listed together now."""
        self._is_detailed = False
        """What was last asked of the kernel backend."""
        monitor.polling_age = self._polling_age

    # -- what drives it

    @property
    def is_crawling(self) -> bool:
        """Whether directories are still to be listed."""
        return bool(self._crawl) or self.is_scanning

    @property
    def is_scanning(self) -> bool:
        """Whether directories wait to be scanned that are new or may have lost
        events."""
        return bool(self._queue.scans) or self._monitor.recovery.is_rescanning

    @property
    def is_drain_scheduled(self) -> bool:
        """Whether the next drain has its time: until then the kernel's descriptor need
        not be waited for."""
        return self._schedule.due_at is not None

    @property
    def last_drain(self) -> float:
        """When the kernel had something to report last, by the clock."""
        return self._schedule.last_drain

    def deadline(self) -> float | None:
        """When `due` is to be called next: AT_ONCE, or a time of the clock, or None
        while nothing is pending."""
        queue = self._queue
        if queue.crawl or queue.scans or self.distant.inbox:
            return AT_ONCE
        if self._monitor.recovery.is_rescanning:
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
                        if self.distant.inbox:
                            self._apply_answers()
                    finally:
                        if self.is_crawling:
                            self._slice()

    def _is_past(self, deadline: float | None) -> bool:
        return deadline is not None and deadline <= self._clock.monotonic()

    # -- what comes in

    def answered(self) -> None:
        """Threads of distant mounts have answered: apply that when it is `due`."""
        self.distant.collect()

    def _apply_answers(self) -> None:
        end = self._clock.monotonic() + self._slices.answer_seconds
        with self._noting_failure():
            self.distant.apply_until(end, self._queue.work)
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
        the tree knows whatever any process did before, save for what is in large trees
        that are new or were lost: these are scanned in slices. If events were lost, a
        rescan begins now, unless that was done just before.
        """
        try:
            count = self._catch_up()
            self.recover()
        finally:
            self._schedule.on_read_ahead(self._behind())
        return count

    def _behind(self) -> int:
        """Bytes that are read ahead from the kernel's queue and not applied."""
        kernel = self._kernel
        return 0 if kernel is None else kernel.queued_bytes - kernel.drained_bytes

    def recover(self, *, at_once: bool = False) -> bool:
        """Begin to rescan everything, if that is due, or pending if it is wanted
        `at_once`. Returns whether it was."""
        monitor, clock = self._monitor, self._clock
        if not monitor.start_recovery(clock.monotonic(), at_once=at_once):
            return False
        self._catch_up()
        self._queue.take(monitor.recover(clock.monotonic()))
        self._queue.work()
        return True

    def _catch_up(self, pieces: int = sys.maxsize) -> int:
        """Apply what happened before this call, but at most so many pieces of it."""
        kernel = self._kernel
        if kernel is None:
            return 0
        if self._is_detailed is not self._monitor.details.is_wanted:
            kernel.is_detailed = self._is_detailed = not self._is_detailed
        started = self._clock.time_ns()
        self._monitor.drain_started(self._clock.monotonic(), started)
        goal: int | None = None
        count = 0
        try:
            while (goal is None or kernel.drained_bytes < goal) and pieces > 0:
                pieces -= 1
                changes = kernel.drain()
                goal = kernel.queued_bytes if goal is None else goal
                if changes:
                    count += len(changes)
                    self._queue.apply(changes)
                    self._queue.work()
        except Exception as error:
            self._note_failure(error)
            raise
        if goal is None or kernel.drained_bytes >= goal:
            self._monitor.drained(started)
        return count

    def _monitor_due(self) -> None:
        try:
            with self._noting_failure():
                self.recover()
                self.do(self._monitor.due(self._clock.monotonic()))
        finally:
            self._schedule.on_read_ahead(self._behind())
        self._delivery.flush()

    def _polling_due(self) -> None:
        with self._noting_failure():
            changes = self._polling.due(self._clock.monotonic())
            if changes:
                self.do(self._monitor.changed(changes, self._clock.monotonic()))
        if changes:
            self._delivery.flush()

    def _polling_age(self) -> float:
        """Seconds since some polled directory was last polled."""
        oldest = self._polling.oldest_poll()
        return 0.0 if oldest is None else self._clock.monotonic() - oldest

    # -- what goes out

    def do(self, effects: list[Effect]) -> None:
        """Carry effects out, and what follows from them, save for large crawls."""
        with self._noting_failure():
            self._queue.take(effects)
            self._queue.work()
        self._schedule.on_read_ahead(self._behind())

    @contextmanager
    def _noting_failure(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self._note_failure(error)
            raise

    def _note_failure(self, error: Exception) -> None:
        """What an exception keeps from being applied or carried out counts as lost: a
        rescan finds it, as it finds what the kernel drops. The exception (a bug, or no
        memory left) is logged further up."""
        self._monitor.work_failed(self._clock.monotonic())
        if isinstance(error, MemoryError):
            self._delivery.no_memory()

    def _slice(self) -> None:
        """Scan and list for a slice of time, then apply what happened meanwhile."""
        try:
            self.scan_slice()
        finally:
            try:
                with self._noting_failure():
                    self._crawl_slice()
            finally:
                self.drain()

    def scan_slice(self) -> None:
        """Scan what is new or may have lost events, for a slice of time."""
        queue, monitor, clock = self._queue, self._monitor, self._clock
        end = clock.monotonic() + self._slices.scan_seconds
        batch = self._slices.scan_batch
        try:
            with self._noting_failure():
                while self.is_scanning:
                    if not queue.scans:
                        queue.take(monitor.recover_more(batch, clock.monotonic()))
                    queue.scan_some(batch)
                    if clock.monotonic() >= end:
                        break
        finally:
            self._schedule.on_read_ahead(self._behind())

    def hurry(self, subscription: Asked) -> bool:
        """Have what is to be crawled for the subscription scanned next; return whether
        there is any."""
        return self._queue.hurry(subscription)

    def _listed(self, listings: list[Listing]) -> None:
        try:
            self._queue.listed(listings)
        except MemoryError:
            # Somebody waits for each of these, so they are listed again.
            self._crawl.extendleft(scan for scan, *_ in reversed(listings))
            raise

    def _crawl_slice(self) -> None:
        """List directories of large trees for a slice of time."""
        crawl, clock, slices = self._crawl, self._clock, self._slices
        begun = clock.monotonic()
        end = begun + slices.crawl_seconds
        kernel = self._kernel
        while crawl:
            listings: list[Listing] = []
            if kernel is not None:
                most = self._crawl_most
                listings = crawl_batch(crawl, kernel, self._files, most)
            if listings:
                self._listed(listings)
            else:
                self._queue.crawl_one()
            self._queue.work()
            now = clock.monotonic()
            # Some directories take long: they are large, or have ignore files.
            is_slow = now - begun > slices.crawl_seconds
            most = max(1, self._crawl_most // 2) if is_slow else 2 * self._crawl_most
            self._crawl_most = min(most, slices.crawl_batch)
            begun = now
            if now >= end:
                break
        if not crawl:
            self._crawl_most = min(FIRST_BATCH, slices.crawl_batch)

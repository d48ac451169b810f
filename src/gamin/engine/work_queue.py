"""The work that the core's effects ask for: watches, scans, probes.

Reports are passed on at once, work is queued and carried out in order. What a scan or
a probe finds goes back to the core, and the effects of that join the queue.
"""

import errno
from collections import deque
from collections.abc import Mapping, Sequence

from gamin.backends.base import KernelBackend
from gamin.core.effects import (
    DENIED,
    Cover,
    Deliver,
    Effect,
    Listing,
    Packed,
    Probe,
    Ready,
    Remove,
    Scan,
    Trace,
    Unwatch,
    Watch,
)
from gamin.core.model.node import Node
from gamin.core.monitor import Monitor
from gamin.engine.distant import Distant, Hands, Work
from gamin.engine.drain_schedule import Slices
from gamin.engine.handover import Handover
from gamin.engine.ports import (
    Asked,
    Clock,
    Delivery,
    FileSystem,
    MountThreads,
    Poller,
)
from gamin.errors import WatchLimitReached
from gamin.events import AnyChange


class WorkQueue:
    def __init__(
        self,
        monitor: Monitor,
        kernel: KernelBackend | None,
        polling: Poller,
        files: FileSystem,
        clock: Clock,
        delivery: Delivery,
        threads: MountThreads | None = None,
        slices: Slices | None = None,
    ) -> None:
        """`kernel` is None where everything is polled; `threads` is None where every
        mount is certain to answer."""
        self._monitor = monitor
        self._kernel = kernel
        self._polling = polling
        self._files = files
        self._clock = clock
        self._delivery = delivery
        self._handover = Handover(kernel, polling, self.apply)
        self._scan_seconds = (slices or Slices()).scan_seconds
        self._urgent: deque[Work] = deque()
        self.scans: deque[Scan | Cover | Remove] = deque()
        """Scans that no client waits for, left to the next slices."""
        self.crawl: deque[Scan] = deque()
        """Directories of large trees, still to be listed; `work` leaves them alone."""
        hands = Hands(self.take, self._handover.release, self._urgent.append)
        self.distant: Distant = Distant(monitor, threads, delivery, clock, hands)

    def apply(self, changes: Sequence[AnyChange]) -> None:
        """Give the core what the kernel reported; the work that makes is queued."""
        self._delivery.detected(changes)
        self._handover.absorb_kernel_events(changes)
        self.take(self._monitor.changed(changes, self._clock.monotonic()))

    def hurry(self, subscription: Asked) -> bool:
        """Have what is to be crawled for the subscription scanned with the next slices;
        return whether there is any."""
        crawl = list(self.crawl)
        self.crawl.clear()
        for scan in crawl:
            is_its = scan.requested_by is subscription
            (self.scans if is_its else self.crawl).append(scan)
        return len(self.crawl) < len(crawl)

    def scan_some(self, count: int) -> None:
        """Do so many of the scans that were left, and all that is urgent."""
        for _ in range(min(count, len(self.scans))):
            scan = self.scans.popleft()
            if isinstance(scan, Cover | Remove):
                self.take(self._monitor.go_on(scan, self._clock.monotonic()))
                break
            self._urgent.appendleft(scan)
            self._perform_next(self._urgent)
        self.work()

    def work(self) -> None:
        """Do what is urgent; scans are left to the next slices once this one is over.
        Changes detected on the way are applied first: they are older than what the next
        piece of work finds."""
        handover, kernel = self._handover, self._kernel
        clock, end = self._clock, 0.0
        while True:
            if handover.observed:
                observed, handover.observed = handover.observed, []
                self.take(self._monitor.changed(observed, self._clock.monotonic()))
            elif self._urgent:
                work = self._urgent[0]
                if isinstance(work, Scan):
                    end = end or clock.monotonic() + self._scan_seconds
                    if clock.monotonic() > end:
                        self._urgent.popleft()
                        self.scans.append(work)
                        continue
                self._perform_next(self._urgent)
            elif kernel is not None and kernel.has_pending:
                changes = kernel.drain()
                handover.absorb_kernel_events(changes)
                handover.observed += changes
            else:
                return

    def take(self, effects: list[Effect]) -> None:
        """Pass reports on at once, in their order; queue work."""
        for effect in effects:
            if isinstance(effect, Deliver):
                self._delivery.deliver(effect)
            elif isinstance(effect, Scan):
                queue = self._urgent if effect.requested_by is None else self.crawl
                queue.append(effect)
            elif isinstance(effect, Cover | Remove):
                self.scans.append(effect)
            elif isinstance(effect, Trace):
                self._delivery.note(effect)
            elif isinstance(effect, Watch | Unwatch | Probe | Ready):
                # Ready waits for the watches before it: what changes between the
                # first rows of a client and the watch would never be reported.
                self._urgent.append(effect)
            elif isinstance(effect, Packed):
                self._delivery.packed()

    def crawl_one(self) -> None:
        """List the next directory of a large tree, and report what goes wrong."""
        self._perform_next(self.crawl)

    def _perform_next(self, queue: deque[Work] | deque[Scan]) -> None:
        """Do the first of a queue. Without memory it is still to be done."""
        work = queue.popleft()
        try:
            self._perform(work)
        except MemoryError:
            self._urgent.appendleft(work)
            raise

    def _perform(self, work: Work) -> None:
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
        elif work.node.listed and not work.node.is_watched and work.node.mask:
            self._scan(Scan(work.node, None))  # for it may have changed unwatched
        elif work.node.mask:
            try:
                self._handover.watch(work.node)
            except OSError as error:
                self._failed(work, error.errno or errno.EIO)
            except WatchLimitReached:
                self._failed(work, errno.ENOSPC)
            except MemoryError:
                self._failed(work, errno.ENOMEM)

    def _failed(self, work: Watch | Scan, number: int) -> None:
        """What is to be done instead comes before what relies on the watch."""
        waiting = len(self._urgent)
        self.take(self._monitor.unwatchable(work, number, self._clock.monotonic()))
        self._urgent.rotate(len(self._urgent) - waiting)

    def _scan(self, work: Scan) -> None:
        node = work.node
        if not node.mask:
            self.take(self._monitor.skipped(work, self._clock.monotonic()))
            return
        if work.changed_since_ns and self._kernel is not None:
            self._kernel.read_ahead()  # or the queue overflows again meanwhile
        retry = work
        try:
            # All that is in another directory is new, whatever names it has.
            if self._handover.rewatch(node):
                retry = work._replace(changed_since_ns=1)
            since = retry.changed_since_ns
            directories, others, changed = self._files.scan(node.path(), since)
        except (OSError, MemoryError) as error:
            self._failed(retry, getattr(error, "errno", None) or errno.EIO)
        except WatchLimitReached:
            self._failed(Watch(node), errno.ENOSPC)
            self._urgent.append(work)  # polled from now on
        else:
            if node.wd_poll >= 0:
                found = dict.fromkeys(directories, True) | dict.fromkeys(others, False)
                self._absorb(node, found, is_all=True)
            self.listed([(work, directories, others, changed)])

    def listed(self, listings: list[Listing]) -> None:
        """Give the core what scans found."""
        self._delivery.listed(listings)
        self.take(self._monitor.listed(listings, self._clock.monotonic()))

    def _probe(self, work: Probe) -> None:
        subscription, node, name, changed_since_ns = work
        if node.wd_poll >= 0:
            self._polling.track_entry(node, name)
        path = node.path_prefix() + name
        found, is_newer, error = self._files.probe(path, changed_since_ns)
        now = self._clock.monotonic()
        if not error and node.wd_poll >= 0:
            kind = None if found is None else found is True
            self._absorb(node, {name: kind}, is_all=False)
        if error in DENIED:
            error = 0  # here only a change of rights does that, and is detected
        self.take(
            self._monitor.probed(
                *(subscription, node, name, found, now), is_newer=is_newer, error=error
            )
        )

    def _absorb(
        self, node: Node, found: Mapping[bytes, bool | None], *, is_all: bool
    ) -> None:
        """Have the poller not detect again what was found."""
        changes = self._polling.absorb_scan(node, found, is_all=is_all)
        self._handover.observed += changes

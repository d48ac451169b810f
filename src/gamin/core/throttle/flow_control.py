"""Flow control: a path that changes too often is reported at most once a second.

This module only decides. `deferred` keeps what is not reported meanwhile.

A *resource* is an entry (node, name) or a directory (a node: its entries that come and
go). The original's numbers hold: a resource reported four times within one second
becomes busy; after more than five quiet seconds it is calm again. While it is busy, its
reports are deferred, and one report a second says what is different since the last one,
so nothing is lost and nothing is reported twice.

Many entries made or deleted do not make a directory busy (an archive is extracted, a
branch checked out): only *churn* counts, entries that come and go alternately.

A busy resource with more than some 200 kernel events a second is *hot*: even without
reports it costs the kernel and us too much, so it is polled instead. Polling has the
pace of reports already, so what it finds is not deferred for another second.
"""

from collections.abc import Collection
from enum import Enum
from typing import NamedTuple

from gamin.config.flow_settings import FlowSettings
from gamin.core.model.node import Node

Entry = tuple[Node, bytes]
Existence = tuple[Node, bytes, None]
"""The existence of an entry, for those who subscribe to that path alone. It is apart
from the entry's content, so a deletion is reported at once though the file is busy."""
Resource = Entry | Existence | Node

REPORT_SLOTS = 10
"""Reports are aligned to tenths of the interval, so any number of busy resources costs
at most ten wake-ups per interval."""
BURST_SECONDS = 1.0
"""Seconds that a directory is busy before it can become hot. Many storms end sooner,
and polling until it is calm again costs more than reading the rest from the kernel."""
MAX_COUNTED = 100_000
"""Resources whose reports are counted within a second. With more of them counting
starts again: flow control is not meant for so many different paths."""


class Verdict(Enum):
    """Whether a change is reported now, or later together with others."""

    REPORT = "report it now"
    DEFER = "report it later"


_REPORT = Verdict.REPORT
_DEFER = Verdict.DEFER


class _Busy:
    """One busy resource."""

    __slots__ = (
        "began",
        "dirty",
        "due",
        "is_polled",
        "kernel_events",
        "last",
        "last_report",
        "second",
        "since",
    )

    def __init__(self, tick: int, due: float, now: float) -> None:
        self.since = tick
        """The tick up to which its changes were reported."""
        self.due = due
        """When it may be reported again (seconds, as all times here)."""
        self.last_report = now
        """When it was last reported."""
        self.began = now
        """When it became busy."""
        self.last = now
        """When it last changed."""
        self.dirty = False
        """It changed since it was last reported."""
        self.second = int(now)
        """The second that `kernel_events` belongs to."""
        self.kernel_events = 0
        """Kernel events within that second."""
        self.is_polled = False
        """It is hot: polled because of its many kernel events."""


class Due(NamedTuple):
    """What is to be done now that a deadline has come."""

    reports: list[tuple[Resource, int]]
    """Changed resources to report, with the tick up to which each was reported."""
    calmed: list[tuple[Resource, bool]]
    """Resources that are not busy any more, and whether each was hot."""


class FlowControl:
    """Counts reports, and says which are deferred and what is due when."""

    def __init__(self, settings: FlowSettings) -> None:
        self.settings: FlowSettings = settings
        self._second = 0
        self._reports: dict[Resource, int] = {}
        self.busy: dict[Resource, _Busy] = {}
        self._owned: dict[Node, dict[Resource, None]] = {}
        """The busy resources by their directory."""
        self.soonest: float | None = None
        """When to call `due` next; None while nothing is busy."""

    def use(self, settings: FlowSettings) -> None:
        """Apply other limits from now on; what is busy stays busy until it is calm."""
        self.settings = settings

    def record_report(self, resource: Resource, tick: int, now: float) -> Verdict:
        """Count a change of the resource, and return what to do about its report.

        May make the resource busy: this change is still reported, the next is not.
        """
        if resource in self.busy:
            self.mark_changed(resource, now)
            return _DEFER
        self._count(resource, tick, now)
        return _REPORT

    def forget_counts(self) -> None:
        """Nothing has changed for a moment: count from zero, and free the counts."""
        self._reports = {}

    def record_churn(self, node: Node, tick: int, now: float) -> bool:
        """Count an entry that came and went in a directory that is not busy. Return
        whether that makes the directory busy."""
        self._count(node, tick, now)
        return node in self.busy

    def _count(self, resource: Resource, tick: int, now: float) -> None:
        second = int(now)
        if second != self._second or len(self._reports) > MAX_COUNTED:
            self._second = second
            self._reports.clear()
        count = self._reports.get(resource, 0) + 1
        if count < self._threshold(resource):
            self._reports[resource] = count
            return
        self._reports.pop(resource, None)
        self._begin(resource, tick, now)

    def _threshold(self, resource: Resource) -> int:
        if isinstance(resource, tuple) and len(resource) == 2:
            return self.settings.reports_per_second
        return self.settings.churn_per_second

    def _begin(self, resource: Resource, tick: int, now: float) -> None:
        interval = self.settings.report_interval
        step = interval / REPORT_SLOTS
        due = max((now + interval) // step * step, now)
        self.busy[resource] = _Busy(tick, due, now)
        self._owned.setdefault(_owner(resource), {})[resource] = None
        self._wake(due)

    def _wake(self, due: float) -> None:
        if self.soonest is None or due < self.soonest:
            self.soonest = due

    def mark_changed(self, resource: Resource, now: float) -> None:
        """A busy resource changed: its next periodic report is needed."""
        busy = self.busy[resource]
        busy.dirty = True
        busy.last = now
        if busy.is_polled:
            # Half the interval: the first poll may follow the last report closely, and
            # a timer is never quite regular.
            soon = max(now, busy.last_report + self.settings.report_interval / 2)
            if soon < busy.due:
                busy.due = soon
                self._wake(soon)

    def record_replacement(self, resource: Resource, now: float) -> None:
        """Another object took the name, which was reported: what is asked about the
        resource is not about the one before."""
        busy = self.busy.get(resource)
        if busy is not None:
            busy.last = now

    def has_unreported(self, resource: Resource) -> bool:
        """Whether a change of it is still to be reported."""
        busy = self.busy.get(resource)
        return busy is not None and busy.dirty

    def record_kernel_events(
        self, resource: Resource, now: float, count: int = 1
    ) -> bool:
        """Count kernel events of a busy resource. Return whether it becomes hot now."""
        busy = self.busy[resource]
        busy.last = now
        second = int(now)
        if busy.second != second:
            busy.second, busy.kernel_events = second, 0
        busy.kernel_events += count
        if busy.is_polled or busy.kernel_events <= self.settings.raw_events_per_second:
            return False
        if isinstance(resource, Node) and now < busy.began + BURST_SECONDS:
            return False
        busy.is_polled = True
        return True

    def record_deferred(self, resource: Resource, now: float, count: int) -> bool:
        """Count changes of a busy resource whose reports were deferred. Return whether
        it becomes hot now."""
        self.mark_changed(resource, now)
        if not self.record_kernel_events(resource, now, count):
            return False
        limit = self.settings.raw_events_per_second
        if count > 1 and self.busy[resource].kernel_events > limit + 1:
            # Some of these changes came after it was hot, which makes it due sooner.
            self.mark_changed(resource, now)
        return True

    def due(self, tick: int, now: float) -> Due:
        """Return what is due, and forget what is calm. What has changed is reported
        before it counts as calm."""
        answer = Due([], [])
        if self.soonest is None or self.soonest > now:
            return answer
        interval = self.settings.report_interval
        quiet = now - self.settings.calm_seconds
        self.soonest = None
        for resource, busy in list(self.busy.items()):
            if busy.due <= now:
                if busy.dirty:
                    busy.dirty = False
                    answer.reports.append((resource, busy.since))
                    busy.since, busy.last_report = tick, now
                elif busy.last < quiet:
                    answer.calmed.append((resource, busy.is_polled))
                    self._end(resource)
                    continue
                busy.due += interval
                if busy.due <= now + interval / 2:
                    busy.due = now + interval
            self._wake(busy.due)
        return answer

    def of(self, node: Node) -> Collection[Resource]:
        """The busy resources of a directory: itself, and entries of it."""
        return self._owned.get(node, ())

    def forget(self, node: Node) -> None:
        """The directory is gone, with all that was busy in it."""
        for resource in list(self.of(node)):
            self._end(resource)

    def _end(self, resource: Resource) -> None:
        del self.busy[resource]
        owner = _owner(resource)
        owned = self._owned[owner]
        del owned[resource]
        if not owned:
            del self._owned[owner]
        if not self.busy:
            self.soonest = None


def _owner(resource: Resource) -> Node:
    return resource if isinstance(resource, Node) else resource[0]

"""Flow control: what changes too often is reported at most once a second.

Decides only; what is withheld meanwhile, and told in the end, is `withheld`'s affair.

A *resource* is an entry (node, name) or a directory (a node: the coming and going of
its entries). The original's numbers hold: reported four times within one second, it is
busy; quiet for more than five seconds, it is not any more. While it is busy, reports
are withheld, and once a second whoever asks gets what is due: the difference since the
last report, so nothing is lost and nothing is said twice.

A directory is not busy for having many entries made or deleted (an archive is
extracted, a branch checked out): only *churn* counts, entries that come and go by
turns.

A busy resource that goes on to produce more than some 200 raw events a second is *hot*:
it costs the kernel and us too much even unreported, and is polled instead. Polling has
the pace of reports already, so what a look finds is not withheld for a second more.
"""

from collections.abc import Collection
from typing import NamedTuple

from gamin.config.flow_settings import FlowSettings
from gamin.core.model.node import Node

Entry = tuple[Node, bytes]
Existence = tuple[Node, bytes, None]
"""Whether there is such an entry, for those who asked for that path alone: told apart
from its content, so that a deletion is told at once although the file is busy."""
Resource = Entry | Existence | Node

REPORT_SLOTS = 10
"""Into so many steps the interval between reports is divided: all that is busy is
reported with at most so many wake-ups in an interval, however much it is."""
BURST_SECONDS = 1.0
"""A directory that became busy is not hot before: many a storm is over by then, and
polling until it is calm again costs more than taking the rest of it from the kernel."""
MAX_COUNTED = 100_000
"""Resources whose reports are counted within a second; beyond it counting begins anew,
since a flood of so many different paths is not what this is for."""


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
        """When it may be reported again."""
        self.last_report = now
        """When it was last reported."""
        self.began = now
        """When it became busy."""
        self.last = now
        """When it last changed."""
        self.dirty = False
        """It changed since it was last reported."""
        self.second = int(now)
        self.kernel_events = 0
        self.is_polled = False


class Due(NamedTuple):
    """What is to be done when a deadline has come."""

    reports: list[tuple[Resource, int]]
    """Changed resources whose time has come, with the tick last reported."""
    calmed: list[tuple[Resource, bool]]
    """Resources that were quiet long enough, and whether each was hot; they are
    forgotten."""


class FlowControl:
    """Counts reports; says which are to be withheld, and what is due when."""

    def __init__(self, settings: FlowSettings) -> None:
        self.settings = settings
        self._second = 0
        self._reports: dict[Resource, int] = {}
        self.busy: dict[Resource, _Busy] = {}
        self._owned: dict[Node, dict[Resource, None]] = {}
        """What is busy, by its directory."""
        self.soonest: float | None = None
        """When to ask `due` next; None while nothing is busy."""

    def record_report(self, resource: Resource, tick: int, now: float) -> bool:
        """Whether a change of the resource must wait; it is counted either way."""
        if resource in self.busy:
            self.mark_changed(resource, now)
            return True
        second = int(now)
        if second != self._second or len(self._reports) > MAX_COUNTED:
            self._second = second
            self._reports.clear()
        count = self._reports.get(resource, 0) + 1
        if count < self._threshold(resource):
            self._reports[resource] = count
            return False
        self._reports.pop(resource, None)
        self._begin(resource, tick, now)
        return False

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
        """A busy resource changed, and is to be reported."""
        busy = self.busy[resource]
        busy.dirty = True
        busy.last = now
        if busy.is_polled:
            # Half the interval: the first look may follow the last report closely,
            # and a timer is never quite regular.
            soon = max(now, busy.last_report + self.settings.report_interval / 2)
            if soon < busy.due:
                busy.due = soon
                self._wake(soon)

    def has_unreported(self, resource: Resource) -> bool:
        """Whether a change of it is still to be reported."""
        busy = self.busy.get(resource)
        return busy is not None and busy.dirty

    def record_kernel_events(
        self, resource: Resource, now: float, count: int = 1
    ) -> bool:
        """Count raw events of a busy resource. True when it becomes hot just now."""
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
        """So many changes of a busy resource are told later. True when that makes it
        hot just now."""
        self.mark_changed(resource, now)
        if not self.record_kernel_events(resource, now, count):
            return False
        if (
            count > 1
            and self.busy[resource].kernel_events
            > self.settings.raw_events_per_second + 1
        ):
            self.mark_changed(
                resource, now
            )  # for those that came when it was hot already
        return True

    def due(self, tick: int, now: float) -> Due:
        """What has come due. What is dirty is not calm before it was reported."""
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
        """What is busy of a directory: itself, and entries of it."""
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

"""Flow control: what changes too often is reported at most once a second.

Decides only. A *resource* is an entry (node, name) or a directory (a node: the coming
and going of its entries). The original's numbers hold: reported four times within one
second, it is busy; quiet for more than five seconds, it is not any more. While it is
busy, reports are withheld, and once a second whoever asks gets what is due: the
difference since the last report, so nothing is lost and nothing is said twice.

A directory is not busy for having many entries made or deleted (an archive is
extracted, a branch checked out): only *churn* counts, entries that come and go by
turns.

A busy resource that also produces more than some 200 raw events a second is *hot*: it
costs the kernel and us too much even unreported, and is polled instead.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from gamin.core.flow_settings import FlowSettings
from gamin.core.tree import Node

Entry = tuple[Node, bytes]
Existence = tuple[Node, bytes, None]
"""Whether there is such an entry, for those who asked for that path alone: told apart
from its content, so that a deletion is told at once although the file is busy."""
Resource = Entry | Existence | Node


@dataclass(slots=True)
class _Busy:
    """One busy resource."""

    since: int
    """The tick up to which its changes were reported."""
    due: float
    """When it may be reported again."""
    last: float
    """When it last changed."""
    dirty: bool = False
    """It changed since it was last reported."""
    second: int = 0
    raw: int = 0
    hot: bool = False


class FlowControl:
    """Counts reports; says which are to be withheld, and what is due when."""

    def __init__(self, settings: FlowSettings) -> None:
        self.settings = settings
        self._second = 0
        self._reports: dict[Resource, int] = {}
        self.busy: dict[Resource, _Busy] = {}

    def withholds(self, resource: Resource, tick: int, now: float) -> bool:
        """Whether a change of the resource must wait; it is counted either way."""
        busy = self.busy.get(resource)
        if busy is not None:
            busy.dirty = True
            busy.last = now
            return True
        second = int(now)
        if second != self._second:
            self._second = second
            self._reports.clear()
        count = self._reports.get(resource, 0) + 1
        if count < self._limit(resource):
            self._reports[resource] = count
            return False
        self._reports.pop(resource, None)
        due = now + self.settings.report_interval
        self.busy[resource] = _Busy(since=tick, due=due, last=now, second=second)
        return False

    def _limit(self, resource: Resource) -> int:
        if isinstance(resource, tuple) and len(resource) == 2:
            return self.settings.reports_per_second
        return self.settings.churn_per_second

    def raw(self, resource: Resource, count: int, now: float) -> bool:
        """Count raw events of a busy resource. True when it becomes hot just now."""
        busy = self.busy[resource]
        busy.last = now
        second = int(now)
        if busy.second != second:
            busy.second, busy.raw = second, 0
        busy.raw += count
        if busy.hot or busy.raw <= self.settings.raw_events_per_second:
            return False
        busy.hot = True
        return True

    def deadline(self) -> float | None:
        """When to ask `due` next; None while nothing is busy."""
        return min((busy.due for busy in self.busy.values()), default=None)

    def due(self, tick: int, now: float) -> Iterator[tuple[Resource, int]]:
        """Changed resources whose time has come, with the tick last reported."""
        for resource, busy in list(self.busy.items()):
            if busy.due > now:
                continue
            busy.due = now + self.settings.report_interval
            if busy.dirty:
                busy.dirty = False
                since, busy.since = busy.since, tick
                yield resource, since

    def calmed(self, now: float) -> Iterator[tuple[Resource, bool]]:
        """Resources that were quiet long enough, and whether each was hot.

        They are forgotten here. One that is dirty stays until it was reported.
        """
        quiet = now - self.settings.calm_seconds
        for resource, busy in list(self.busy.items()):
            if busy.last < quiet and not busy.dirty:
                del self.busy[resource]
                yield resource, busy.hot

    def forget(self, node: Node) -> None:
        """The directory is gone, with all that was busy in it."""
        for resource in list(self.busy):
            owner = resource if isinstance(resource, Node) else resource[0]
            if owner is node:
                del self.busy[resource]

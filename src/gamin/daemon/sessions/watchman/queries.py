"""Answers queries: the rows that the generators of a query find in a root."""

from collections.abc import Iterable
from typing import NamedTuple

from msgspec.structs import replace

from gamin.daemon.sessions.watchman.delivery import FileRows
from gamin.daemon.sessions.watchman.results import ResultBuilder
from gamin.daemon.sessions.watchman.root import Root
from gamin.daemon.sessions.watchman.tick_times import TickTimes
from gamin.events import Kind, Row
from gamin.protocol.watchman.clocks import Clock, ClockSpec, Cursor, Timestamp
from gamin.protocol.watchman.query.file_row import FileRow
from gamin.protocol.watchman.query.query import Query

MAX_CURSORS = 1000
"""Named cursors of all roots; the one that was used longest ago is dropped first."""


class Answer(NamedTuple):
    rows: FileRows
    clock: Clock
    is_fresh: bool
    """The client must drop what it knew: the rows are all there are."""


class Changes(NamedTuple):
    """What the generator `since` finds."""

    rows: Iterable[Row]
    tick: int
    """What appeared after this tick is new."""


class Queries:
    def __init__(self, times: TickTimes) -> None:
        self._times = times
        self._cursors: dict[tuple[Root, str], Clock] = {}

    def answer(self, root: Root, query: Query) -> Answer:
        """The caller has synchronised, so the tree knows what was before."""
        now = root.timeline
        clock = now.clock(now.latest)
        if isinstance(query.since, Timestamp):
            changes = self._since_time(root, query.since.seconds)
        else:
            changes = self._since_tick(root, query.since)
        if changes is None:
            found = self._everything(root, query)
        else:
            found = self._changed(root, query, changes)
        rows = FileRows(found, query.fields, now)
        return Answer(rows, clock, is_fresh=changes is None)

    def exchanged(self, root: Root, since: ClockSpec | None) -> ClockSpec | None:
        """A named cursor as the clock it stands for; the cursor moves on to now."""
        if not isinstance(since, Cursor):
            return since
        now = root.timeline
        key = (root, since.name)
        before = self._cursors.pop(key, None)
        self._cursors[key] = now.clock(now.latest)
        if len(self._cursors) > MAX_CURSORS:
            del self._cursors[next(iter(self._cursors))]
        return before

    def _since_tick(self, root: Root, since: ClockSpec | None) -> Changes | None:
        tick = root.resume(self.exchanged(root, since))
        rows = None if tick is None else root.since(tick)
        return None if tick is None or rows is None else Changes(rows, tick)

    def _since_time(self, root: Root, second: int) -> Changes | None:
        """What changed in that second or later, by the time when that was detected.
        All that a root found when it was watched first changed then."""
        tick = root.ready_tick
        is_before = second <= root.ready_second
        if not is_before:
            tick = max(tick, self._times.before(second) or 0)
        changed = root.since(tick)
        if changed is None:
            return None
        if not is_before:
            return Changes(changed, tick)
        gone = [row for row in changed if row.kind is Kind.DELETED]
        return Changes([*gone, *root.listing()], 0)

    def _everything(self, root: Root, query: Query) -> list[FileRow]:
        if query.empty_on_fresh_instance:
            return []
        if query.since is not None:  # it finds everything, and so all that others find
            query = replace(query, selection=None)
        builder = ResultBuilder(root.keeper, query)
        return builder.rows(root.listing(), root.timeline)

    def _changed(self, root: Root, query: Query, changes: Changes) -> list[FileRow]:
        """What `since` or another generator finds, each file once."""
        now = root.timeline
        changed = ResultBuilder(root.keeper, replace(query, selection=None))
        found = changed.rows(changes.rows, now)
        if query.selection is None:
            return found
        known = {row.name for row in found if row.exists}
        others = ResultBuilder(root.keeper, query).rows(root.listing(), now)
        for row in others:
            if row.name not in known:
                row.is_new = row.born_tick > changes.tick
                found.append(row)
        return found

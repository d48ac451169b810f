"""Answers queries: the rows that the generators of a query find in a root."""

from collections.abc import Callable, Iterable
from itertools import chain
from typing import NamedTuple

from msgspec.structs import replace

from gamin.config.client_limits import ClientLimits
from gamin.daemon.io.errands import Steps
from gamin.daemon.io.turns import LongList
from gamin.daemon.sessions.watchman.candidates import candidates, check_relative_root
from gamin.daemon.sessions.watchman.delivery import FileRows
from gamin.daemon.sessions.watchman.lazy_memory import Past
from gamin.daemon.sessions.watchman.results import ResultBuilder
from gamin.daemon.sessions.watchman.root import Root
from gamin.daemon.sessions.watchman.tick_times import TickTimes
from gamin.daemon.sessions.watchman.update import Update
from gamin.events import Kind, Row
from gamin.protocol.watchman.clocks import (
    Clock,
    ClockSpec,
    Cursor,
    Timestamp,
    parse_clockspec,
)
from gamin.protocol.watchman.errors import QueryFailed
from gamin.protocol.watchman.query.file_row import FileRow
from gamin.protocol.watchman.query.query import Query

MAX_CURSORS = 1000
"""Named cursors of all roots; the one that was used longest ago is dropped first."""
MAX_ATTEMPTS = 3
"""How often a query is begun that cannot be brought up to date at its end."""


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
    def __init__(
        self,
        times: TickTimes,
        recall: Callable[[Root, str], str | None],
        limits: Callable[[], ClientLimits],
    ) -> None:
        """`recall` returns the clock of a cursor that an earlier server saved."""
        self._times = times
        self._recall = recall
        self._limits = limits
        self._cursors: dict[tuple[Root, str], Clock] = {}

    def answer(
        self,
        root: Root,
        query: Query,
        spec: ClockSpec | None,
        past: Past | None = None,
    ) -> Steps[Answer]:
        """The caller has synchronised, so the tree knows what was before. `spec` is
        what `query.since` stands for (`resolved`), `past` the tree that it is about if
        it is a clock of an earlier server.

        Yields where others may get their turn. What happens meanwhile is in the answer
        too: all of it is what there is at its clock. Raises QueryFailed.
        """
        for _ in range(MAX_ATTEMPTS):
            answer = yield from self._attempt(root, query, spec, past)
            if answer is not None:
                self.move_cursor(root, query.since, answer.clock)
                return answer
        raise QueryFailed("the root changes faster than it can be listed")

    def _attempt(
        self,
        root: Root,
        query: Query,
        spec: ClockSpec | None,
        past: Past | None,
    ) -> Steps[Answer | None]:
        """None if the root is another one now, or too much happened meanwhile."""
        begun = root.timeline
        check_relative_root(root, query)
        if past is not None:
            rows_since = past.rows(root)
            changes = None if rows_since is None else Changes(rows_since, begun.latest)
        elif isinstance(spec, Timestamp):
            changes = self._since_time(root, spec.seconds)
        else:
            changes = self._since_tick(root, spec)
        if changes is None and query.empty_on_fresh_instance:
            rows = FileRows([], query.fields, begun)
            return Answer(rows, begun.clock(begun.latest), is_fresh=True)
        if changes is None:
            if query.since is not None:  # it finds everything, whatever others find
                query = replace(query, selection=None)
            found: list[FileRow] = LongList(root.turns)
            builder = ResultBuilder(
                root.subscription, query, root.far_disk, root.last_stats
            )
            yield from builder.find(candidates(root, query), begun, found, self._most)
        else:
            found = yield from self._changed(root, query, changes)
        update = Update(root, query, None if changes is None else changes.tick)
        current = yield from update.apply(found, begun)
        if current is None:
            return None
        now = root.timeline
        if changes is not None and 0 < changes.tick < now.oldest:
            return None  # some of it was forgotten meanwhile
        rows = FileRows(current, query.fields, now)
        return Answer(rows, now.clock(now.latest), is_fresh=changes is None)

    @property
    def _most(self) -> int:
        """The greatest price of a query."""
        return self._limits().query_price

    def resolved(self, root: Root, since: ClockSpec | None) -> ClockSpec | None:
        """A named cursor as the clock it stands for; anything else as it is."""
        if not isinstance(since, Cursor):
            return since
        known = self._cursors.get((root, since.name))
        if known is None and (text := self._recall(root, since.name)):
            spec = parse_clockspec(text)
            return spec if isinstance(spec, Clock) else None
        return known

    def move_cursor(self, root: Root, since: ClockSpec | None, now: Clock) -> None:
        """A named cursor moves on, for the client gets everything until `now`."""
        if not isinstance(since, Cursor):
            return
        key = (root, since.name)
        self._cursors.pop(key, None)
        self._cursors[key] = now
        if len(self._cursors) > MAX_CURSORS:
            del self._cursors[next(iter(self._cursors))]

    def drop_cursors(self, root: Root, before: int | None = None) -> None:
        """Forget the cursors of a root from before that tick; all of them if the root
        is closed, for none can be asked for again."""
        for key, clock in list(self._cursors.items()):
            if key[0] is root and (before is None or clock.tick < before):
                del self._cursors[key]

    @property
    def cursors(self) -> list[tuple[Root, str, Clock]]:
        return [(root, name, clock) for (root, name), clock in self._cursors.items()]

    def _since_tick(self, root: Root, since: ClockSpec | None) -> Changes | None:
        tick = root.resume(since)
        rows = None if tick is None else root.changes_since(tick)
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
        return Changes(chain(gone, root.listing()), 0)

    def _changed(
        self, root: Root, query: Query, changes: Changes
    ) -> Steps[list[FileRow]]:
        """What `since` or another generator finds, each file once."""
        now = root.timeline
        found = LongList[FileRow](root.turns)
        builder = ResultBuilder(
            root.subscription,
            replace(query, selection=None),
            root.far_disk,
            root.last_stats,
        )
        yield from builder.find(changes.rows, now, found, self._most)
        if query.selection is None:
            return found
        known = {row.name for row in found if row.exists}
        others = LongList[FileRow](root.turns)
        builder = ResultBuilder(
            root.subscription, query, root.far_disk, root.last_stats
        )
        yield from builder.find(candidates(root, query), now, others, self._most)
        for row in others:
            if row.name not in known:
                row.is_new = row.born_tick > changes.tick
                found.append(row)
        return found

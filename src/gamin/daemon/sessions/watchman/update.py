"""Brings the answer to a long query up to date.

A long query takes turns with everything else, so the tree changes while its rows are
found: a directory may move from where the query comes yet to where it has been. What
happened meanwhile is therefore applied to the answer at its end.
"""

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from gamin.daemon.io.errands import Steps, aside
from gamin.daemon.io.turns import LongList
from gamin.daemon.sessions.watchman.results import ResultBuilder, look_at
from gamin.events import Kind
from gamin.protocol.watchman.clocks import Timeline
from gamin.protocol.watchman.query.file_row import FileRow
from gamin.protocol.watchman.query.query import Query

if TYPE_CHECKING:
    from gamin.daemon.sessions.watchman.root import Root

MAX_ROUNDS = 5
"""Times that other work runs while what happened meanwhile is applied."""
ROWS_PER_STEP = 256
"""Rows of what happened meanwhile that are asked about before others get their turn."""
ROWS_COMPARED_PER_STEP = 8_192
"""Rows of the answer that are compared with these before others get their turn."""


class Update:
    def __init__(self, root: "Root", query: Query, since: int | None) -> None:
        """`since` is the tick after which rows are new; None if the answer is fresh."""
        self._root = root
        self._query = query
        self._since = since

    def apply(
        self, found: list[FileRow], begun: Timeline
    ) -> Steps[list[FileRow] | None]:
        """The rows of now, from those that were found since `begun`. None if that
        cannot be known. Yields between slices of work, not after the end."""
        root = self._root
        for rounds in range(MAX_ROUNDS + 1):
            now = root.timeline
            if now.root != begun.root:
                return None
            if now.latest == begun.latest:
                return found
            rows = root.since(begun.latest)
            if rows is None:
                return None
            # What came and went meanwhile is in no difference, but may have been found.
            began_at, begun = begun.latest, now
            newer: dict[bytes, list[FileRow]] = {}
            builder = ResultBuilder(
                root.subscription, self._query, root.far_disk, root.last_stats
            )
            file_rows: Iterable[FileRow] = builder.as_file_rows(rows)
            if builder.is_looking_ahead:
                if rounds == MAX_ROUNDS:
                    return None
                file_rows = list(file_rows)
                yield from aside(partial(look_at, file_rows))
            for count, row in enumerate(file_rows, 1):
                newer.setdefault(row.name, [])
                if builder.wants(row, now) and self._adapt(row):
                    newer[row.name].append(row)
                if count % ROWS_PER_STEP == 0 and rounds < MAX_ROUNDS:
                    yield None
            current = LongList[FileRow](root.turns)
            for start in range(0, len(found), ROWS_COMPARED_PER_STEP):
                current += [
                    row
                    for row in found[start : start + ROWS_COMPARED_PER_STEP]
                    if row.name not in newer
                    and not (row.exists and row.born_tick > began_at)
                ]
                if rounds < MAX_ROUNDS:
                    yield None
            current += [row for several in newer.values() for row in several]
            found = current
        return found

    def _adapt(self, row: FileRow) -> bool:
        """Make it a row of this answer; whether there is one."""
        if self._since is None:
            row.kind, row.is_new = Kind.EXISTS, True
            return row.exists
        row.is_new = row.born_tick > self._since
        if row.is_new and row.exists:
            row.kind = Kind.CREATED
        return True

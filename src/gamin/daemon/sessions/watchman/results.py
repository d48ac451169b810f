"""Turns rows of the core into rows of a query, seen from a root.

Only here the Watchman language reads the disk: fields and terms that need a stat get it
through `RootDisk`, at most once per row.
"""

import math
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice

from gamin.core.model.history import History, PackedHistory
from gamin.core.model.node import FILE, Node
from gamin.core.model.subscription import Subscription
from gamin.daemon.io.errands import Steps, aside
from gamin.daemon.sessions.watchman.last_stats import LastStats
from gamin.events import Kind, Row
from gamin.protocol.watchman.clocks import Timeline
from gamin.protocol.watchman.errors import QueryFailed
from gamin.protocol.watchman.query.file_row import Disk, FileRow, Stat
from gamin.protocol.watchman.query.query import Query

STEP_PRICE = 128
"""Terms times rows that are evaluated in a row before others get their turn: 0.3 ms,
or 1 ms if each file is looked at."""
WITHOUT_STAT = frozenset(
    ("name", "exists", "new", "cclock", "oclock", "kind", "moved_from", "is_dir")
)
"""The fields of a row that are known without looking at the file."""


class RootDisk:
    """The disk below one directory; never raises."""

    def __init__(self, prefix: bytes, last: LastStats | None = None) -> None:
        self._prefix = prefix
        self._last = last

    def lstat(self, name: bytes) -> Stat | None:
        path = self._prefix + name if name else self._prefix[:-1] or b"/"
        try:
            status = os.lstat(path)
        except OSError:
            return None
        if self._last is not None:
            self._last.keep(path, status)
        return status

    def last_stat(self, name: bytes) -> Stat | None:
        return None if self._last is None else self._last.of(self._prefix + name)

    def readlink(self, name: bytes) -> bytes | None:
        try:
            return os.readlink(self._prefix + name)
        except OSError:
            return None


def admitted(subscription: Subscription, rows: Iterable[Row]) -> Iterator[Row]:
    """Leave out what the rules of the root ignore. A rename across their border is a
    deletion or a creation."""
    ignore = subscription.ignore
    if ignore is None or ignore.is_empty:
        yield from rows
        return
    for row in rows:
        seen = not row.path or subscription.covers_entry(row.path, row.is_dir)
        if row.source is None:
            if seen:
                yield row
            continue
        was_seen = subscription.covers_entry(row.source, row.is_dir)
        if seen and was_seen:
            yield row
        elif was_seen:
            yield Row(Kind.DELETED, row.source, row.is_dir)
        elif seen:
            kind = Kind.CREATED if row.is_new else Kind.CHANGED
            yield Row(kind, row.path, row.is_dir, None, row.is_new)


def unfolded(subscription: Subscription, rows: Iterable[Row]) -> Iterator[Row]:
    """Replace renames by deletions and creations, also of everything below."""
    for row in rows:
        if row.source is None:
            yield row
            continue
        moved = _node_at(subscription, row.path) if row.is_dir else None
        below = [] if moved is None else list(_below(moved))
        for name, is_dir in reversed(below):
            yield Row(Kind.DELETED, row.source + b"/" + name, is_dir)
        yield Row(Kind.DELETED, row.source, row.is_dir)
        kind = Kind.CREATED if row.is_new else Kind.CHANGED
        yield Row(kind, row.path, row.is_dir, None, row.is_new)
        for name, is_dir in below:
            path = row.path + b"/" + name
            yield Row(Kind.CREATED, path, is_dir, None, True)


def _node_at(subscription: Subscription, path: bytes) -> Node | None:
    node = subscription.bound_directory
    if node is None:
        return None
    for name in path[len(node.path_prefix()) :].split(b"/"):
        child = node.child(name)
        if child is None:
            return None
        node = child
    return node


def _below(node: Node) -> Iterator[tuple[bytes, bool]]:
    skip = len(node.path_prefix())
    for directory in node.subtree():
        prefix = directory.path_prefix()[skip:]
        for name, known in directory.entries.items():
            yield prefix + name, known is not FILE


def check_price(spent: int, price: int, most: float) -> None:
    """Raises QueryFailed for a query that costs too much: `price` for each row."""
    if spent > most:
        raise QueryFailed(
            f"it is too expensive: {price} terms and patterns, and more than "
            f"{most // price:.0f} files to ask them of"
        )


def reads_disk(query: Query) -> bool:
    """Whether the answer to a query may need the stat of a file."""
    return query.expression is not None or not WITHOUT_STAT.issuperset(query.fields)


def look_at(rows: Iterable[FileRow]) -> None:
    """Read whatever queries may ask of these rows."""
    for row in rows:
        if stat.S_ISLNK(row.stat.st_mode):
            row.disk.readlink(row.name)


class ResultBuilder:
    """Filters rows by one query, and turns them into its `FileRow`s."""

    def __init__(
        self,
        subscription: Subscription,
        query: Query,
        disk: Callable[[bytes], Disk] | None = None,
        last: LastStats | None = None,
    ) -> None:
        """`disk` makes the disk below a prefix for a root that is far; None: it is
        near, and can be looked at. What is seen there then is kept in `last`."""
        self._subscription = subscription
        self._query = query
        self._disk: Callable[[bytes], Disk] = disk or partial(RootDisk, last=last)
        self._packed: PackedHistory | None = None
        self._past: dict[bytes, History] = {}
        """What `_packed` contains."""
        self.is_looking_ahead: bool = disk is not None and reads_disk(query)
        """Whether rows must be looked at before they are asked of anything."""
        self._selects: Callable[[FileRow], bool] | None = (
            None if query.selection is None else query.selection.predicate()
        )

    def rows(self, rows: Iterable[Row], now: Timeline) -> list[FileRow]:
        """Return the rows that the query asks for."""
        found: list[FileRow] = []
        for _ in self.find(rows, now, found):
            pass
        return found

    def file_rows(self, rows: Iterable[Row]) -> Iterator[FileRow]:
        """All rows, as this query sees them."""
        if not self._query.wants_moves:
            rows = unfolded(self._subscription, rows)
        return self.as_file_rows(rows)

    def find(
        self,
        rows: Iterable[Row],
        now: Timeline,
        found: list[FileRow],
        max_price: float = math.inf,
    ) -> Steps[None]:
        """Append the rows that the query asks for to `found`. Yields where others may
        get their turn. Raises QueryFailed where terms and patterns times rows would be
        more than `max_price`."""
        file_rows = self.file_rows(rows)
        wants, price = self.wants, self._query.price
        most = max(1, STEP_PRICE // price)
        spent = 0
        while some := list(islice(file_rows, most)):
            if self.is_looking_ahead:
                yield from aside(partial(look_at, some))
            found += [row for row in some if wants(row, now)]
            spent += len(some) * price
            check_price(spent, price, max_price)
            yield None

    def wants(self, row: FileRow, now: Timeline) -> bool:
        selects, expression = self._selects, self._query.expression
        if selects is not None and not selects(row):
            return False
        return expression is None or expression.matches(row, now)

    def as_file_rows(self, rows: Iterable[Row]) -> Iterator[FileRow]:
        prefix = self._subscription.prefix
        inner = self._query.relative_root
        if inner:
            prefix += inner + b"/"
        skip = len(prefix)
        disk = self._disk(prefix)
        for kind, path, is_dir, source, is_new in rows:
            if not path:
                if inner:
                    continue
                name = b""
            elif path.startswith(prefix):
                name = path[skip:]
            else:
                continue
            yield FileRow(
                name,
                kind,
                is_dir,
                kind is not Kind.DELETED,
                is_new or kind is Kind.EXISTS,
                *self._ticks(path),
                None if source is None else source[skip:],
                disk,
            )

    def _ticks(self, path: bytes) -> tuple[int, int]:
        """Return the ticks of its last change and of its creation."""
        subscription = self._subscription
        if subscription.bound_directory is None:
            return subscription.last_change, 0
        directory, _, name = path.rpartition(b"/")
        root = subscription.bound_directory
        holder = root
        if len(directory) >= len(root.path_prefix()):
            found = _node_at(subscription, directory)
            if found is None:
                return 0, 0
            holder = found
        touch = self._past_of(holder).get(name)
        return (0, 0) if touch is None else (touch[0], touch[1])

    def _past_of(self, node: Node) -> dict[bytes, History]:
        """`Node.past`, unpacked once for all consecutive entries of a directory."""
        packed = node.packed_history
        if packed is None:
            return node.past
        if packed is not self._packed:
            self._packed, self._past = packed, node.past
        return self._past

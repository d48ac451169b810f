"""Answers what changed since a clock, by the directory, as `plain_listing` answers what
there is.

No object is made for a file. What happens meanwhile makes the answer worthless: then it
is found in the general way.
"""

import math
import stat
from collections.abc import Iterable, Sequence
from itertools import compress, islice

from gamin.core.model.subscription import Scope
from gamin.daemon.io.errands import Steps
from gamin.daemon.sessions.watchman.plain_listing import kept, stats_of
from gamin.daemon.sessions.watchman.results import check_price, unfolded
from gamin.daemon.sessions.watchman.root import Root
from gamin.events import Kind, Row
from gamin.protocol.watchman.clocks import Clock
from gamin.protocol.watchman.codec.codec import Codec
from gamin.protocol.watchman.codec.plain_rows import (
    Flags,
    Pieces,
    is_plain,
    needs_status,
    plain_rows,
)
from gamin.protocol.watchman.query.directory_filter import (
    Batch,
    DirectoryFilter,
    directory_filter,
)
from gamin.protocol.watchman.query.file_row import Stat, stat_of_gone
from gamin.protocol.watchman.query.query import Query

ROWS_PER_STEP = 512
"""Rows that are sorted by their directories before others get their turn."""
NAMES_PER_STEP = 256
"""Names of a directory that are written before others get their turn."""


_Group = tuple[bool, bool, bool]
"""What rows have in common that are written at once: whether the file exists, whether
it is new, and whether it is a directory. One name may be in several groups: of what was
deleted, and of what was made in its place."""
_Groups = dict[_Group, list[bytes]]
"""What happened in one directory: the names of each group."""


class PlainChanges:
    member = "files"

    def __init__(
        self, root: Root, query: Query, codec: Codec, most: float = math.inf
    ) -> None:
        """Only for what `can_answer`. `most` is the greatest price of a query."""
        self._root = root
        self._query = query
        self._most = most
        self._filter = directory_filter(None, query.expression)
        self._rows = plain_rows(codec, query.fields)
        self._needs_status = needs_status(query.fields)
        self._pieces = None if self._rows is None else Pieces(self._rows)

    @staticmethod
    def can_answer(root: Root, query: Query, codec: Codec) -> bool:
        subscription = root.subscription
        return (
            isinstance(query.since, Clock)
            and query.selection is None
            and is_plain(query.fields)
            and plain_rows(codec, query.fields) is not None
            and subscription.bound_directory is not None
            and subscription.scope is Scope.TREE
            and root.far_point is None
        )

    def find(self) -> Steps[bool]:
        """Return whether the rows are right for the clock of now. Yields where others
        may get their turn. Raises QueryFailed."""
        root, wanted = self._root, self._filter
        begun = root.timeline
        tick = root.resume(self._query.since)
        rows = None if tick is None else root.changes_since(tick)
        if rows is None or wanted is None or tick is None:
            return False
        found: dict[bytes, _Groups] = {}
        all_rows = unfolded(root.subscription, rows)
        count = 0
        while some := list(islice(all_rows, ROWS_PER_STEP)):
            count += len(some)
            check_price(count * self._query.price, self._query.price, self._most)
            if not self._sort(some, found):
                return False
            yield None
        try:
            for prefix, groups in found.items():
                # What was deleted comes first: what was made in its place has another
                # status, which would be the last one known of that path.
                for group, names in sorted(groups.items()):
                    for start in range(0, len(names), NAMES_PER_STEP):
                        part = names[start : start + NAMES_PER_STEP]
                        self._add(prefix, part, group, wanted)
                        yield None
        except OSError:  # a file is gone, and that will be known
            return False
        now = root.timeline
        changes = root.changes_since(begun.latest)
        is_same = now[:3] == begun[:3] and changes is not None
        is_known = tick == 0 or tick >= now.oldest
        return is_same and is_known and not any(True for _ in changes or ())

    def _sort(self, rows: Iterable[Row], found: dict[bytes, _Groups]) -> bool:
        """Put names to their directories; whether that is possible for all."""
        top = self._root.subscription.prefix
        inner = self._query.relative_root
        start = top + inner + b"/" if inner else top
        last = b""
        groups: _Groups = {}
        deleted = Kind.DELETED
        for kind, path, is_dir, _, is_new in rows:
            if not path.startswith(start):
                if path:
                    continue
                return False  # the root itself
            prefix, slash, name = path.rpartition(b"/")
            prefix += slash
            if prefix != last:
                last = prefix
                known = found.get(prefix)
                if known is None:
                    known = found[prefix] = {}
                groups = known
            group = (kind is not deleted, is_new, is_dir)
            names = groups.get(group)
            if names is None:
                groups[group] = [name]
            else:
                names.append(name)
        return True

    def _add(
        self,
        prefix: bytes,
        names: Sequence[bytes],
        group: _Group,
        wanted: DirectoryFilter,
    ) -> None:
        """Raises OSError if a file is not there any more."""
        query, rows, pieces = self._query, self._rows, self._pieces
        assert rows is not None
        assert pieces is not None
        skip = len(self._root.subscription.prefix)
        skip += len(query.relative_root) + 1 if query.relative_root else 0
        exists, is_new, is_dir = group
        its_directories = frozenset(names if is_dir else ())
        batch = Batch(prefix[skip:], names, its_directories, exists=exists)
        names = kept(batch, wanted.by_name)
        stats: Sequence[Stat] | None = None
        if names and (self._needs_status or wanted.by_type is not None):
            stats = self._stats(prefix, names, group)
            batch = Batch(batch.prefix, names, its_directories, exists=exists)
            batch.types = stat.S_IFDIR if is_dir else list(map(_type_of, stats))
            verdict = True if wanted.by_type is None else wanted.by_type(batch)
            if isinstance(verdict, list):
                stats = list(compress(stats, verdict))
                names = list(compress(names, verdict))
            elif not verdict:
                return
        if names:
            if len(query.fields) == 1:
                piece = rows.names(batch.prefix, names)
            else:
                flags = Flags(exists, is_new)
                piece = rows.rows(batch.prefix, names, stats, flags)
            pieces.add(piece, len(names))

    def _stats(
        self, prefix: bytes, names: Sequence[bytes], group: _Group
    ) -> Sequence[Stat]:
        last = self._root.last_stats
        exists, _, is_dir = group
        if exists:
            stats = stats_of(prefix, names)
            last.keep_some(prefix, names, stats)
            return stats
        return [stat_of_gone(last.of(prefix + name), is_dir) for name in names]

    @property
    def count(self) -> int:
        """Rows so far."""
        return 0 if self._pieces is None else self._pieces.count

    def encoded(self) -> list[bytes]:
        """The array of all rows, in pieces."""
        assert self._pieces is not None
        return self._pieces.encoded()


def _type_of(one: Stat) -> int:
    return stat.S_IFMT(one.st_mode)

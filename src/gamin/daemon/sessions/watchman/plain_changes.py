"""Answers what changed since a clock, by the directory, as `plain_listing` answers what
there is.

No object is made for a file. What happens meanwhile makes the answer worthless: then it
is found in the general way.
"""

import math
import stat
from collections.abc import Iterator, Sequence
from itertools import compress

from gamin.core.model.changed_names import ChangedNames, Group, Groups, names_since
from gamin.core.model.node import Node
from gamin.core.model.subscription import Scope
from gamin.daemon.io.errands import Steps
from gamin.daemon.sessions.watchman.ignore_files import WatchmanIgnore
from gamin.daemon.sessions.watchman.plain_listing import kept, stats_of
from gamin.daemon.sessions.watchman.results import check_price
from gamin.daemon.sessions.watchman.root import Root
from gamin.events import Kind
from gamin.protocol.watchman.clocks import Clock
from gamin.protocol.watchman.codec.codec import Codec
from gamin.protocol.watchman.codec.plain_rows import (
    Flags,
    Pieces,
    can_write,
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
"""Rows that are found, or written, before others get their turn: a millisecond."""
NAMES_PER_STEP = 256
"""Names of a directory that are looked at before others get their turn."""

_Part = tuple[bytes, Group, Sequence[bytes]]
"""Names to which the same happened, with the path of their directory."""


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
        self._is_plain = self._filter == (None, None) and not self._needs_status
        """Every name becomes a row, and its status is not in it."""
        self._pieces = None if self._rows is None else Pieces(self._rows)
        self._skip = len(root.subscription.prefix)
        """Bytes of a path before the name of its row."""
        if query.relative_root:
            self._skip += len(query.relative_root) + 1
        self._names: list[bytes] = []
        """Names of rows to be written at once, in any directory."""
        self._stats: list[Stat] = []
        """Their status, where a field needs it."""
        self._flags = Flags(exists=True, new=False)
        """The same for all of them."""

    @staticmethod
    def can_answer(root: Root, query: Query, codec: Codec) -> bool:
        subscription = root.subscription
        return (
            isinstance(query.since, Clock)
            and query.selection is None
            and is_plain(query.fields)
            and can_write(codec)
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
        top = root.subscription.bound_directory
        is_known = tick is not None and root.changes_since(tick) is not None
        if wanted is None or tick is None or top is None or not is_known:
            return False
        found = yield from self._found(top, tick)
        if found is None:
            return False
        try:
            looked = 0
            for prefix, group, names in self._parts(found):
                self._add(prefix, group, names, wanted)
                looked += len(names)
                if looked >= ROWS_PER_STEP:
                    looked = 0
                    self._write()
                    yield None
        except OSError:  # a file is gone, and that will be known
            return False
        self._write()
        now = root.timeline
        if now == begun:
            return True
        changes = root.changes_since(begun.latest)
        is_same = now[:3] == begun[:3] and changes is not None
        is_remembered = tick == 0 or tick >= now.oldest
        return is_same and is_remembered and not any(True for _ in changes or ())

    def _found(self, top: Node, tick: int) -> Steps[dict[bytes, Groups] | None]:
        """What happened in each directory; None if something did to the root."""
        found: dict[bytes, Groups] = {}
        price, most = self._query.price, self._most
        count = stepped = 0
        for one in names_since(top, tick, self._root.subscription.covers_directory):
            if isinstance(one, ChangedNames):
                prefix, groups = one
            elif one.path:
                prefix, slash, name = one.path.rpartition(b"/")
                prefix += slash
                exists = one.kind is not Kind.DELETED
                groups = {Group(exists, one.is_new, one.is_dir): [name]}
            else:
                return None
            known = found.setdefault(prefix, groups)
            for group, names in groups.items():
                count += len(names)
                if known is not groups:
                    known.setdefault(group, []).extend(names)
            if count - stepped >= ROWS_PER_STEP:
                check_price(count * price, price, most)
                stepped = count
                yield None
        check_price(count * price, price, most)
        return found

    def _parts(self, found: dict[bytes, Groups]) -> Iterator[_Part]:
        """What the rules of the root and the query leave of it, some names at a
        time."""
        subscription = self._root.subscription
        start = subscription.prefix
        if self._query.relative_root:
            start += self._query.relative_root + b"/"
        ignore = subscription.ignore
        if ignore is not None and ignore.is_empty:
            ignore = None
        is_vcs_alone = isinstance(ignore, WatchmanIgnore) and ignore.is_vcs_alone
        covers, skip = subscription.covers_entry, len(subscription.prefix)
        for prefix, groups in found.items():
            if not prefix.startswith(start):
                continue
            if ignore and is_vcs_alone and ignore.ignored(prefix[skip:] + b"x", False):
                continue
            # What was deleted comes first: what was made in its place has another
            # status, which would be the last one known of that path.
            for group in groups if len(groups) == 1 else sorted(groups):
                names = groups[group]
                if ignore and not is_vcs_alone:
                    is_dir = group.is_dir
                    names = [name for name in names if covers(prefix + name, is_dir)]
                if len(names) <= NAMES_PER_STEP:
                    yield prefix, group, names
                    continue
                for at in range(0, len(names), NAMES_PER_STEP):
                    yield prefix, group, names[at : at + NAMES_PER_STEP]

    def _add(
        self,
        prefix: bytes,
        group: Group,
        names: Sequence[bytes],
        wanted: DirectoryFilter,
    ) -> None:
        """Raises OSError if a file is not there any more."""
        inner = prefix[self._skip :]
        exists, is_new, is_dir = group
        if not self._is_plain:
            its_directories = frozenset(names if is_dir else ())
            batch = Batch(inner, names, its_directories, exists=exists)
            names = kept(batch, wanted.by_name)
            if not names:
                return
            if self._needs_status or wanted.by_type is not None:
                stats = self._stats_of(prefix, names, group)
                batch = Batch(inner, names, its_directories, exists=exists)
                batch.types = stat.S_IFDIR if is_dir else list(map(_type_of, stats))
                verdict = True if wanted.by_type is None else wanted.by_type(batch)
                if isinstance(verdict, list):
                    stats = list(compress(stats, verdict))
                    names = list(compress(names, verdict))
                elif not verdict:
                    return
                self._begin(exists, is_new)
                self._stats += stats
        self._begin(exists, is_new)
        self._names += [inner + name for name in names]

    def _begin(self, exists: bool, is_new: bool) -> None:
        """Rows follow for which this holds."""
        flags = self._flags
        if flags.exists is not exists or flags.new is not is_new:
            self._write()
            self._flags = Flags(exists, is_new)

    def _write(self) -> None:
        """Write the rows that wait for it."""
        names, rows, pieces = self._names, self._rows, self._pieces
        assert rows is not None
        assert pieces is not None
        if not names:
            return
        if len(self._query.fields) == 1:
            piece = rows.names(b"", names)
        else:
            piece = rows.rows(b"", names, self._stats, self._flags)
        pieces.add(piece, len(names))
        self._names, self._stats = [], []

    def _stats_of(
        self, prefix: bytes, names: Sequence[bytes], group: Group
    ) -> Sequence[Stat]:
        last = self._root.last_stats
        if group.exists:
            stats = stats_of(prefix, names)
            last.keep_some(prefix, names, stats)
            return stats
        return [stat_of_gone(last.of(prefix + name), group.is_dir) for name in names]

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

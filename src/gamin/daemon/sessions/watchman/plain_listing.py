"""Answers questions about what there is, which have the longest answers, by the
directory: which names are wanted, and their rows.

No object is made for a file. What happens meanwhile makes the answer worthless: then it
is found in the general way, as is what an expression asks beyond names and types.
"""

import math
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from itertools import compress

from msgspec.structs import replace

from gamin.core.model.node import Node
from gamin.core.model.packing import parts_of
from gamin.core.model.subscription import Scope
from gamin.daemon.io.errands import Steps
from gamin.daemon.sessions.watchman.candidates import (
    check_relative_root,
    directories,
    ranges,
)
from gamin.daemon.sessions.watchman.ignore_files import WatchmanIgnore
from gamin.daemon.sessions.watchman.results import check_price
from gamin.daemon.sessions.watchman.root import Root
from gamin.protocol.watchman.clocks import Stale
from gamin.protocol.watchman.codec.codec import Codec
from gamin.protocol.watchman.codec.plain_rows import (
    Pieces,
    can_write,
    is_plain,
    needs_status,
    plain_rows,
)
from gamin.protocol.watchman.query.directory_filter import (
    Batch,
    DirectoryFilter,
    Filter,
    Types,
    directory_filter,
)
from gamin.protocol.watchman.query.file_row import Stat
from gamin.protocol.watchman.query.query import Query
from gamin.protocol.watchman.query.selection import Selection

NAMES_PER_STEP = 4096
"""Names of one directory that are written before others get their turn: a
millisecond."""
NAMES_PER_PART = 8192
"""Names of a directory that are looked through for what a suffix finds before others
get their turn: a millisecond or two."""
PACKED_PER_PART = 256 * 1024
"""The same where they are packed, in bytes."""
MIN_NAMES_PER_STEP = 16
"""The same, however many terms are asked of each name."""
STATS_PER_STEP = 256
"""Files that are looked at before others get their turn."""


class PlainListing:
    member = "files"

    def __init__(
        self, root: Root, query: Query, codec: Codec, most: float = math.inf
    ) -> None:
        """Only for what `can_answer`. `most` is the greatest price of a query."""
        if query.since is not None:  # it finds everything, whatever others find
            query = replace(query, selection=None)
        self._root = root
        self._query = query
        self._fields = query.fields
        self._most = most
        selection = query.selection
        self._endings = None if selection is None else selection.endings
        """How all names that are found end; None if that varies."""
        if _is_endings_alone(selection):
            selection = None
        self._filter = directory_filter(selection, query.expression)
        self._rows = plain_rows(codec, query.fields)
        self._pieces = None if self._rows is None else Pieces(self._rows)
        self._spent = 0
        """What the rows so far have cost."""

    @staticmethod
    def can_answer(root: Root, query: Query, codec: Codec) -> bool:
        subscription = root.subscription
        ignore = subscription.ignore
        return (
            (query.since is None or isinstance(query.since, Stale))
            and not query.empty_on_fresh_instance
            and is_plain(query.fields)
            and can_write(codec)
            and subscription.bound_directory is not None
            and subscription.scope is Scope.TREE
            and root.far_point is None
            and (
                ignore is None
                or ignore.is_empty
                or (isinstance(ignore, WatchmanIgnore) and ignore.is_vcs_alone)
            )
        )

    def find(self) -> Steps[bool]:
        """Return whether the rows are right for the clock of now. Yields where others
        may get their turn. Raises QueryFailed."""
        root = self._root
        if self._filter is None or self._rows is None:
            return False
        check_relative_root(root, self._query)
        begun = root.timeline
        single: dict[bytes, tuple[Node, bytes]] = {}
        places = ranges(root, self._query)
        try:
            for node in directories(root.subscription, places, single):
                if single:
                    return False
                yield from self._add(node, self._filter)
                yield None
        except OSError:  # a file is gone, and that will be known
            return False
        now = root.timeline
        changes = root.changes_since(begun.latest)
        is_same = now[:3] == begun[:3] and changes is not None
        return is_same and not single and not any(True for _ in changes or ())

    def _add(self, node: Node, wanted: DirectoryFilter) -> Steps[None]:
        """The rows of the entries of a directory."""
        root, query = self._root, self._query
        prefix, skip = node.path_prefix(), len(root.subscription.prefix)
        ignore = root.subscription.ignore
        # What is in it is all ignored, or nothing is: that is by the names above.
        if (
            ignore
            and not ignore.is_empty
            and ignore.ignored(prefix[skip:] + b"x", False)
        ):
            return
        skip += len(query.relative_root) + 1 if query.relative_root else 0
        price = query.price
        step = max(MIN_NAMES_PER_STEP, NAMES_PER_STEP // price)
        others: Mapping[bytes, int] | None = None
        for part, (all_names, its_directories) in enumerate(self._names_in(node)):
            if part:
                yield None
            for start in range(0, len(all_names), step):
                some = all_names[start : start + step]
                batch = Batch(prefix[skip:], some, its_directories)
                names = kept(batch, wanted.by_name)
                self._spent += len(some) * price
                check_price(self._spent, price, self._most)
                if names and wanted.by_type is not None:
                    if others is None:
                        known = root.last_stats.types
                        others = yield from known.others(node, root.timeline.latest)
                    batch = Batch(batch.prefix, names, its_directories)
                    batch.types = _types(batch, others)
                    names = kept(batch, wanted.by_type)
                if names:
                    yield from self._add_rows(prefix, batch.prefix, names)
                yield None

    def _add_rows(
        self, prefix: bytes, inner: bytes, names: Sequence[bytes]
    ) -> Steps[None]:
        if not needs_status(self._fields):
            self._write(prefix, inner, names, None)
            return
        for start in range(0, len(names), STATS_PER_STEP):
            some = names[start : start + STATS_PER_STEP]
            self._write(prefix, inner, some, stats_of(prefix, some))
            yield None

    def _write(
        self,
        prefix: bytes,
        inner: bytes,
        names: Sequence[bytes],
        stats: Sequence[Stat] | None,
    ) -> None:
        rows, pieces = self._rows, self._pieces
        assert rows is not None
        assert pieces is not None
        if stats is not None:
            self._root.last_stats.keep_some(prefix, names, stats)
        if len(self._fields) == 1:
            piece = rows.names(inner, names)
        else:
            piece = rows.rows(inner, names, stats)
        pieces.add(piece, len(names))

    def _names_in(
        self, node: Node
    ) -> Iterator[tuple[Sequence[bytes], frozenset[bytes]]]:
        """The names in a directory that end right, a part at a time, and which names of
        the part are directories."""
        endings = self._endings
        if node.is_packed and not node.deferred:
            for part in parts_of(node.packed, PACKED_PER_PART):
                if endings is None:
                    yield part.split(b"/"), frozenset()
                else:
                    yield _with_endings(part, endings), frozenset()
            return
        # Copies, because others get their turn meanwhile.
        entries = node.published_entries()
        all_names, all_known = list(entries), list(entries.values())
        for start in range(0, len(all_names), NAMES_PER_PART):
            names = all_names[start : start + NAMES_PER_PART]
            known = all_known[start : start + NAMES_PER_PART]
            its_directories = frozenset(compress(names, known))
            if endings is not None:
                names = [name for name in names if name.lower().endswith(endings)]
            yield names, its_directories

    @property
    def count(self) -> int:
        """Rows so far."""
        return 0 if self._pieces is None else self._pieces.count

    def encoded(self) -> list[bytes]:
        """The array of all rows, in pieces."""
        assert self._pieces is not None
        return self._pieces.encoded()


def _types(batch: Batch, others: Mapping[bytes, int]) -> Types:
    """The file types of the names; `others` has those that are neither files nor
    directories. What was deleted meanwhile counts as a file: that will be known."""
    its_directories, file = batch.directories, stat.S_IFREG
    if not others and not its_directories:
        return file
    return [
        stat.S_IFDIR if name in its_directories else others.get(name, file)
        for name in batch.names
    ]


def kept(batch: Batch, wanted: Filter | None) -> Sequence[bytes]:
    """The names that are wanted."""
    verdict = True if wanted is None else wanted(batch)
    if isinstance(verdict, bool):
        return batch.names if verdict else ()
    return list(compress(batch.names, verdict))


def stats_of(prefix: bytes, names: Sequence[bytes]) -> list[Stat]:
    """Raises OSError. Through the open directory: the kernel then does not follow the
    path for each of them, which is a fifth of the time."""
    flags = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    directory = os.open(prefix, flags)
    try:
        look = os.stat
        return [look(name, dir_fd=directory, follow_symlinks=False) for name in names]
    finally:
        os.close(directory)


def _is_endings_alone(selection: Selection | None) -> bool:
    """Whether suffixes are all that selects."""
    return (
        selection is not None
        and bool(selection.suffixes)
        and selection.globs is None
        and selection.paths is None
    )


def _with_endings(packed: bytes, endings: tuple[bytes, ...]) -> list[bytes]:
    """The names with one of the endings. Searches all names at once: most directories
    have none."""
    whole = packed + b"/"
    lower = whole.lower()
    if len(endings) != 1:
        names = packed.split(b"/") if packed else []
        return [name for name in names if name.lower().endswith(endings)]
    found = []
    end = endings[0] + b"/"
    at = lower.find(end)
    while at >= 0:
        start = whole.rfind(b"/", 0, at) + 1
        stop = at + len(end) - 1
        found.append(whole[start:stop])
        at = lower.find(end, stop)
    return found

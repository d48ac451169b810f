"""Answers the plainest questions, which have the longest answers: all names, or those
with an ending, with or without facts of their status.

The rows are written by the directory, from the tree's own form, and no object is made
for a file. What happens meanwhile makes the answer worthless: then it is found in the
general way.
"""

import os
from collections.abc import Iterator, Sequence
from itertools import islice

from gamin.core.model.node import Node
from gamin.core.model.subscription import Scope
from gamin.daemon.io.errands import Steps
from gamin.daemon.sessions.watchman.ignore_files import WatchmanIgnore
from gamin.daemon.sessions.watchman.root import Root
from gamin.protocol.watchman.codec.codec import Codec
from gamin.protocol.watchman.codec.plain_rows import (
    PlainRows,
    is_plain,
    needs_status,
    plain_rows,
)
from gamin.protocol.watchman.query.file_row import Stat
from gamin.protocol.watchman.query.query import Query

NAMES_PER_STEP = 4096
"""Names of one directory that are written before others get their turn: a
millisecond."""
STATS_PER_STEP = 256
"""Files that are looked at before others get their turn."""


class PlainListing:
    member = "files"

    def __init__(self, root: Root, query: Query, codec: Codec) -> None:
        """Only for what `can_answer`."""
        self._root = root
        self._fields = query.fields
        selection = query.selection
        self._endings = None if selection is None else selection.endings
        self._rows = plain_rows(codec, query.fields)
        self._pieces: list[bytes] = []
        self.count: int = 0
        """Rows so far."""
        self._is_sound = True
        """Every file was there that should be."""

    @staticmethod
    def can_answer(root: Root, query: Query, codec: Codec) -> bool:
        subscription, selection = root.subscription, query.selection
        ignore = subscription.ignore
        return (
            query.since is None
            and query.expression is None
            and not query.relative_root
            and (selection is None or _is_endings_alone(query))
            and is_plain(query.fields)
            and plain_rows(codec, query.fields) is not None
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
        may get their turn."""
        root, rows = self._root, self._rows
        begun = root.timeline
        top = root.subscription.bound_directory
        assert top is not None
        assert rows is not None
        needs_stats = needs_status(self._fields)
        skip = len(root.subscription.prefix)
        for node in self._directories(top):
            names = self._names_in(node)
            if names:
                prefix = node.path_prefix()
                self.count += len(names)
                if needs_stats:
                    yield from self._add_with_stats(prefix, skip, names)
                else:
                    yield from self._add_names(rows, prefix[skip:], names)
            if not self._is_sound:
                return False
            yield None
        now = root.timeline
        changes = root.changes_since(begun.latest)
        is_same = now[:3] == begun[:3] and changes is not None
        return is_same and not any(True for _ in changes or ())

    def _add_names(
        self, rows: PlainRows, inner: bytes, names: Sequence[bytes]
    ) -> Steps[None]:
        is_name_alone = len(self._fields) == 1
        for start in range(0, len(names), NAMES_PER_STEP):
            some = names[start : start + NAMES_PER_STEP]
            if is_name_alone:
                self._pieces.append(rows.names(inner, some))
            else:
                self._pieces.append(rows.rows(inner, some, None))
            yield None

    def _add_with_stats(
        self, prefix: bytes, skip: int, names: Sequence[bytes]
    ) -> Steps[None]:
        assert self._rows is not None
        all_names = iter(names)
        while some := list(islice(all_names, STATS_PER_STEP)):
            try:
                stats = _stats(prefix, some)
            except OSError:  # it is gone, and that will be known
                self._is_sound = False
                return
            self._root.last_stats.keep_some(prefix, some, stats)
            self._pieces.append(self._rows.rows(prefix[skip:], some, stats))
            yield None

    def _directories(self, top: Node) -> Iterator[Node]:
        """Those whose entries are listed."""
        subscription = self._root.subscription
        ignore = subscription.ignore
        skip = len(subscription.prefix)
        stack = [top]
        while stack:
            node = stack.pop()
            if not node.listed:
                continue
            prefix = node.path_prefix()
            # What is in it is all ignored, or nothing is: that is by the names above.
            inner = prefix[skip:] + b"x"
            if ignore is None or ignore.is_empty or not ignore.ignored(inner, False):
                yield node
            if not node.is_packed:
                stack += [
                    child
                    for child in node.children()
                    if subscription.covers_directory(prefix + child.name)
                ]

    def _names_in(self, node: Node) -> list[bytes]:
        endings = self._endings
        if node.is_packed and not node.deferred:
            packed = node.packed
            if endings is not None:
                return _with_endings(packed, endings)
            return packed.split(b"/") if packed else []
        entries = node.published_entries()
        if endings is None:
            return list(entries)
        return [name for name in entries if name.lower().endswith(endings)]

    def encoded(self) -> list[bytes]:
        """The array of all rows, in pieces."""
        assert self._rows is not None
        return self._rows.whole(self._pieces, self.count)


def _stats(prefix: bytes, names: Sequence[bytes]) -> list[Stat]:
    """Raises OSError. Through the open directory: the kernel then does not follow the
    path for each of them, which is a fifth of the time."""
    flags = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    directory = os.open(prefix, flags)
    try:
        look = os.stat
        return [look(name, dir_fd=directory, follow_symlinks=False) for name in names]
    finally:
        os.close(directory)


def _is_endings_alone(query: Query) -> bool:
    """Whether suffixes are all that selects."""
    selection = query.selection
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
    if len(endings) > 1 or len(lower) != len(whole):
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

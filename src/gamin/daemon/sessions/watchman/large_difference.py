"""A difference that is too large for one turn: it is found while others are served.

It takes turns with all other large differences of the server, a slice of one of them in
an iteration of the loop. What happens meanwhile is in it, or follows it.
"""

import time
from collections.abc import Callable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from gamin.core.deliver.cursor import Cursor
from gamin.daemon.io.errands import Steps
from gamin.daemon.io.turns import LongList
from gamin.daemon.sessions.watchman.delivery import (
    ROWS_PER_TEXT,
    EventRows,
    FileRows,
    Listing,
    Rows,
)
from gamin.daemon.sessions.watchman.directory_listing import folders
from gamin.daemon.sessions.watchman.results import ResultBuilder
from gamin.daemon.sessions.watchman.update import Update
from gamin.events import AnyRow
from gamin.protocol.watchman.clocks import Timeline
from gamin.protocol.watchman.codec.codec import Codec
from gamin.protocol.watchman.codec.directory_listing import Folder
from gamin.protocol.watchman.query.file_row import FileRow
from gamin.protocol.watchman.query.query import Query

if TYPE_CHECKING:
    from gamin.daemon.sessions.watchman.root import Root

LARGE_ROWS = 512
"""Rows from which on a difference is large: some of them take a few milliseconds."""
SLICE_SECONDS = 0.003
"""Seconds of work before others get their turn."""
BYTES_PER_STEP = 1 << 16
"""Bytes of names that are listed before others get their turn: a millisecond."""
FOLDER_BYTES = 128
"""How many bytes cost what a directory costs."""
NAME_BYTES = 16
"""How many bytes a name is taken to have that is not packed."""
MAX_ATTEMPTS = 3
"""How often it is begun that cannot be brought up to date at its end."""


class Found(NamedTuple):
    """What a subscriber gets."""

    rows: Rows
    now: Timeline
    """When this was right. What happened later follows."""
    since: int | None
    """The tick after which it happened; None for everything there is."""
    listing: Listing | None = None
    """All names, for our own clients."""


class LargeDifference:
    def __init__(
        self,
        root: "Root",
        query: Query,
        cursor: Cursor[int],
        codec: Codec | None,
        is_wanted: Callable[["LargeDifference"], bool],
        finish: Callable[[Found | None], None],
        plain: "Plain | None" = None,
    ) -> None:
        """`codec`: the rows are encoded with it in slices, too. `is_wanted` says
        whether somebody waits for this one still. `finish` is called with None if the
        root changes too fast. `plain`: the rows are those of the tree."""
        if plain is None:
            self._steps = _find(root, query, cursor, codec)
        else:
            self._steps = _find_plain(root, query, cursor, codec, plain)
        self._is_wanted = is_wanted
        self._finish = finish

    def take_turn(self) -> bool:
        if not self._is_wanted(self):
            return False  # the client has left, or got all of it at once
        end = time.monotonic() + SLICE_SECONDS
        found: Found | None = None
        try:
            while True:
                next(self._steps)
                if time.monotonic() >= end:
                    return True
        except StopIteration as over:
            found = over.value
        except BaseException:
            self._finish(None)
            raise
        self._finish(found)
        return False


class Plain(NamedTuple):
    """What is wanted by a query whose rows are those of the tree."""

    as_rows: Callable[[Sequence[AnyRow]], EventRows]
    wants_listing: bool
    """The names follow the difference."""


def is_large(root: "Root", query: Query, cursor: Cursor[int]) -> bool:
    """Whether the difference is to be found in slices. Not of a root where only a
    thread may look."""
    if root.far_point is not None:
        return False
    is_same_root = cursor.target == root.number
    rows = root.changes_since(cursor.tick) if is_same_root else None
    if rows is None:
        if query.names:
            return _has_many_names(root)
        if query.empty_on_fresh_instance:
            return False
        rows = root.listing()
    return next(islice(rows, LARGE_ROWS, None), None) is not None


def _has_many_names(root: "Root") -> bool:
    """Whether a list of all names is to be made in slices."""
    left = BYTES_PER_STEP
    for node in () if root.top is None else root.top.subtree():
        left -= FOLDER_BYTES
        left -= len(node.packed) if node.is_packed else NAME_BYTES * len(node.names)
        if left < 0:
            return True
    return False


def _find_plain(
    root: "Root",
    query: Query,
    cursor: Cursor[int],
    codec: Codec | None,
    plain: Plain,
) -> Steps[Found | None]:
    begun = root.timeline
    tick = cursor.tick if cursor.target == root.number else None
    # What came since, and is perhaps gone before the end, follows.
    until = begun.latest
    source = None if tick is None else root.changes_since(tick, until)
    if source is None:
        tick = None
        is_left_out = query.names or query.empty_on_fresh_instance
        source = () if is_left_out else root.listing(until)
    found = LongList[AnyRow](root.turns)
    rows = iter(source)
    while some := list(islice(rows, ROWS_PER_TEXT)):
        found += some
        yield None
    listing: Listing | None = None
    if query.names and (tick is None or plain.wants_listing):
        all_folders = LongList[Folder](root.turns)
        size = 0
        for folder in folders(root.subscription, until):
            if folder is not None:
                all_folders.append(folder)
                size += FOLDER_BYTES + len(folder[1] or b"")
            if folder is None or size > BYTES_PER_STEP:
                size = 0
                yield None
        listing = Listing(all_folders, is_file=False)
    event_rows = plain.as_rows(found)
    if codec is not None:
        yield from event_rows.encode(codec)
        if listing is not None:
            yield from listing.encode(codec)
    if root.timeline.root != begun.root:
        return None
    return Found(event_rows, begun, tick, listing)


def _find(
    root: "Root", query: Query, cursor: Cursor[int], codec: Codec | None
) -> Steps[Found | None]:
    for _ in range(MAX_ATTEMPTS):
        begun = root.timeline
        tick = cursor.tick if cursor.target == root.number else None
        source = None if tick is None else root.changes_since(tick)
        if source is None:
            tick = None
            source = () if query.empty_on_fresh_instance else root.listing()
        found = LongList[FileRow](root.turns)
        yield from ResultBuilder(root.subscription, query).find(source, begun, found)
        current = yield from Update(root, query, tick).apply(found, begun)
        now = root.timeline
        if current is not None and (tick is None or tick >= now.oldest):
            rows = FileRows(current, query.fields, now)
            if codec is not None and not query.wants_hashes:
                yield from rows.encode(codec)
            return Found(rows, now, tick)
    return None

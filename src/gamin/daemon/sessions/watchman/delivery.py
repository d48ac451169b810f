"""Deliveries: what a root hands out, and the interface of its subscribers.

A root knows neither encodings nor connections. A subscriber is any object with the few
methods of a `Sink`.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from gamin.daemon.sessions.watchman.states import StateChange
from gamin.events import AnyRow
from gamin.protocol.watchman.clocks import Clock, Timeline
from gamin.protocol.watchman.codec.codec import Codec
from gamin.protocol.watchman.codec.compact import compact_text, detailed_text
from gamin.protocol.watchman.codec.directory_listing import Folder, folders_text
from gamin.protocol.watchman.query.file_row import FileRow

ROWS_PER_TEXT = 1_024
"""Rows that are written in a row before others get their turn: some 0.5 ms."""
FOLDERS_PER_TEXT = 1_024
"""Directories of a listing, likewise."""


class Rows(Protocol):
    """The rows for all subscribers with the same query."""

    @property
    def is_empty(self) -> bool: ...

    @property
    def member(self) -> str:
        """The name of the member that holds the rows in a message."""

    def encoded(self, codec: Codec) -> bytes:
        """Encoded at most once per codec."""


class EventRows:
    """Rows of the core, for queries with EVENT_FIELDS."""

    def __init__(
        self,
        rows: Sequence[AnyRow],
        skip: int,
        *,
        is_compact: bool,
        details: Sequence[int] | None = None,
    ) -> None:
        """`details`: a `Detail` for each row, for clients that ask for them."""
        self.rows = rows
        self._details = details
        self.is_compact = is_compact
        """Our own clients get the rows as one text."""
        self.member: str = "rows" if is_compact else "files"
        self.is_empty: bool = not rows
        self._skip = skip
        """The length of the root's path with its slash."""
        self._encoded: dict[Codec, bytes] = {}

    def encoded(self, codec: Codec) -> bytes:
        data = self._encoded.get(codec)
        if data is None:
            if self.is_compact:
                data = codec.text(self._text(0, len(self.rows)))
            else:
                data = codec.events(self.rows, self._skip)
            self._encoded[codec] = data
        return data

    def _text(self, start: int, end: int) -> bytes:
        rows, details = self.rows[start:end], self._details
        if details is not None:
            return detailed_text(rows, self._skip, details[start:end])
        return compact_text(rows, self._skip)

    def encode(self, codec: Codec) -> Iterator[None]:
        """Make what `encoded` returns; yields between slices of work."""
        if not self.is_compact:
            return
        texts: list[bytes] = []
        for start in range(0, len(self.rows), ROWS_PER_TEXT):
            texts.append(self._text(start, start + ROWS_PER_TEXT))
            yield
        self._encoded[codec] = codec.text(b"//".join(texts))


class FileRows:
    """Rows with any fields."""

    member = "files"

    def __init__(
        self, rows: Sequence[FileRow], fields: Sequence[str], now: Timeline
    ) -> None:
        self.rows = rows
        self.is_empty: bool = not rows
        self._fields = fields
        self._now = now
        self._encoded: dict[Codec, bytes] = {}
        self._pieces: dict[Codec, list[bytes]] = {}

    def first(self, count: int) -> "FileRows":
        """The first `count` rows."""
        return FileRows(self.rows[:count], self._fields, self._now)

    def encoded(self, codec: Codec) -> bytes:
        data = self._encoded.get(codec)
        if data is None:
            pieces = self._pieces.get(codec)
            if pieces is None:
                data = codec.rows(self.rows, self._fields, self._now)
            else:
                data = b"".join(pieces)
            self._encoded[codec] = data
        return data

    def encode(self, codec: Codec) -> Iterator[None]:
        """Make the `pieces`; yields between slices of work."""
        pieces: list[bytes] = []
        for piece in codec.rows_in_pieces(self.rows, self._fields, self._now):
            pieces.append(piece)
            yield
        self._pieces[codec] = pieces

    def pieces(self, codec: Codec) -> Sequence[bytes]:
        """The text of `encoded`, in pieces; `encode` has made them."""
        return self._pieces[codec]


class Listing:
    """The names in every directory of a root."""

    def __init__(self, folders: Sequence[Folder] | None, *, is_file: bool) -> None:
        self.folders = folders
        """The directories; None if nothing, or a file, is at the path."""
        self.is_file = is_file
        self._encoded: dict[Codec, bytes] = {}

    def encoded(self, codec: Codec) -> bytes | None:
        if self.folders is None:
            return None
        data = self._encoded.get(codec)
        if data is None:
            data = self._encoded[codec] = codec.text(folders_text(self.folders))
        return data

    def encode(self, codec: Codec) -> Iterator[None]:
        """Make what `encoded` returns; yields between slices of work."""
        folders, texts = self.folders or (), []
        for start in range(0, len(folders), FOLDERS_PER_TEXT):
            texts.append(folders_text(folders[start : start + FOLDERS_PER_TEXT]))
            yield
        self._encoded[codec] = codec.text(b"//".join(texts))


class Delivery(NamedTuple):
    """One delivery to one subscriber; its parts are shared among those with the same
    query."""

    root: bytes
    """The root's path."""
    rows: Rows
    clock: Clock
    since: Clock | None = None
    """The clock of the delivery before. None for the first one, for a fresh one, and
    for a brief one."""
    is_fresh: bool = False
    """The subscriber must drop what it knew."""
    is_brief: bool = False
    """It follows the delivery before directly: only rows and clock are new."""
    recovered: bool = False
    """Some rows were found by comparing with the disk after a loss."""
    complete_until_ns: int | None = None
    """The real time up to which nothing is missing; None while that is not known, and
    for those who did not ask."""
    inode: tuple[int, int] | None = None
    """Device and number of what the path leads to, where that may be new."""
    listing: Listing | None = None
    unreadable: frozenset[bytes] | None = None
    """The directories that may not be read, where these may be others than before."""
    warning: str = ""
    """What the subscriber should know about the root."""


class Sink(Protocol):
    """Receives the deliveries of one subscription."""

    @property
    def is_blocked(self) -> bool:
        """Nothing can be delivered now. When that ends, the sink calls `Root.catch_up`
        and gets the difference."""

    @property
    def codec(self) -> Codec | None:
        """What it encodes rows with that are delivered next; None: not known."""

    def deliver(self, delivery: Delivery) -> None:
        """Take a delivery; sending it may wait for `flush`."""

    def state_changed(self, root: bytes, clock: Clock, change: StateChange) -> None:
        """A client asserted a state of the root, or does not any more."""

    def canceled(self, root: bytes) -> None:
        """The subscription ended, for the root is not watched any more."""

    def removed(self) -> None:
        """The root has this subscriber no more, for whatever reason."""

    def flush(self) -> None:
        """Send now what was delivered outside a round of the loop."""

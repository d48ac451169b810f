"""Deliveries: what a root hands out, and the interface of its subscribers.

A root knows neither encodings nor connections. A subscriber is any object with the few
methods of a `Sink`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from gamin.daemon.sessions.watchman.states import StateChange
from gamin.events import AnyRow
from gamin.protocol.watchman.clocks import Clock, Timeline
from gamin.protocol.watchman.codec.codec import Codec
from gamin.protocol.watchman.codec.compact import compact_text, detailed_text
from gamin.protocol.watchman.codec.directory_listing import Folder, folders_text
from gamin.protocol.watchman.query.file_row import FileRow

ROWS_PER_TEXT = 512
"""Rows that are written in a row before others get their turn: some 0.5 ms."""
FOLDERS_PER_TEXT = 512
"""Directories of a listing, likewise."""
TEXT_PER_PIECE = 1 << 16
"""Bytes of a text from which on it is cut at the next slash: encoding them takes
0.5 ms."""


class Encoded(ABC):
    """A member of messages for many subscribers: encoded at most once per codec."""

    def __init__(self) -> None:
        self._pieces: dict[Codec, Sequence[bytes]] = {}

    @abstractmethod
    def _whole(self, codec: Codec) -> bytes:
        """Encode it in one go."""

    @abstractmethod
    def _make(self, codec: Codec) -> Iterator[bytes | None]:
        """Encode it piece by piece; yields None where there is no piece yet."""

    def encode(self, codec: Codec) -> Iterator[None]:
        """Make what `pieces` returns; yields between slices of work."""
        pieces: list[bytes] = []
        for piece in self._make(codec):
            if piece is not None:
                pieces.append(piece)
            yield
        self._pieces[codec] = pieces

    def pieces(self, codec: Codec) -> Sequence[bytes]:
        """Those that `encode` made; otherwise it is encoded now."""
        pieces = self._pieces.get(codec)
        if pieces is None:
            pieces = self._pieces[codec] = (self._whole(codec),)
        return pieces

    def encoded(self, codec: Codec) -> bytes:
        """All pieces together."""
        pieces = self.pieces(codec)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


class Rows(Protocol):
    """The rows for all subscribers with the same query."""

    @property
    def is_empty(self) -> bool: ...

    @property
    def member(self) -> str:
        """The name of the member that holds the rows in a message."""

    def encoded(self, codec: Codec) -> bytes:
        """As in `Encoded`."""

    def pieces(self, codec: Codec) -> Sequence[bytes]:
        """As in `Encoded`."""


class EventRows(Encoded):
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
        super().__init__()
        self.rows = rows
        self._details = details
        self.is_compact = is_compact
        """Our own clients get the rows as one text."""
        self.member: str = "rows" if is_compact else "files"
        self.is_empty: bool = not rows
        self._skip = skip
        """The length of the root's path with its slash."""

    def _whole(self, codec: Codec) -> bytes:
        if self.is_compact:
            return codec.text(self._text(0, len(self.rows)))
        return codec.events(self.rows, self._skip)

    def _text(self, start: int, end: int) -> bytes:
        rows, details = self.rows[start:end], self._details
        if details is not None:
            return detailed_text(rows, self._skip, details[start:end])
        return compact_text(rows, self._skip)

    def _make(self, codec: Codec) -> Iterator[bytes | None]:
        if not self.is_compact:
            yield from codec.events_in_pieces(self.rows, self._skip)
            return
        count = range(0, len(self.rows), ROWS_PER_TEXT)
        texts = (self._text(start, start + ROWS_PER_TEXT) for start in count)
        yield from _text_in_pieces(codec, texts)


def _text_in_pieces(codec: Codec, texts: Iterable[bytes]) -> Iterator[bytes | None]:
    """The text of these with b"//" between them, encoded. First all of them are made,
    for an encoding may begin with the length."""
    made: list[bytes] = []
    separator = b""
    for each in texts:
        text, start, separator = separator + each, 0, b"//"
        while start < len(text):
            end = text.find(b"/", start + TEXT_PER_PIECE)
            end = len(text) if end < 0 else end
            made.append(text[start:end])
            start = end
        yield None
    yield from codec.text_in_pieces(made)


class FileRows(Encoded):
    """Rows with any fields."""

    member = "files"

    def __init__(
        self, rows: Sequence[FileRow], fields: Sequence[str], now: Timeline
    ) -> None:
        super().__init__()
        self.rows = rows
        self.is_empty: bool = not rows
        self._fields = fields
        self._now = now

    def first(self, count: int) -> "FileRows":
        """The first `count` rows."""
        return FileRows(self.rows[:count], self._fields, self._now)

    def _whole(self, codec: Codec) -> bytes:
        return codec.rows(self.rows, self._fields, self._now)

    def _make(self, codec: Codec) -> Iterator[bytes | None]:
        return codec.rows_in_pieces(self.rows, self._fields, self._now)


class Listing(Encoded):
    """The names in every directory of a root."""

    def __init__(self, folders: Sequence[Folder] | None, *, is_file: bool) -> None:
        super().__init__()
        self.folders: Sequence[Folder] = folders or ()
        """The directories."""
        self.is_nothing: bool = folders is None
        """Nothing, or a file, is at the path."""
        self.is_file = is_file

    def _whole(self, codec: Codec) -> bytes:
        return codec.text(folders_text(self.folders))

    def _make(self, codec: Codec) -> Iterator[bytes | None]:
        count = range(0, len(self.folders), FOLDERS_PER_TEXT)
        texts = (folders_text(self.folders[at : at + FOLDERS_PER_TEXT]) for at in count)
        yield from _text_in_pieces(codec, texts)


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

"""The interface of an encoding of the Watchman language.

A connection has one codec at a time: that of its latest request. Rows are encoded once
per query and codec, so codecs that encode the same are equal and have equal hashes.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from gamin.events import AnyRow
from gamin.protocol.watchman.clocks import Timeline
from gamin.protocol.watchman.query.file_row import FileRow

Reply = Mapping[str, object]
"""A reply or a message: `str` is text, `bytes` is the name of a file."""

ROWS_PER_PIECE = 128
"""Rows that are encoded in a row before other work runs: about 1 ms, for most fields
make each row have its file looked at."""
EVENTS_PER_PIECE = 1_024
"""The same for rows with EVENT_FIELDS, which know all that is asked: 0.5 ms."""


class Codec(Protocol):
    """Reads requests, writes replies; pure."""

    def decode(self, body: bytes) -> object:
        """The value of one request, with every string as `str`. Names that are not
        UTF-8 have surrogate escapes. Raises BadRequest or RemoteProtocolError."""

    def encode(self, reply: Reply, parts: Mapping[str, bytes] | None = None) -> bytes:
        """One message for the wire. `parts` are further members that this codec
        encoded before, once for everybody who asked the same."""

    def encode_around(
        self, reply: Reply, parts: Mapping[str, Sequence[bytes]]
    ) -> list[bytes]:
        """As `encode`, with parts that are in pieces: they are not joined."""

    def text(self, text: bytes) -> bytes:
        """A string as a value that can be a part."""

    def text_in_pieces(self, texts: Sequence[bytes]) -> Iterator[bytes]:
        """The bytes of `text` for these joined, encoded a text at a time; no character
        is in two of them."""

    def rows(
        self, rows: Sequence[FileRow], fields: Sequence[str], now: Timeline
    ) -> bytes:
        """The array of the rows, for the member `files`: plain values where one field
        is asked for, else objects."""

    def rows_in_pieces(
        self, rows: Sequence[FileRow], fields: Sequence[str], now: Timeline
    ) -> Iterator[bytes]:
        """The bytes of `rows`, encoded ROWS_PER_PIECE rows at a time."""

    def events(self, rows: Sequence[AnyRow], skip: int) -> bytes:
        """As `rows` with EVENT_FIELDS, from rows of the core; `skip` is the length of
        the root's path with its slash."""

    def events_in_pieces(self, rows: Sequence[AnyRow], skip: int) -> Iterator[bytes]:
        """The bytes of `events`, encoded EVENTS_PER_PIECE rows at a time."""

    def brief(
        self,
        name: bytes,
        now: tuple[int, int, int, int],
        complete_until_ns: int | None,
        rows: bytes,
        *,
        recovered: bool,
    ) -> bytes:
        """A message of the subscription `name`, for our own client: what goes without
        saying is left out. `name` and `rows` come from `text`; `now` has the parts of
        a clock."""

"""The Watchman language as lines of JSON."""

from collections.abc import Iterator, Mapping, Sequence
from typing import final

from gamin.events import AnyRow
from gamin.protocol.watchman.clocks import Timeline
from gamin.protocol.watchman.codec.codec import EVENTS_PER_PIECE, ROWS_PER_PIECE, Reply
from gamin.protocol.watchman.codec.compact import encode_message, quoted_text
from gamin.protocol.watchman.codec.framing import decode, encode
from gamin.protocol.watchman.codec.rows import encode_events, encode_rows
from gamin.protocol.watchman.query.file_row import FileRow


@final
class JsonCodec:
    """Its only instance is JSON, so that equality is identity."""

    # The hot path ends here: these are the functions themselves, one call less each.
    text: "staticmethod[[bytes], bytes]" = staticmethod(quoted_text)
    brief: "staticmethod[..., bytes]" = staticmethod(encode_message)
    decode: "staticmethod[[bytes], object]" = staticmethod(decode)

    def encode(self, reply: Reply, parts: Mapping[str, bytes] | None = None) -> bytes:
        return encode(reply) if parts is None else encode(reply, **parts)

    def rows(
        self, rows: Sequence[FileRow], fields: Sequence[str], now: Timeline
    ) -> bytes:
        return encode_rows(rows, fields, now)

    def encode_around(
        self, reply: Reply, parts: Mapping[str, Sequence[bytes]]
    ) -> list[bytes]:
        head = encode(reply)[:-2]
        found: list[bytes] = []
        for member, pieces in parts.items():
            separator = b"," if reply or found else b""
            found.append(head + separator + b'"%b":' % member.encode())
            found += pieces
            head = b""
        return [*found, head + b"}\n"]

    def text_in_pieces(self, texts: Sequence[bytes]) -> Iterator[bytes]:
        yield b'"'
        for text in texts:
            yield quoted_text(text)[1:-1]
        yield b'"'

    def rows_in_pieces(
        self, rows: Sequence[FileRow], fields: Sequence[str], now: Timeline
    ) -> Iterator[bytes]:
        return _array(
            encode_rows(rows[start : start + ROWS_PER_PIECE], fields, now)
            for start in range(0, len(rows), ROWS_PER_PIECE)
        )

    def events(self, rows: Sequence[AnyRow], skip: int) -> bytes:
        return encode_events(rows, skip)

    def events_in_pieces(self, rows: Sequence[AnyRow], skip: int) -> Iterator[bytes]:
        return _array(
            encode_events(rows[start : start + EVENTS_PER_PIECE], skip)
            for start in range(0, len(rows), EVENTS_PER_PIECE)
        )


def _array(arrays: Iterator[bytes]) -> Iterator[bytes]:
    """The items of several arrays as one, each of which has some."""
    separator = b"["
    for array in arrays:
        yield separator + array[1:-1]
        separator = b","
    yield b"]" if separator == b"," else b"[]"


JSON = JsonCodec()

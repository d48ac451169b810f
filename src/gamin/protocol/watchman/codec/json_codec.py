"""The Watchman language as lines of JSON."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import final

from gamin.events import AnyRow
from gamin.protocol.watchman.clocks import Timeline
from gamin.protocol.watchman.codec.codec import ROWS_PER_PIECE, Reply
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
        self, reply: Reply, member: str, pieces: Sequence[bytes]
    ) -> list[bytes]:
        head, tail = encode(reply, **{member: b"|"}).rsplit(b"|", 1)
        return [head, *pieces, tail]

    def rows_in_pieces(
        self, rows: Sequence[FileRow], fields: Sequence[str], now: Timeline
    ) -> Iterator[bytes]:
        separator = b"["
        for start in range(0, len(rows), ROWS_PER_PIECE):
            array = encode_rows(rows[start : start + ROWS_PER_PIECE], fields, now)
            yield separator + array[1:-1]
            separator = b","
        yield b"]" if rows else b"[]"

    def events(self, rows: Iterable[AnyRow], skip: int) -> bytes:
        return encode_events(rows, skip)


JSON = JsonCodec()

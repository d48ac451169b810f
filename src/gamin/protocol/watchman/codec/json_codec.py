"""The Watchman language as lines of JSON."""

from collections.abc import Iterable, Mapping, Sequence
from typing import final

from gamin.events import Row
from gamin.protocol.watchman.clocks import Timeline
from gamin.protocol.watchman.codec.codec import Reply
from gamin.protocol.watchman.codec.compact import encode_message, quoted_text
from gamin.protocol.watchman.codec.framing import decode, encode
from gamin.protocol.watchman.codec.rows import encode_events, encode_rows
from gamin.protocol.watchman.query.file_row import FileRow


@final
class JsonCodec:
    """Its only instance is JSON, so that equality is identity."""

    # The hot path ends here: these are the functions themselves, one call less each.
    text = staticmethod(quoted_text)
    brief = staticmethod(encode_message)
    decode = staticmethod(decode)

    def encode(self, reply: Reply, parts: Mapping[str, bytes] | None = None) -> bytes:
        return encode(reply) if parts is None else encode(reply, **parts)

    def rows(
        self, rows: Sequence[FileRow], fields: Sequence[str], now: Timeline
    ) -> bytes:
        return encode_rows(rows, fields, now)

    def events(self, rows: Iterable[Row], skip: int) -> bytes:
        return encode_events(rows, skip)


JSON = JsonCodec()

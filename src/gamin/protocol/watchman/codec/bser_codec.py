"""The Watchman language in BSER, versions 1 and 2.

Version 2 has a type for strings that are UTF-8, and its header has bits by which a
client says what it cannot read; the server's answers repeat them. Version 1 has
neither, and its clients close the connection where they see that type.
"""

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

from msgspec import Struct

from gamin.events import AnyRow, Kind
from gamin.protocol.watchman.clocks import Timeline
from gamin.protocol.watchman.codec.bser import (
    decode_value,
    encode_bytes,
    encode_int,
    encode_text,
    encode_value,
    template_head,
)
from gamin.protocol.watchman.codec.codec import EVENTS_PER_PIECE, ROWS_PER_PIECE, Reply
from gamin.protocol.watchman.codec.compact import EVENT_FIELDS
from gamin.protocol.watchman.query.fields import FIELDS, FieldType
from gamin.protocol.watchman.query.file_row import FileRow

NO_TEXT_TYPE: Final = 0x1
"""Capability bit: the client cannot read the type for UTF-8."""
NO_TEXT_TYPE_FOR_ERRORS: Final = 0x2
"""Capability bit: it cannot read that type in `error`."""

_CAPABILITIES = struct.Struct("=I")
_FLAGS: Final = {True: b"\x08", False: b"\x09"}

Column = Callable[[FileRow, Timeline], bytes]


@lru_cache(maxsize=256)
def _key(key: str) -> bytes:
    """The name of a member of a reply."""
    return encode_bytes(key.encode())


class BserCodec(Struct, frozen=True):
    version: int = 1
    capabilities: int = 0
    """What the latest request had; of version 2 only."""

    @property
    def has_text_type(self) -> bool:
        return self.version == 2 and not self.capabilities & NO_TEXT_TYPE

    def decode(self, body: bytes) -> object:
        return decode_value(body)

    def encode(self, reply: Reply, parts: Mapping[str, bytes] | None = None) -> bytes:
        several = {key: (part,) for key, part in (parts or {}).items()}
        return b"".join(self.encode_around(reply, several))

    def encode_around(
        self, reply: Reply, parts: Mapping[str, Sequence[bytes]]
    ) -> list[bytes]:
        members = self._members(reply)
        keys = [encode_bytes(key.encode()) for key in parts]
        count = encode_int(len(members) // 2 + len(keys))
        size = 1 + len(count) + sum(map(len, members)) + sum(map(len, keys))
        size += sum(sum(map(len, pieces)) for pieces in parts.values())
        found = [b"".join((self._header(size), b"\x01", count, *members))]
        for key, pieces in zip(keys, parts.values(), strict=True):
            found += key, *pieces
        return found

    def _members(self, reply: Reply) -> list[bytes]:
        """Keys and values alternately."""
        has_text_type = self.has_text_type
        members = []
        for key, value in reply.items():
            is_text = has_text_type and not (
                key == "error" and self.capabilities & NO_TEXT_TYPE_FOR_ERRORS
            )
            members.append(_key(key))
            members.append(encode_value(value, has_text_type=is_text))
        return members

    def _header(self, size: int) -> bytes:
        if self.version == 1:
            return b"\0\1" + encode_int(size)
        return b"\0\2" + _CAPABILITIES.pack(self.capabilities) + encode_int(size)

    def text(self, text: bytes) -> bytes:
        return encode_bytes(text)

    def text_in_pieces(self, texts: Sequence[bytes]) -> Iterator[bytes]:
        yield b"\x02" + encode_int(sum(map(len, texts)))
        yield from texts

    def rows(
        self, rows: Sequence[FileRow], fields: Sequence[str], now: Timeline
    ) -> bytes:
        head = self._rows_head(fields, len(rows))
        return head + _cells([self._column(name) for name in fields], rows, now)

    def rows_in_pieces(
        self, rows: Sequence[FileRow], fields: Sequence[str], now: Timeline
    ) -> Iterator[bytes]:
        yield self._rows_head(fields, len(rows))
        columns = [self._column(name) for name in fields]
        for start in range(0, len(rows), ROWS_PER_PIECE):
            yield _cells(columns, rows[start : start + ROWS_PER_PIECE], now)

    def _rows_head(self, fields: Sequence[str], count: int) -> bytes:
        """What comes before the first of so many rows."""
        if len(fields) < 2:
            return b"\x00" + encode_int(count)
        return template_head(self._keys(fields), count)

    def events(self, rows: Sequence[AnyRow], skip: int) -> bytes:
        return b"".join(self.events_in_pieces(rows, skip))

    def events_in_pieces(self, rows: Sequence[AnyRow], skip: int) -> Iterator[bytes]:
        yield self._rows_head(EVENT_FIELDS, len(rows))
        kinds = {kind: self._text(kind.value) for kind in Kind}
        for start in range(0, len(rows), EVENTS_PER_PIECE):
            yield b"".join(
                [
                    encode_bytes(path[skip:])
                    + kinds[kind]
                    + _FLAGS[is_dir]
                    + (b"\x0a" if source is None else encode_bytes(source[skip:]))
                    for kind, path, is_dir, source, _ in rows[
                        start : start + EVENTS_PER_PIECE
                    ]
                ]
            )

    def brief(
        self,
        name: bytes,
        now: tuple[int, int, int, int],
        complete_until_ns: int | None,
        rows: bytes,
        *,
        recovered: bool,
    ) -> bytes:
        reply: dict[str, object] = {
            "clock": "c:{}:{}:{}:{}".format(*now),
            "complete_until_ns": complete_until_ns,
        }
        if recovered:
            reply["recovered"] = True
        return self.encode(reply, {"subscription": name, "rows": rows})

    def _keys(self, fields: Iterable[str]) -> list[bytes]:
        # Clients of version 2 accept either type; Watchman sends text.
        return [self._text(name) for name in fields]

    def _text(self, text: str) -> bytes:
        return encode_text(text, has_text_type=self.has_text_type)

    def _column(self, field: str) -> Column:
        kind, make = FIELDS[field]
        match kind:
            case FieldType.FLAG:
                return lambda row, now: b"\x08" if make(row, now) else b"\x09"
            case FieldType.NAME if field == "name":
                return lambda row, _: encode_bytes(row.name)
            case FieldType.VALUE:  # not hashable
                has_text_type = self.has_text_type
                return lambda row, now: encode_value(
                    make(row, now), has_text_type=has_text_type
                )
            case _:
                return _repeating(make, self.has_text_type)


def _cells(columns: Sequence[Column], rows: Sequence[FileRow], now: Timeline) -> bytes:
    """The values of these rows, without what comes before the first one."""
    match columns:
        case []:
            cells = [encode_value({}, has_text_type=False)] * len(rows)
        case [column]:
            cells = [column(row, now) for row in rows]
        case [first, second, third, fourth]:  # as nearly every client asks
            cells = [
                first(row, now) + second(row, now) + third(row, now) + fourth(row, now)
                for row in rows
            ]
        case _:
            cells = [make(row, now) for row in rows for make in columns]
    return b"".join(cells)


MAX_KNOWN_VALUES: Final = 1000
"""Different values of one column whose encoding is kept while it is written."""


def _repeating(
    make: Callable[[FileRow, Timeline], object], has_text_type: bool
) -> Column:
    """A column with few different values (a mode, a device, a kind), or most of them
    small: looking one up takes a third of encoding it."""
    known: dict[object, bytes] = {}

    def column(row: FileRow, now: Timeline) -> bytes:
        value = make(row, now)
        encoded = known.get(value)
        if encoded is None:
            encoded = encode_value(value, has_text_type=has_text_type)
            if len(known) < MAX_KNOWN_VALUES:
                known[value] = encoded
        return encoded

    return column

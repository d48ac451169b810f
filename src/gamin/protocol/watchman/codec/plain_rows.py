"""Rows of files that exist, written by the directory, without an object per file.

Most large answers are of this kind: all names, or the names and a few facts of the
status of every file. As `codec.rows` does it, a row takes some 4 to 8 µs; here 0.2, or
1.5 with the status.
"""

import stat
from collections.abc import Sequence
from functools import lru_cache
from json.encoder import encode_basestring_ascii as _quoted
from operator import attrgetter
from typing import Final, NamedTuple, Protocol

from gamin.protocol.watchman.codec.bser import (
    encode_bytes,
    encode_int,
    encode_text,
    encode_value,
    template_head,
)
from gamin.protocol.watchman.codec.bser_codec import BserCodec
from gamin.protocol.watchman.codec.codec import Codec
from gamin.protocol.watchman.codec.json_codec import JSON
from gamin.protocol.watchman.query.fields import LETTERS
from gamin.protocol.watchman.query.file_row import Stat

TYPE = "type"
CONSTANT = ("exists", "new")
"""Fields that are the same for many rows: `Flags`."""

_PLAIN = ("size", "mode", "uid", "gid", "ino", "dev", "nlink")
_UNITS = {"": 10**9, "_ms": 10**6, "_us": 10**3, "_ns": 1}
NUMBERS: Final[dict[str, tuple[str, int]]] = {
    **{field: (f"st_{field}", 1) for field in _PLAIN},
    **{
        f"{letter}time{end}": (f"st_{letter}time_ns", unit)
        for letter in "mca"
        for end, unit in _UNITS.items()
    },
}
"""Fields that are a whole number of the status: its name, and what it is divided by."""

MIN_JOINED_BYTES = 1 << 16
"""Bytes from which on pieces are joined: each directory has one, and to send each takes
as long as to write it."""
MAX_KNOWN = 4096
"""Numbers whose encoding is kept."""


class Flags(NamedTuple):
    """The fields that are the same for many rows."""

    exists: bool
    new: bool


EXISTING: Final = Flags(exists=True, new=True)
"""Those of every file of a whole listing."""


class PlainRows(Protocol):
    """Writes rows with certain fields in one encoding."""

    def names(self, prefix: bytes, names: Sequence[bytes]) -> bytes:
        """For files of a directory, where only the name is asked for."""

    def rows(
        self,
        prefix: bytes,
        names: Sequence[bytes],
        stats: Sequence[Stat] | None,
        flags: Flags = EXISTING,
    ) -> bytes:
        """For files of a directory. `stats` only where a field needs them; `flags` are
        the same for all."""

    @property
    def separator(self) -> bytes:
        """What is between two pieces."""

    def whole(self, pieces: Sequence[bytes], count: int) -> list[bytes]:
        """The pieces for all files, as one array of so many rows."""


class Pieces:
    """All rows of an answer so far: many small pieces are some large ones."""

    def __init__(self, rows: PlainRows) -> None:
        self._rows = rows
        self._joined: list[bytes] = []
        self._small: list[bytes] = []
        self._small_bytes = 0
        self.count: int = 0
        """Rows so far."""

    def add(self, piece: bytes, count: int) -> None:
        """The piece has so many rows."""
        self.count += count
        self._small.append(piece)
        self._small_bytes += len(piece)
        if self._small_bytes > MIN_JOINED_BYTES:
            self._join()

    def _join(self) -> None:
        self._joined.append(self._rows.separator.join(self._small))
        self._small, self._small_bytes = [], 0

    def encoded(self) -> list[bytes]:
        """The array of all rows, in pieces."""
        if self._small:
            self._join()
        return self._rows.whole(self._joined, self.count)


def needs_status(fields: Sequence[str]) -> bool:
    return any(field == TYPE or field in NUMBERS for field in fields)


def is_plain(fields: Sequence[str]) -> bool:
    """Whether rows with these fields can be written here."""
    return "name" in fields and all(
        field in ("name", TYPE) or field in CONSTANT or field in NUMBERS
        for field in fields
    )


def can_write(codec: Codec) -> bool:
    """Whether `plain_rows` has a way for this encoding."""
    return codec is JSON or isinstance(codec, BserCodec)


def plain_rows(codec: Codec, fields: Sequence[str]) -> PlainRows | None:
    """None for an encoding that has no such way."""
    if codec is JSON:
        return _JsonRows(fields)
    if isinstance(codec, BserCodec):
        return _BserRows(fields, has_text_type=codec.has_text_type)
    return None


def _numbers(field: str, stats: Sequence[Stat]) -> list[int]:
    attribute, unit = NUMBERS[field]
    values: list[int] = list(map(attrgetter(attribute), stats))
    return values if unit == 1 else [value // unit for value in values]


def _letters(stats: Sequence[Stat]) -> list[str]:
    letters = LETTERS
    return [letters.get(stat.S_IFMT(one.st_mode), "?") for one in stats]


class _JsonRows:
    separator = b","

    def __init__(self, fields: Sequence[str]) -> None:
        self._fields = fields
        self._forms: dict[Flags, str] = {}

    def _form(self, flags: Flags) -> str:
        """What is filled in for each row."""
        form = self._forms.get(flags)
        if form is None:
            members = []
            for field in self._fields:
                kind = "%d" if field in NUMBERS else "%s"
                if field == TYPE:
                    kind = '"%s"'
                elif field in CONSTANT:
                    kind = "true" if getattr(flags, field) else "false"
                members.append(f'"{field}":{kind}')
            form = self._forms[flags] = "{" + ",".join(members) + "}"
        return form

    def _texts(self, prefix: bytes, names: Sequence[bytes]) -> list[str]:
        start = prefix.decode("utf-8", "surrogateescape")
        return [
            _quoted(start + name.decode("utf-8", "surrogateescape")) for name in names
        ]

    def names(self, prefix: bytes, names: Sequence[bytes]) -> bytes:
        return ",".join(self._texts(prefix, names)).encode("ascii")

    def rows(
        self,
        prefix: bytes,
        names: Sequence[bytes],
        stats: Sequence[Stat] | None,
        flags: Flags = EXISTING,
    ) -> bytes:
        columns: list[Sequence[str | int]] = []
        for field in self._fields:
            if field == "name":
                columns.append(self._texts(prefix, names))
            elif field == TYPE:
                columns.append(_letters(stats or ()))
            elif field not in CONSTANT:
                columns.append(_numbers(field, stats or ()))
        form = self._form(flags)
        rows = [form % values for values in zip(*columns, strict=True)]
        return ",".join(rows).encode("ascii")

    def whole(self, pieces: Sequence[bytes], count: int) -> list[bytes]:
        parts = [b"["]
        for piece in pieces:
            parts += (piece, b",")
        if len(parts) > 1:
            parts.pop()
        return [*parts, b"]"]


@lru_cache(maxsize=64)
def _texts_of(
    fields: tuple[str, ...], has_text_type: bool
) -> tuple[list[bytes], dict[str, bytes]]:
    """The fields, and the letters of file types, as BSER."""
    keys = [encode_text(each, has_text_type=has_text_type) for each in fields]
    letters = (*LETTERS.values(), "?")
    types = {each: encode_text(each, has_text_type=has_text_type) for each in letters}
    return keys, types


class _BserRows:
    separator = b""

    def __init__(self, fields: Sequence[str], *, has_text_type: bool) -> None:
        self._fields = fields
        self._keys, self._types = _texts_of(tuple(fields), has_text_type)
        self._known: dict[int, bytes] = {}
        self._heads: dict[int, bytes] = {}
        """What comes before a string of so many bytes."""
        self._forms: dict[Flags, bytes] = {}

    def _form(self, flags: Flags) -> bytes:
        """What is filled in for each row."""
        form = self._forms.get(flags)
        if form is None:
            form = self._forms[flags] = b"".join(
                encode_value(getattr(flags, field), has_text_type=False)
                if field in CONSTANT
                else b"%b"
                for field in self._fields
            )
        return form

    def _texts(self, prefix: bytes, names: Sequence[bytes]) -> list[bytes]:
        heads, skip = self._heads, len(prefix)
        sizes = set(map(len, names))
        for size in sizes:
            size += skip
            if size not in heads:
                heads[size] = encode_bytes(b"x" * size)[: -size or None]
        if not prefix:
            return [heads[len(name)] + name for name in names]
        starts = {size: heads[skip + size] + prefix for size in sizes}
        return [starts[len(name)] + name for name in names]

    def names(self, prefix: bytes, names: Sequence[bytes]) -> bytes:
        return b"".join(self._texts(prefix, names))

    def rows(
        self,
        prefix: bytes,
        names: Sequence[bytes],
        stats: Sequence[Stat] | None,
        flags: Flags = EXISTING,
    ) -> bytes:
        columns: list[list[bytes]] = []
        for field in self._fields:
            if field == "name":
                columns.append(self._texts(prefix, names))
            elif field == TYPE:
                columns.append([self._types[each] for each in _letters(stats or ())])
            elif field not in CONSTANT:
                columns.append(self._encoded(_numbers(field, stats or ())))
        form = self._form(flags)
        return b"".join([form % values for values in zip(*columns, strict=True)])

    def _encoded(self, numbers: Sequence[int]) -> list[bytes]:
        """Most numbers come again, and looking one up takes a quarter of encoding
        it."""
        known = self._known
        if len(known) > MAX_KNOWN:
            known.clear()
        for number in set(numbers):
            if number not in known:
                known[number] = encode_int(number)
        return [known[number] for number in numbers]

    def whole(self, pieces: Sequence[bytes], count: int) -> list[bytes]:
        if len(self._fields) == 1:
            return [b"\x00" + encode_int(count), *pieces]
        return [template_head(self._keys, count), *pieces]

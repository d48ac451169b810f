"""JSON lines: cuts bytes into lines, and converts between a line and its value."""

import json
import json.scanner
from collections.abc import Mapping
from typing import Any, NoReturn

from gamin.errors import RemoteProtocolError
from gamin.protocol.watchman.errors import BadRequest
from gamin.protocol.watchman.names import to_text

# A request may carry a long list of names; upstream's own tests send more than 2 MB.
# An answer to "list everything" has no natural bound, and its reader trusts its sender.
REQUEST_LIMIT = 16 * 1024 * 1024
REPLY_LIMIT = 1024 * 1024 * 1024
MAX_BYTES_AT_ONCE = 1 << 18
"""Bytes of JSON that are read in one go, which takes up to 3 ms."""


class LineReader:
    """Cuts a stream of bytes into lines, however the bytes arrive."""

    def __init__(self, limit: int = REQUEST_LIMIT) -> None:
        self._limit = limit
        # Pieces and not one buffer: searching a growing buffer again for each piece
        # would cost the square of the line's length.
        self._pieces: list[bytes] = []
        self.size: int = 0
        """Bytes of the line that is not complete yet."""

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes; return the lines they complete, without blank ones.

        Raises RemoteProtocolError for a line over the limit and for BSER.
        """
        *complete, rest = data.split(b"\n")
        lines = []
        for piece in complete:
            self._add(piece)
            line = b"".join(self._pieces)
            self._pieces.clear()
            self.size = 0
            if line.strip():
                lines.append(line)
        self._add(rest)
        return lines

    def _add(self, piece: bytes) -> None:
        if not self._pieces and piece.startswith(b"\0"):
            # No JSON begins so, and its sender would wait for ever for an answer.
            raise RemoteProtocolError("binary (BSER) requests are not supported")
        self.size += len(piece)
        if self.size > self._limit:
            raise RemoteProtocolError(f"a line of more than {self._limit} bytes")
        if piece:
            self._pieces.append(piece)


def decode(line: bytes) -> Any:
    """Return the value of one line. Raises BadRequest if it is not JSON."""
    decoder = _DECODER if len(line) <= MAX_BYTES_AT_ONCE else _LARGE_DECODER
    try:
        return decoder.decode(line.decode("utf-8", "surrogateescape"))
    except ValueError as error:  # includes integers with too many digits
        raise BadRequest(f"failed to parse JSON: {error}") from None
    except RecursionError:
        raise BadRequest("failed to parse JSON: nested too deeply") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse)
"""Kept, because `json.loads` makes a new decoder for each call with options."""


class _LargeDecoder(json.JSONDecoder):
    """Reads arrays and objects in Python. That takes five times as long, but other
    threads get their turn meanwhile, which they do not within a call of C."""

    def __init__(self) -> None:
        super().__init__(parse_constant=_refuse)
        # Not in the type stubs, but documented by its use in the module.
        self.scan_once = json.scanner.py_make_scanner(self)  # type: ignore[attr-defined]  # see above


_LARGE_DECODER = _LargeDecoder()


def _as_text(value: object) -> str:
    if not isinstance(value, bytes):
        raise TypeError(f"no JSON value: {value!r}")
    return to_text(value)


_ENCODER = json.JSONEncoder(separators=(",", ":"), default=_as_text)


def encode(value: object, **parts: bytes) -> bytes:
    """Write a value as one line of ASCII.

    `parts` become members so named: JSON text made once and put into the messages of
    everybody who asked the same; `value` is then an object. Names of files are `bytes`.
    """
    text = _ENCODER.encode(value).encode("ascii")
    if not parts:
        return text + b"\n"
    assert isinstance(value, Mapping), "only an object has members"
    members = b",".join(
        b'"%s":%s' % (name.encode(), part) for name, part in parts.items()
    )
    return text[:-1] + (b"," if value else b"") + members + b"}\n"

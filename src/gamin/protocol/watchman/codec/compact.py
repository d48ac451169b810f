"""Messages to our own clients: rows as one text, in messages with nothing to spare.

A row is a letter and the path relative to the root. The letter is the kind; an upper
case letter is a directory. Rows are separated by "//", which no relative path contains.
A rename is two rows: the old path and the new one. An object with four members per row
takes 0.4 µs to write and 1.7 to read, this takes 0.25 and 0.5 (measured on 3.11), and
there may be 100,000s of rows.

A message is written and read by one pattern. Where little happens, every change is a
message between processes that just woke up, and the amount of code that runs counts:
the way through `replies` and `json` took 110 µs more (measured). A message is JSON
nevertheless, and a reader that does not find the pattern reads it as JSON.
"""

import re
from collections.abc import Callable, Iterable
from functools import partial
from json.encoder import encode_basestring_ascii
from typing import Final, NamedTuple, cast

from gamin.errors import RemoteProtocolError
from gamin.events import AnyRow, Kind

EVENT_FIELDS = ("name", "kind", "is_dir", "moved_from")
"""The fields that our own clients ask for: all that an event contains."""

WireRow = tuple[Kind, str, bool, str | None]
"""Kind, name, whether it is a directory, and for a rename the name it had."""

SEPARATOR = "//"
_LETTERS = {
    Kind.EXISTS: "e",
    Kind.CREATED: "c",
    Kind.CHANGED: "w",
    Kind.DELETED: "d",
    Kind.MOVED: "t",
}
FILE_CREATED: Final = _LETTERS[Kind.CREATED]
FILE_CHANGED: Final = _LETTERS[Kind.CHANGED]
FILE_DELETED: Final = _LETTERS[Kind.DELETED]
FILE_MOVED: Final = _LETTERS[Kind.MOVED]
"""With the new name."""
_FROM = "f"
# For a file, for a directory.
_MARKS: Final = {kind: (x.encode(), x.upper().encode()) for kind, x in _LETTERS.items()}
_FROM_MARK: Final = (_FROM.encode(), _FROM.upper().encode())
_MEANINGS = {x: (kind, False) for kind, x in _LETTERS.items()} | {
    x.upper(): (kind, True) for kind, x in _LETTERS.items()
}

_MOVED = Kind.MOVED
_DIGITS = {"-": -1} | {f"{bits:x}": bits for bits in range(16)}
"""The details of a row by the character that stands for them."""

# ASCII that needs no escape, as nearly all names are; others are left to JSON.
_PLAIN = rb"[ !#-\[\]-\x7f]*"
_MESSAGE = re.compile(
    rb'\{"subscription":"(%b)","clock":"(c:[0-9:]+)",'
    rb'"complete_until_ns":(?:null|([0-9]{1,19})),"rows":"(%b)"(,"recovered":true)?\}\n?'
    % (_PLAIN, _PLAIN)
)


class CompactMessage(NamedTuple):
    """A message to one subscription of our own client."""

    subscription: str
    clock: str
    complete_until_ns: int | None
    rows: str
    """The text of the rows; `decode_compact` reads it."""
    recovered: bool


new_compact_message: Final = cast(
    Callable[[tuple[str, str, int | None, str, bool]], CompactMessage],
    partial(tuple.__new__, CompactMessage),
)
"""`CompactMessage` from a tuple of all its fields, in half of the class's time."""


def compact_text(rows: Iterable[AnyRow], skip: int) -> bytes:
    """The text for the member `rows` of a message, before a codec writes it.

    `skip` is the length of the root's path with its slash.
    """
    return b"//".join(
        [
            _MARKS[kind][is_dir] + path[skip:]
            if source is None
            else _FROM_MARK[is_dir]
            + source[skip:]
            + b"//"
            + _MARKS[kind][is_dir]
            + path[skip:]
            for kind, path, is_dir, source, _ in rows
        ]
    )


def detailed_text(rows: Iterable[AnyRow], skip: int, details: Iterable[int]) -> bytes:
    """As `compact_text`; after each letter comes a hexadecimal digit, the `Detail` of
    the row in `details`; a minus for a negative one, which is not known."""
    found: list[bytes] = []
    for (kind, path, is_dir, source, _), bits in zip(rows, details, strict=True):
        digit = b"%x" % bits if bits >= 0 else b"-"
        if source is not None:
            found.append(_FROM_MARK[is_dir] + digit + source[skip:])
        found.append(_MARKS[kind][is_dir] + digit + path[skip:])
    return b"//".join(found)


def split_details(text: str) -> tuple[str, list[int]]:
    """Split what `detailed_text` wrote: the text without digits, and the details of
    each row, halves of renames together. Raises RemoteProtocolError."""
    rows = text.split(SEPARATOR) if text else []
    try:
        details = [_DIGITS[row[1:2]] for row in rows if not is_half(row[:1])]
    except KeyError:
        raise RemoteProtocolError("a row without details") from None
    return SEPARATOR.join([row[:1] + row[2:] for row in rows]), details


def quoted_text(text: bytes) -> bytes:
    """A string of JSON, in ASCII."""
    return encode_basestring_ascii(text.decode("utf-8", "surrogateescape")).encode()


def encode_message(
    name: bytes,
    now: tuple[int, int, int, int],
    complete_until_ns: int | None,
    rows: bytes,
    *,
    recovered: bool,
) -> bytes:
    """Write one message of the subscription `name` as a line; `name` and `rows` are
    JSON already, `now` has the parts of a clock.

    Its members are those of `replies.message`, without what our clients know anyway.
    """
    return (
        b'{"subscription":%b,"clock":"c:%d:%d:%d:%d","complete_until_ns":%b,"rows":%b%b}\n'
    ) % (
        name,
        *now,
        b"null" if complete_until_ns is None else b"%d" % complete_until_ns,
        rows,
        b',"recovered":true' if recovered else b"",
    )


def decode_message(line: bytes) -> CompactMessage | None:
    """Read what `encode_message` wrote; None if it must be read as JSON.

    The rows are not checked.
    """
    found = _MESSAGE.fullmatch(line)
    if found is None:
        return None
    name, clock, complete_until_ns, rows, recovered = found.groups()
    return new_compact_message(
        (
            name.decode(),
            clock.decode(),
            None if complete_until_ns is None else int(complete_until_ns),
            rows.decode(),
            recovered is not None,
        )
    )


def is_half(mark: str) -> bool:
    """Whether a row with this letter is the first of the two of a rename."""
    return mark.lower() == _FROM


def check_names(text: str) -> None:
    """Raises RemoteProtocolError if a name in the rows ends with a slash: its last part
    would be empty, and a folder with that name would be in itself."""
    if "///" in text or text.endswith("/"):
        raise RemoteProtocolError("a name that ends with a slash")


def decode_compact(text: str) -> list[WireRow]:
    """Return the rows of a text. Raises RemoteProtocolError."""
    check_names(text)
    meanings = _MEANINGS
    found: list[WireRow] = []
    source: str | None = None
    for row in text.split(SEPARATOR) if text else ():
        meaning = meanings.get(row[:1])
        if meaning is None:
            if row[:1].lower() != _FROM or source is not None:
                raise RemoteProtocolError("a row that says nothing known")
            source = row[1:]
            continue
        kind, is_dir = meaning
        if (kind is _MOVED) is (source is None):
            raise RemoteProtocolError("half a rename")
        found.append((kind, row[1:], is_dir, source))
        source = None
    if source is not None:
        raise RemoteProtocolError("half a rename")
    return found

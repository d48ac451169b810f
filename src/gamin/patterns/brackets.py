"""The `[...]` of globs, as sets of byte values.

The globs of Watchman and of git differ in one named class only. Everything else in a
pattern is left to `wildmatch` and `gitignore`.
"""

import string
from collections.abc import Mapping
from typing import NamedTuple

ByteSet = frozenset[int]

EVERY_BYTE = frozenset(range(256))
POSIX: Mapping[bytes, ByteSet] = {
    b"alnum": frozenset((string.ascii_letters + string.digits).encode()),
    b"alpha": frozenset(string.ascii_letters.encode()),
    b"blank": frozenset(b" \t"),
    b"cntrl": frozenset((*range(32), 127)),
    b"digit": frozenset(string.digits.encode()),
    b"graph": frozenset(range(33, 127)),
    b"lower": frozenset(string.ascii_lowercase.encode()),
    b"print": frozenset(range(32, 127)),
    b"punct": frozenset(string.punctuation.encode()),
    b"space": frozenset(b" \t\n\v\f\r"),
    b"upper": frozenset(string.ascii_uppercase.encode()),
    b"xdigit": frozenset(string.hexdigits.encode()),
}
"""The named classes of <ctype.h> in the C locale."""


class ByteClass(NamedTuple):
    members: ByteSet
    end: int
    """Where the pattern goes on."""


def read_class(
    pattern: bytes,
    start: int,
    *,
    fold: bool = False,
    named: Mapping[bytes, ByteSet] = POSIX,
) -> ByteClass | None:
    """The class whose "[" is at `start`; None if it has no end or no such name.

    With `fold` it is for names in lower case. Backslashes escape in it always.
    """
    at = start + 1
    negated = pattern[at : at + 1] in (b"!", b"^")
    at += negated
    members: ByteSet = frozenset()
    low: int | None = None  # where a range may begin
    first = True  # a "]" is a member there
    while first or pattern[at : at + 1] != b"]":
        first = False
        item = _item(pattern, at, low, named)
        if item is None:
            return None
        members |= item.members
        at, low = item.end, item.low
    if fold:
        members |= frozenset(bytes(members).lower())
    return ByteClass(EVERY_BYTE - members if negated else members, at + 1)


def expression_of(members: ByteSet) -> str:
    """A regular expression for one byte of the set."""
    if not members:
        return r"[^\x00-\xff]"
    ranges: list[list[int]] = []
    for byte in sorted(members):
        if ranges and ranges[-1][1] == byte - 1:
            ranges[-1][1] = byte
        else:
            ranges.append([byte, byte])
    return "[" + "".join(rf"\x{low:02x}-\x{high:02x}" for low, high in ranges) + "]"


class _Item(NamedTuple):
    members: ByteSet
    end: int
    low: int | None = None


def _item(
    pattern: bytes, at: int, low: int | None, named: Mapping[bytes, ByteSet]
) -> _Item | None:
    """A name, the rest of a range that began with `low`, or one byte."""
    if pattern[at : at + 2] == b"[:":
        return _named(pattern, at, named)
    is_range = pattern[at : at + 1] == b"-" and pattern[at + 1 : at + 2] != b"]"
    if is_range and low is not None:
        high = _byte(pattern, at + 1)
        if high is None or high.low is None:
            return None
        return _Item(frozenset(range(low, high.low + 1)), high.end)
    return _byte(pattern, at)


def _named(pattern: bytes, at: int, named: Mapping[bytes, ByteSet]) -> _Item | None:
    end = pattern.find(b"]", at + 2)
    if end < 0:
        return None
    name = pattern[at + 2 : end]
    if not name.endswith(b":"):  # no name after all, but a bracket and a colon
        return _Item(frozenset(b"["), at + 1, ord("["))
    members = named.get(name[:-1])
    return None if members is None else _Item(members, end + 1)


def _byte(pattern: bytes, at: int) -> _Item | None:
    at += pattern[at : at + 1] == b"\\"
    if at >= len(pattern):
        return None
    return _Item(frozenset(pattern[at : at + 1]), at + 1, pattern[at])

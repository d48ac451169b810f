"""The `[...]` of wildmatch patterns, as sets of byte values.

Everything else in a pattern is left to `wildmatch`.
"""

import string
from typing import NamedTuple

ByteSet = frozenset[int]

EVERY_BYTE = frozenset(range(256))
# <ctype.h> in the C locale.
POSIX: dict[bytes, ByteSet] = {
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


class ByteClass(NamedTuple):
    members: ByteSet
    end: int
    """Where the pattern goes on."""


def read_class(pattern: bytes, start: int, *, fold: bool) -> ByteClass | None:
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
        item = _item(pattern, at, low)
        if item is None:
            return None
        members |= item.members
        at, low = item.end, item.low
    if fold:
        members |= frozenset(bytes(members).lower())
    return ByteClass(EVERY_BYTE - members if negated else members, at + 1)


class _Item(NamedTuple):
    members: ByteSet
    end: int
    low: int | None = None


def _item(pattern: bytes, at: int, low: int | None) -> _Item | None:
    """A name, the rest of a range that began with `low`, or one byte."""
    if pattern[at : at + 2] == b"[:":
        return _named(pattern, at)
    is_range = pattern[at : at + 1] == b"-" and pattern[at + 1 : at + 2] != b"]"
    if is_range and low is not None:
        high = _byte(pattern, at + 1)
        if high is None or high.low is None:
            return None
        return _Item(frozenset(range(low, high.low + 1)), high.end)
    return _byte(pattern, at)


def _named(pattern: bytes, at: int) -> _Item | None:
    end = pattern.find(b"]", at + 2)
    if end < 0:
        return None
    name = pattern[at + 2 : end]
    if not name.endswith(b":"):  # no name after all, but a bracket and a colon
        return _Item(frozenset(b"["), at + 1, ord("["))
    members = POSIX.get(name[:-1])
    return None if members is None else _Item(members, end + 1)


def _byte(pattern: bytes, at: int) -> _Item | None:
    at += pattern[at : at + 1] == b"\\"
    if at >= len(pattern):
        return None
    return _Item(frozenset(pattern[at : at + 1]), at + 1, pattern[at])

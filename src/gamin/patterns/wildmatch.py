"""Wildmatch patterns: the globs of rsync, git and Watchman, in linear time.

Byte-wise, as there. What is matched, a base name or a whole one, is left to the caller.
"""

import re
from collections.abc import Iterator
from enum import Enum
from functools import lru_cache

from gamin.patterns.brackets import EVERY_BYTE, ByteSet, expression_of, read_class
from gamin.patterns.re2 import Matcher, matches_whole


class _Wild(Enum):
    """What stands for any number of bytes; anything else is a set, for one byte."""

    STAR = "within a component"
    TREE = "`**/`: any number of components"
    REST = "`**` at the end: whatever follows"


_Token = ByteSet | _Wild

_SLASH = frozenset(b"/")
_DOT = frozenset(b".")
_NOT_SLASH = EVERY_BYTE - _SLASH
_STARS = re.compile(rb"\*+")
_SLASHES = re.compile(rb"/+")
_SHOWN = "[^./][^/]*"  # one component that is not hidden


class _NeverMatches(Exception):
    """The pattern is broken; no error in any wildmatch, it just matches nothing."""


@lru_cache(maxsize=256)
def wildmatch(
    pattern: bytes,
    *,
    pathname: bool,
    fold: bool = False,
    dotfiles: bool = False,
    escapes: bool = True,
) -> Matcher:
    """A question to ask of names.

    With `pathname`, `**` as a whole component crosses slashes; else the names must have
    none. Without `dotfiles`, a dot that begins a component is matched by a dot in the
    pattern only. `fold` ignores the case of ASCII letters.
    """
    reader = _Reader(
        pattern, pathname=pathname, fold=fold, dotfiles=dotfiles, escapes=escapes
    )
    try:
        tokens = list(reader.tokens())
    except _NeverMatches:
        return lambda _: False
    matches = matches_whole("".join(_translated(tokens, dotfiles)).encode("ascii"))
    return (lambda name: matches(name.lower())) if fold else matches


class _Reader:
    """Cuts one pattern into tokens."""

    def __init__(
        self,
        pattern: bytes,
        *,
        pathname: bool,
        fold: bool,
        dotfiles: bool,
        escapes: bool,
    ) -> None:
        self._pattern = pattern
        self._pathname = pathname
        self._fold = fold
        self._dotfiles = dotfiles
        self._escape = b"\\" if escapes else None
        self._at = 0
        self._begins = True  # a component

    def tokens(self) -> Iterator[_Token]:
        while self._at < len(self._pattern):
            token = self._next()
            yield token
            self._begins = token in (_SLASH, _Wild.TREE)

    def _next(self) -> _Token:
        match self._pattern[self._at : self._at + 1]:
            case b"*":
                return self._stars()
            case b"/":
                self._at = _end_of(_SLASHES, self._pattern, self._at)
                return _SLASH
            case b"?":
                self._at += 1
                return self._any_of(_NOT_SLASH)
            case b"[":
                found = read_class(self._pattern, self._at, fold=self._fold)
                if found is None:
                    raise _NeverMatches
                self._at = found.end
                return self._any_of(found.members - _SLASH)
            case byte:
                self._at += byte == self._escape
                return self._literal()

    def _any_of(self, members: ByteSet) -> ByteSet:
        return members - _DOT if self._begins and not self._dotfiles else members

    def _literal(self) -> ByteSet:
        byte = self._pattern[self._at : self._at + 1]
        if not byte:
            raise _NeverMatches
        self._at += 1
        return frozenset(byte.lower() if self._fold else byte)

    def _stars(self) -> _Wild:
        start, self._at = self._at, _end_of(_STARS, self._pattern, self._at)
        if self._at - start == 1 or not self._pathname:
            return _Wild.STAR
        rest = self._pattern[self._at :]
        if self._begins and not rest:
            return _Wild.REST
        if self._begins and rest.startswith((b"/", (self._escape or b"") + b"/")):
            self._at = _end_of(
                _SLASHES, self._pattern, self._pattern.index(b"/", self._at)
            )
            return _Wild.TREE
        raise _NeverMatches  # "**" must be a whole component


def _end_of(run: re.Pattern[bytes], pattern: bytes, at: int) -> int:
    found = run.match(pattern, at)
    assert found is not None
    return found.end()


def _translated(tokens: list[_Token], dotfiles: bool) -> Iterator[str]:
    """The regular expression, piece by piece.

    A star that begins a component waits for its successor: it may be empty, and then
    it is the successor that must not be the dot. (RE2 has no look-ahead.)
    """
    component = "[^/]+" if dotfiles else _SHOWN
    begins = True
    waiting = False
    for token in tokens:
        if token is _Wild.TREE:
            yield f"(?:{component}/)*"
        elif token is _Wild.REST:
            yield f"(?:{component}(?:/{component})*)?"
        elif token is _Wild.STAR:
            waiting = begins and not dotfiles
            if not waiting:
                yield "[^/]*"
        elif waiting:
            yield f"(?:{_SHOWN}{expression_of(token)}|{expression_of(token - _DOT)})"
            waiting = False
        else:
            yield expression_of(token)
        begins = token in (_SLASH, _Wild.TREE)
    if waiting:
        yield f"(?:{_SHOWN})?"

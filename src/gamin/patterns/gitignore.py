"""One gitignore pattern as a regular expression for RE2, read byte by byte as git does.

Which files hold patterns, and which pattern wins, is left to `ignore`.

What is matched is a name, or a path relative to the pattern's own directory. That of a
directory ends with `DIRECTORY_MARK`, a byte that no name can hold, so that a pattern
for directories only needs no second question.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from gamin.patterns.brackets import POSIX, expression_of, read_class

DIRECTORY_MARK = b"\0"
MAX_WILDCARD = 1024  # bytes of a pattern with wildcards; a longer one matches nothing

_BOM = b"\xef\xbb\xbf"
_SPECIAL = re.compile(rb"[*?\[\\]")
_ONE = rb"[^/\x00]"  # a byte within a name
_NAME = _ONE + b"*"
_DEEP = rb"[^\x00]*"  # any number of levels

NAMED_CLASSES = {**POSIX, b"space": frozenset(b" \t\n\r")}
"""The classes as git's own table has them (its C library is never asked): `space` lacks
the vertical tab and the form feed."""
_SLASH = ord("/")
_NOT_IN_NAMES = frozenset(b"/\0")


class Pattern(NamedTuple):
    """One line of a rule file that can match something."""

    ignores: bool
    """False for a line that starts with an exclamation mark: it re-includes."""
    anywhere: bool
    """It holds no slash, and so is about a name on any level below its directory."""
    texts: tuple[bytes, ...]
    """All that it matches, if it is without wildcards."""
    expression: bytes
    """Otherwise: for RE2 in Latin-1, to be matched in full."""


class _NeverMatches(Exception):
    """The pattern is malformed; git keeps such a line and it matches nothing."""


def read_lines(text: bytes) -> Iterator[bytes]:
    """The patterns in the text of a rule file, without comments and line ends."""
    for line in text.removeprefix(_BOM).split(b"\n"):
        if line and not line.startswith(b"#"):
            # git reads C strings: a line ends at a NUL
            yield _without_trailing_spaces(line.removesuffix(b"\r").split(b"\0")[0])


def has_wildcards(line: bytes) -> bool:
    return _SPECIAL.search(line) is not None


def parse(line: bytes) -> Pattern | None:
    """What one line means; None when it cannot match any path."""
    ignores = not line.startswith(b"!")
    glob = line.removeprefix(b"!")
    directories_only = glob.endswith(b"/")
    glob = glob.removesuffix(b"/")
    anywhere = b"/" not in glob
    glob = glob.removeprefix(b"/")
    if not glob:
        return None
    if not has_wildcards(glob):
        directory = glob + DIRECTORY_MARK
        texts = (directory,) if directories_only else (glob, directory)
        return Pattern(ignores, anywhere, texts, b"")
    if len(glob) > MAX_WILDCARD:
        return None
    try:
        expression = _translate(glob)
    except _NeverMatches:
        return None
    mark = rb"\x00" if directories_only else rb"\x00?"
    return Pattern(ignores, anywhere, (), expression + mark)


def _without_trailing_spaces(line: bytes) -> bytes:
    """Spaces only, not tabs; one that an odd number of backslashes escapes stays."""
    kept = line.rstrip(b" ")
    backslashes = len(kept) - len(kept.rstrip(b"\\"))
    return kept + b" " if backslashes % 2 and kept != line else kept


def _translate(glob: bytes) -> bytes:
    parts = []
    at = 0
    while special := _SPECIAL.search(glob, at):
        parts.append(re.escape(glob[at : special.start()]))
        at = special.start()
        match special[0]:
            case b"*":
                part, at = _stars(glob, at)
            case b"?":
                part, at = _ONE, at + 1
            case b"[":
                part, at = _set(glob, at)
            case _:
                byte, at = _character(glob, at)
                part = _escaped(byte)
        parts.append(part)
    parts.append(re.escape(glob[at:]))
    return b"".join(parts)


def _stars(glob: bytes, at: int) -> tuple[bytes, int]:
    """The run of asterisks at `at`; two or more that fill a segment cross slashes.

    git before 2.52 also let them do so right behind a literal start (`foo**/bar`
    matched foobar), against its documentation; we follow the documentation.
    """
    end = at
    while glob.startswith(b"*", end):
        end += 1
    opens_segment = at == 0 or glob[at - 1] == _SLASH
    if end - at == 1 or not opens_segment:
        return _NAME, end
    if glob.startswith(b"/", end):
        return b"(?:" + _DEEP + b"/)?", end + 1
    if end == len(glob) or glob.startswith(rb"\/", end):
        return _DEEP, end
    return _NAME, end


def _set(glob: bytes, at: int) -> tuple[bytes, int]:
    """The bracket expression that opens at `at`, and where it ends."""
    found = read_class(glob, at, named=NAMED_CLASSES)
    members = found.members - _NOT_IN_NAMES if found is not None else None
    if found is None or not members:
        raise _NeverMatches
    return expression_of(members).encode("ascii"), found.end


def _character(glob: bytes, at: int) -> tuple[int, int]:
    """The byte at `at`, or the one that a backslash there escapes, and what follows."""
    at += glob.startswith(b"\\", at)
    if at >= len(glob):
        raise _NeverMatches
    return glob[at], at + 1


def _escaped(byte: int) -> bytes:
    return b"\\x%02x" % byte

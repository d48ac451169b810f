"""One gitignore pattern as a regular expression for RE2, read byte by byte as git does.

Which files hold patterns, and which pattern wins, is left to `ignore`.

What is matched is a name, or a path relative to the pattern's own directory. That of a
directory ends with `DIRECTORY_MARK`, a byte that no name can hold, so that a pattern
for directories only needs no second question.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

DIRECTORY_MARK = b"\0"
MAX_WILDCARD = 1024  # bytes of a pattern with wildcards; a longer one matches nothing

_BOM = b"\xef\xbb\xbf"
_SPECIAL = re.compile(rb"[*?\[\\]")
_ONE = rb"[^/\x00]"  # a byte within a name
_NAME = _ONE + b"*"
_DEEP = rb"[^\x00]*"  # any number of levels

# The classes as git's own table has them (its C library is never asked): all ASCII,
# and `space` lacks the vertical tab and the form feed. A slash is in no set.
CLASSES = {
    b"alnum": rb"0-9A-Za-z",
    b"alpha": rb"A-Za-z",
    b"blank": rb"\x09\x20",
    b"cntrl": rb"\x01-\x1f\x7f",
    b"digit": rb"0-9",
    b"graph": rb"\x21-\x2e0-\x7e",
    b"lower": rb"a-z",
    b"print": rb"\x20-\x2e0-\x7e",
    b"punct": rb"\x21-\x2e\x3a-\x40\x5b-\x60\x7b-\x7e",
    b"space": rb"\x09\x0a\x0d\x20",
    b"upper": rb"A-Z",
    b"xdigit": rb"0-9A-Fa-f",
}
_SLASH = ord("/")


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
    at += 1
    negated = glob.startswith((b"!", b"^"), at)
    first = at = at + negated
    members = []
    low: int | None = None  # what a dash would make the start of a range
    while at == first or not glob.startswith(b"]", at):
        if (end := _class_end(glob, at)) is not None:
            members.append(_class(glob[at + 2 : end - 2]))
            low, at = None, end
            continue
        dash = glob.startswith(b"-", at) and at + 1 < len(glob)
        is_range = dash and low is not None and glob[at + 1 : at + 2] != b"]"
        byte, at = _character(glob, at + is_range)
        if is_range and low is not None:
            members.append(_range(low, byte))
            low = None
        else:
            members.append(_range(byte, byte))
            low = byte
    inside = b"".join(members)
    if negated:
        return rb"[^/\x00" + inside + b"]", at + 1
    if not inside:
        raise _NeverMatches
    return b"[" + inside + b"]", at + 1


def _class_end(glob: bytes, at: int) -> int | None:
    """Where `[:name:]` ends if one starts at `at`, inside a bracket expression."""
    if not glob.startswith(b"[:", at):
        return None
    end = glob.find(b"]", at + 2)
    closes = end > at + 2 and glob.startswith(b":", end - 1)
    return end + 1 if closes else None


def _class(name: bytes) -> bytes:
    if name not in CLASSES:
        raise _NeverMatches
    return CLASSES[name]


def _character(glob: bytes, at: int) -> tuple[int, int]:
    """The byte at `at`, or the one that a backslash there escapes, and what follows."""
    at += glob.startswith(b"\\", at)
    if at >= len(glob):
        raise _NeverMatches
    return glob[at], at + 1


def _range(low: int, high: int) -> bytes:
    """For use in brackets; a slash inside it is left out, as it never matches."""
    if low <= _SLASH <= high:
        return _range(low, _SLASH - 1) + _range(_SLASH + 1, high)
    if low > high:
        return b""
    return _escaped(low) + b"-" + _escaped(high)


def _escaped(byte: int) -> bytes:
    return b"\\x%02x" % byte

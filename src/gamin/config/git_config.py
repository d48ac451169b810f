"""git's configuration syntax: the text of one file goes in, its settings come out.

`daemon.sessions.watchman.git_repository` says which files there are, reads them and
follows their includes. Nothing in a configuration is ever executed.

Source: git-config(1), "Syntax" and "Includes"; checked against `git config --list`.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from gamin.errors import GaminError
from gamin.patterns.wildmatch import wildmatch

_SECTION = re.compile(
    rb"\[([A-Za-z0-9.-]+)(?:[ \t]+\"((?:[^\"\\\n\0]|\\[^\n\0])*)\")?\]"
)
_NAME = re.compile(rb"[A-Za-z][A-Za-z0-9-]*")
_BLANK = re.compile(rb"[ \t\r]*")
_ESCAPES = {ord("n"): b"\n", ord("t"): b"\t", ord("b"): b"\b"}
_VERBATIM = frozenset(b'"\\')
_BOM = b"\xef\xbb\xbf"


class InvalidGitConfig(GaminError):
    """A line that git refuses; git then refuses the whole file, and so do we."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line

    def __str__(self) -> str:
        return f"bad config line {self.line}"


class GitSetting(NamedTuple):
    """One setting, as `git config --list` shows it."""

    section: bytes
    """In lower case."""
    subsection: bytes | None
    """As written."""
    name: bytes
    """In lower case."""
    value: bytes | None
    """The text after "="; None for a name without "=", which means true."""


def parse(text: bytes) -> Iterator[GitSetting]:
    """The settings in the text of one file, in their order.

    Raises InvalidGitConfig at the first line that git would refuse.

    >>> [setting.value for setting in parse(b'[core] excludesFile = "~/my ignore"')]
    [b'~/my ignore']
    """
    reader = _Reader(text.removeprefix(_BOM).replace(b"\r\n", b"\n"))
    section, subsection = b"", None
    while reader.skip_to_word():
        if reader.peek() == b"[":
            section, subsection = reader.section()
        else:
            name = reader.name()
            yield GitSetting(section, subsection, name, reader.value())


class _Reader:
    """A position in the text, and the few things that can stand there."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._at = 0

    def error(self) -> InvalidGitConfig:
        return InvalidGitConfig(self._text.count(b"\n", 0, self._at) + 1)

    def peek(self) -> bytes:
        return self._text[self._at : self._at + 1]

    def skip_to_word(self) -> bool:
        """Skip blanks, empty lines and comments. False at the end of the text."""
        while True:
            self._skip_blanks()
            here = self.peek()
            if here in (b"#", b";"):
                end = self._text.find(b"\n", self._at)
                self._at = len(self._text) if end < 0 else end
            elif here == b"\n":
                self._at += 1
            else:
                return bool(here)

    def section(self) -> tuple[bytes, bytes | None]:
        found = _SECTION.match(self._text, self._at)
        if found is None:
            raise self.error()
        self._at = found.end()
        name, quoted = found.groups()
        if quoted is not None:
            return name.lower(), re.sub(rb"\\(.)", rb"\1", quoted)
        # The old form: [section.subsection], folded to lower case.
        name, dot, rest = name.lower().partition(b".")
        return name, rest if dot else None

    def name(self) -> bytes:
        found = _NAME.match(self._text, self._at)
        if found is None:
            raise self.error()
        self._at = found.end()
        return found.group().lower()

    def value(self) -> bytes | None:
        """What follows a name, up to the end of the line."""
        self._skip_blanks()
        here = self.peek()
        if here in (b"", b"\n"):
            return None
        if here != b"=":
            raise self.error()
        self._at += 1
        self._skip_blanks()
        value, blanks, is_quoted = bytearray(), bytearray(), False
        while (here := self.peek()) and here != b"\n":
            self._at += 1
            if here == b"\\":
                escaped = self._escaped()
                value += blanks + escaped if escaped else b""
                if escaped:
                    blanks.clear()
            elif here == b'"':
                value += blanks
                blanks.clear()
                is_quoted = not is_quoted
            elif is_quoted:
                value += here
            elif here in (b"#", b";"):
                end = self._text.find(b"\n", self._at)
                self._at = len(self._text) if end < 0 else end
            elif here in b" \t\r":
                blanks += here
            else:
                value += blanks + here
                blanks.clear()
        if is_quoted:
            raise self.error()
        return bytes(value)

    def _escaped(self) -> bytes:
        """The byte after a backslash; empty where the line goes on in the next one."""
        here = self._text[self._at : self._at + 1]
        self._at += len(here)
        if here in (b"", b"\n"):
            return b""
        if here[0] in _ESCAPES:
            return _ESCAPES[here[0]]
        if here[0] in _VERBATIM:
            return here
        self._at -= 1
        raise self.error()

    def _skip_blanks(self) -> None:
        found = _BLANK.match(self._text, self._at)
        assert found is not None  # it matches nothing, too
        self._at = found.end()


class Place(NamedTuple):
    """What the condition of an include is about."""

    git_dirs: tuple[bytes, ...]
    """The absolute path of the repository's git directory, as found and without
    symlinks."""
    branch: bytes | None
    """The branch that is checked out, such as b"main"; None for a detached HEAD."""
    home: bytes


def expand(path: bytes, home: bytes, directory: bytes) -> bytes:
    """A path of a configuration, absolute: "~/" is `home`, another relative one begins
    in `directory`, which holds the file. Empty where only a look-up could say
    (~user)."""
    if path == b"~" or path.startswith(b"~/"):
        return home + path[1:]
    if path.startswith(b"~") or path.startswith(b"%(prefix)/"):
        return b""
    return path if path.startswith(b"/") else directory + b"/" + path


def is_included(condition: bytes, directory: bytes, place: Place) -> bool:
    """Whether `[includeIf "condition"]` holds; `directory` holds the file it is in.

    The conditions gitdir, gitdir/i and onbranch are known. Another one does not hold,
    as for a git that does not know it.
    """
    kind, _, pattern = condition.partition(b":")
    if kind in (b"gitdir", b"gitdir/i"):
        if pattern.startswith(b"./"):
            pattern = directory + pattern[1:]
        elif pattern.startswith(b"~/"):
            pattern = place.home + pattern[1:]
        elif not pattern.startswith(b"/"):
            pattern = b"**/" + pattern
        matches = _matcher(pattern, fold=kind == b"gitdir/i")
        return any(map(matches, place.git_dirs))
    if kind == b"onbranch" and place.branch is not None:
        return _matcher(pattern, fold=False)(place.branch)
    return False


def _matcher(pattern: bytes, *, fold: bool) -> Callable[[bytes], bool]:
    if pattern.endswith(b"/"):
        pattern += b"**"
    # "**/" stands for any number of names; the slash in front of them all is none.
    pattern = pattern.removeprefix(b"/")
    matches = wildmatch(pattern, pathname=True, dotfiles=True, fold=fold)
    return lambda text: matches(text.removeprefix(b"/"))

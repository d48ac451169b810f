"""The configuration language: parses the text of one file into rules.

`loader` knows the files; `policy` applies the rules to a path.
"""

import re
from collections.abc import Iterator, Mapping
from enum import Enum
from itertools import takewhile
from typing import NamedTuple

from gamin.config.client_limits import RANGES
from gamin.config.flow_settings import LIMITS, Limits
from gamin.config.state_settings import STATE_RANGES
from gamin.paths import printable

MIN_SECONDS = 0.1
"""The least polling interval of `fsset` in seconds, besides 0.

The original accepts 0, "at every look", which is once a second; `policy` does the same.
"""

MAX_RULES = 1_000
"""Lines with a rule in one file; each may be asked of every directory."""

MAX_SECONDS = 86_400
"""The greatest polling interval of `fsset` in seconds."""

_NUMBER = re.compile(rb"[0-9]{1,9}(\.[0-9]{1,6})?")
"""Narrower than float(): no "nan", "1e9" or "1_000" by accident."""

_SHOWN = 60
"""Characters of a word that are repeated in a mistake; a line may be a megabyte."""


class Method(Enum):
    """How changes are detected."""

    KERNEL = "kernel"
    POLL = "poll"
    NONE = "none"


class Origin(NamedTuple):
    """The file and line of a rule, to be shown."""

    file: str
    line: int = 0  # 0: the file as a whole, or no file

    def __str__(self) -> str:
        name = printable(self.file)
        return f"{name}:{self.line}" if self.line else name


BUILT_IN = Origin("built in")


class PathRule(NamedTuple):
    """`notify PATTERN` or `poll PATTERN`; the first that matches a path applies."""

    pattern: bytes
    method: Method
    origin: Origin = BUILT_IN

    def __str__(self) -> str:
        command = "poll" if self.method is Method.POLL else "notify"
        return f"{command} {printable(self.pattern)}"


class FilesystemRule(NamedTuple):
    """`fsset TYPE METHOD [SECONDS]`; the last rule for a type applies."""

    type: str
    method: Method
    interval: float | None = None  # seconds; None keeps what was set before
    origin: Origin = BUILT_IN

    def __str__(self) -> str:
        words = f"fsset {printable(self.type)} {self.method.value}"
        return words if self.interval is None else f"{words} {_plain(self.interval)}"


class FlowRule(NamedTuple):
    """`flow NAME VALUE`; the last rule for a name applies."""

    name: str  # a key of flow_settings.LIMITS, and `value` is within them
    value: float
    origin: Origin = BUILT_IN

    def __str__(self) -> str:
        return f"flow {self.name} {_plain(self.value)}"


class LimitRule(NamedTuple):
    """`limit NAME VALUE`; the last rule for a name applies."""

    name: str  # a key of client_limits.RANGES, and `value` is within them
    value: int
    origin: Origin = BUILT_IN

    def __str__(self) -> str:
        return f"limit {self.name} {self.value}"


class StateRule(NamedTuple):
    """`state NAME VALUE`; the last rule for a name applies."""

    name: str  # a key of state_settings.STATE_RANGES, and `value` is within them
    value: float
    origin: Origin = BUILT_IN

    def __str__(self) -> str:
        return f"state {self.name} {_plain(self.value)}"


Rule = PathRule | FilesystemRule | FlowRule | LimitRule | StateRule


class Mistake(NamedTuple):
    """A line or file that is not followed, and why."""

    what: str  # printable
    origin: Origin

    def __str__(self) -> str:
        return f"{self.origin}: {self.what}"


def parse(text: bytes, home: bytes, file: str = "gaminrc") -> Iterator[Rule | Mistake]:
    """Parse one file. A line that is wrong becomes a Mistake; the others still apply.

    `home` replaces a leading `~`. `file` is only the name that rules and mistakes show.
    """
    count = 0
    for number, line in enumerate(text.split(b"\n"), start=1):
        # The original reads "/a#b" as a path and "/a #b" as a path with a comment.
        words = list(takewhile(lambda word: not word.startswith(b"#"), line.split()))
        if not words:
            continue
        count += 1
        if count > MAX_RULES:
            yield Mistake(f"more than {MAX_RULES} rules", Origin(file, number))
            return
        yield from _line(words, home, Origin(file, number))


def _line(words: list[bytes], home: bytes, origin: Origin) -> Iterator[Rule | Mistake]:
    match words:
        case [b"notify" | b"poll", _, *_]:
            method = Method.POLL if words[0] == b"poll" else Method.KERNEL
            for pattern in words[1:]:
                yield _path_rule(pattern, method, home, origin)
        case [b"fsset", type_, method_, *rest] if len(rest) < 2:
            yield _filesystem_rule(type_, method_, rest, origin)
        case [b"flow", name, value]:
            flow = _setting("flow", LIMITS, name, value)
            if isinstance(flow, str):
                yield Mistake(flow, origin)
            else:
                yield FlowRule(*flow, origin)
        case [b"limit", name, value]:
            limit = _setting("limit", RANGES, name, value)
            if isinstance(limit, str):
                yield Mistake(limit, origin)
            else:
                yield LimitRule(limit[0], int(limit[1]), origin)
        case [b"state", name, value]:
            state = _setting("state", STATE_RANGES, name, value)
            if isinstance(state, str):
                yield Mistake(state, origin)
            else:
                yield StateRule(*state, origin)
        case [b"notify" | b"poll" as command, *_]:
            yield Mistake(f"{command.decode()} needs at least one path", origin)
        case [b"fsset", *_]:
            yield Mistake("fsset needs: TYPE kernel|poll|none [SECONDS]", origin)
        case [b"flow" | b"limit" | b"state" as command, *_]:
            yield Mistake(f"{command.decode()} needs: NAME VALUE", origin)
        case _:
            yield Mistake(f"not understood: {_shown(words[0])}", origin)


def _path_rule(
    pattern: bytes, method: Method, home: bytes, origin: Origin
) -> PathRule | Mistake:
    if pattern == b"~" or pattern.startswith(b"~/"):
        pattern = home + pattern[1:]
    if not pattern.startswith(b"/"):
        return Mistake(f"a path begins with / or ~/, not {_shown(pattern)}", origin)
    return PathRule(pattern, method, origin)


def _filesystem_rule(
    type_: bytes, method: bytes, rest: list[bytes], origin: Origin
) -> FilesystemRule | Mistake:
    name = type_.decode(errors="backslashreplace")
    try:
        chosen = Method(method.decode(errors="replace"))
    except ValueError:
        return Mistake(f"kernel, poll or none, not {_shown(method)}", origin)
    if not rest:
        return FilesystemRule(name, chosen, None, origin)
    seconds = _number(rest[0])
    if seconds is None or not (seconds == 0 or _is_polite(seconds)):
        return Mistake(
            f"0 or {MIN_SECONDS:g} to {MAX_SECONDS} seconds, not {_shown(rest[0])}",
            origin,
        )
    return FilesystemRule(name, chosen, seconds, origin)


def _is_polite(seconds: float) -> bool:
    return MIN_SECONDS <= seconds <= MAX_SECONDS


def _setting(
    command: str, known: Mapping[str, Limits], name: bytes, text: bytes
) -> tuple[str, float] | str:
    """A setting and its value, or what is wrong with the line."""
    setting = name.decode(errors="backslashreplace")
    limits = known.get(setting)
    if limits is None:
        return f"{command} knows {', '.join(known)}, not {_shown(name)}"
    value = _number(text)
    if (
        value is None
        or not limits.least <= value <= limits.most
        or (limits.whole and not value.is_integer())
    ):
        kind = "a whole number from" if limits.whole else "a number from"
        return (
            f"{setting} is {kind} {limits.least} to {limits.most}, not {_shown(text)}"
        )
    return setting, value


def _plain(number: float) -> str:
    """A number as `parse` reads it: "5", not "5.0"; "1000000", not "1e+06"."""
    return str(int(number) if number == int(number) else number)


def _number(word: bytes) -> float | None:
    return float(word) if _NUMBER.fullmatch(word) else None


def _shown(word: bytes) -> str:
    return printable(word[:_SHOWN])

"""A pattern of the events that a request should receive, and whether they match.

Often several outcomes are right, so a pattern has options, choices and free orders.
Pure; what the words look like in a file is described in tests/scenarios/README.md.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from testkit.scenario.words import escaped, expanded, tokens

CODES = {
    "changed": 1,
    "deleted": 2,
    "created": 5,
    "moved": 6,
    "acknowledge": 7,
    "exists": 8,
    "end-exist": 9,
}
_NAMES = {code: name for name, code in CODES.items()}


class PatternError(ValueError):
    """The text is no pattern."""


class EventRecord(NamedTuple):
    """One event as a pattern sees it."""

    code: int
    path: bytes

    def __str__(self) -> str:
        return f"{_NAMES.get(self.code, self.code)} {escaped(self.path)}"


@dataclass(frozen=True, slots=True)
class Times:
    """One event, `least` to `most` times in a row."""

    event: EventRecord
    least: int = 1
    most: int = 1

    def __str__(self) -> str:
        if (self.least, self.most) == (1, 1):
            return str(self.event)
        return f"{self.event} *{self.least}..{self.most}"


@dataclass(frozen=True, slots=True)
class AnyOrder:
    parts: tuple[Times, ...]

    def __str__(self) -> str:
        shown = ", ".join(map(str, self.parts[:8]))
        return f"in any order: {shown}{', …' if len(self.parts) > 8 else ''}"


@dataclass(frozen=True, slots=True)
class Choice:
    branches: tuple["Pattern", ...]

    def __str__(self) -> str:
        return " | ".join(
            ", ".join(map(str, branch)) or "nothing" for branch in self.branches
        ).join("{}")


Term: TypeAlias = Times | AnyOrder | Choice
Pattern: TypeAlias = tuple[Term, ...]


def matches(pattern: Pattern, received: Sequence[EventRecord]) -> bool:
    """True if `pattern` describes all of `received`, from the first to the last."""
    return len(received) in _ends(pattern, received, 0)


def _ends(pattern: Pattern, received: Sequence[EventRecord], start: int) -> set[int]:
    """Where `pattern` can end when it begins at `start`."""
    places = {start}
    for term in pattern:
        places = {end for place in places for end in _term_ends(term, received, place)}
    return places


def _term_ends(
    term: Term, received: Sequence[EventRecord], start: int
) -> Iterator[int]:
    match term:
        case Times(event, least, most):
            run = 0
            while run < most and received[start + run : start + run + 1] == [event]:
                run += 1
            yield from range(start + least, start + run + 1)
        case AnyOrder(parts):
            yield from _any_order_ends(parts, received, start)
        case Choice(branches):
            for branch in branches:
                yield from _ends(branch, received, start)


def _any_order_ends(
    parts: tuple[Times, ...], received: Sequence[EventRecord], start: int
) -> Iterator[int]:
    least, most = Counter[EventRecord](), Counter[EventRecord]()
    for part in parts:
        least[part.event] += part.least
        most[part.event] += part.most
    for length in range(least.total(), most.total() + 1):
        seen = Counter(received[start : start + length])
        if seen.total() == length and least <= seen <= most:
            yield start + length


def parse(lines: Sequence[str]) -> Pattern:
    """The pattern that the indented lines of one `Events:` block describe.

    Raises PatternError.
    """
    terms: list[Term] = []
    rest = list(lines)
    while rest:
        line = rest.pop(0)
        if line.strip() == "any order:":
            inner = []
            while rest and _indent(rest[0]) > _indent(line):
                inner.append(rest.pop(0))
            terms.append(AnyOrder(tuple(_plain(parse(inner)))))
        elif line.strip() != "nothing":
            words = tokens(line)
            terms += _sequence(words)
            if words:
                raise PatternError(f"unexpected {words[0]!r} in {line.strip()!r}")
    return tuple(terms)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _plain(pattern: Pattern) -> Iterator[Times]:
    if not pattern:
        raise PatternError("'any order:' without events")
    for term in pattern:
        if not isinstance(term, Times):
            raise PatternError("a group inside 'any order:'")
        yield term


def _sequence(words: list[str]) -> list[Term]:
    """Takes events and groups off the front of `words`, up to `|`, `}` or the end."""
    terms: list[Term] = []
    while words and words[0] not in ("|", "}"):
        terms += _item(words)
        if words[:1] == [","]:
            words.pop(0)
        else:
            break
    return terms


def _item(words: list[str]) -> list[Term]:
    if words[0] != "{":
        return list(_events(words))
    branches = []
    while words and words.pop(0) != "}":
        branches.append(tuple(_sequence(words)))
        if words[:1] not in (["|"], ["}"]):
            raise PatternError("a group '{ … | … }' that does not end")
    return [Choice(tuple(branches))]


def _events(words: list[str]) -> Iterator[Times]:
    kind = words.pop(0)
    optional = kind.startswith("?")
    code = CODES.get(kind.removeprefix("?"))
    if code is None:
        raise PatternError(f"no such event: {kind!r}")
    if not words or words[0] in "{|},":
        raise PatternError(f"{kind} of what?")
    paths = expanded(words.pop(0))
    least, most = _count(words, optional)
    for path in paths:
        yield Times(EventRecord(code, path), least, most)


def _count(words: list[str], optional: bool) -> tuple[int, int]:
    if not words or not words[0].startswith("*"):
        return (0 if optional else 1), 1
    least, _, most = words.pop(0)[1:].partition("..")
    if optional or not (least + most).isdecimal():
        raise PatternError("a count is *N or *N..M, and is not combined with '?'")
    return int(least), int(most or least)

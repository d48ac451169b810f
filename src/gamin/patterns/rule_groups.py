"""What one rule file means: its patterns, merged to groups and compiled to steps.

`ignore_rules` puts the rule files of a tree together.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice, zip_longest
from typing import NamedTuple

from gamin.patterns.gitignore import Pattern, has_wildcards, parse, read_lines
from gamin.patterns.re2 import MatchFrom, match_from

# A file beyond one of these limits counts as absent: with only its first part the
# patterns that re-include would be missing, and changes would be lost.
MAX_TEXT = 1 << 20
MAX_PATTERNS = 10_000
# Bytes of all patterns with wildcards together. RE2 is linear in the path *times* the
# patterns: a megabyte of `*a*a*a...b` takes 2 s to load, 1 s for the first question
# and 250 MiB; this much takes 30 ms, 15 ms and 4 MiB.
MAX_WILDCARDS = 1 << 14

_EXPRESSION_SIZE = 2048
"""Bytes of an expression. Small ones keep their states in RE2's memory where a large
one would forget and rebuild them; the longest pattern still fits (a test compiles it).
"""


class Group(NamedTuple):
    """Neighbouring patterns of one meaning: any match decides.

    The texts and expressions are for the name alone, or for the path as seen from the
    directory of the rule file.
    """

    ignores: bool
    names: frozenset[bytes]
    paths: frozenset[bytes]
    name_expressions: tuple[bytes, ...]
    path_expressions: tuple[bytes, ...]


class Step(NamedTuple):
    """A compiled group, or a part of a large one."""

    names: frozenset[bytes]
    match_name: MatchFrom | None
    above: bytes
    """What the two below see in front of a path: set for rules from above the root."""
    start: int
    """Where in a path the part begins that the two below are about."""
    paths: frozenset[bytes]
    match_path: MatchFrom | None
    ignores: bool


def exceeded_limit(text: bytes) -> str | None:
    """Why the text of a rule file counts as absent; None if it is within all limits."""
    if len(text) > MAX_TEXT:
        return f"it has more than {MAX_TEXT} bytes"
    lines = list(islice(read_lines(text), MAX_PATTERNS + 1))
    if len(lines) > MAX_PATTERNS:
        return f"it has more than {MAX_PATTERNS} patterns"
    if sum(len(line) for line in lines if has_wildcards(line)) > MAX_WILDCARDS:
        return f"its patterns with wildcards have more than {MAX_WILDCARDS} bytes"
    return None


def size_of(groups: Iterable[Group]) -> int:
    """Bytes of the expressions of a rule file."""
    return sum(
        len(text) for g in groups for text in (*g.name_expressions, *g.path_expressions)
    )


def groups_of_text(text: bytes) -> tuple[Group, ...]:
    """The patterns of a rule file; none when it exceeds a limit."""
    if exceeded_limit(text) is not None:
        return ()
    return groups_of(map(parse, read_lines(text)))


def groups_of(patterns: Iterable[Pattern | None]) -> tuple[Group, ...]:
    """Merge neighbours of one meaning; the last pattern is in the first group."""
    strongest_first = [p for p in patterns if p is not None][::-1]
    return tuple(
        _group(ignores, list(neighbours))
        for ignores, neighbours in groupby(strongest_first, key=lambda p: p.ignores)
    )


def _group(ignores: bool, patterns: Sequence[Pattern]) -> Group:
    about_names = [p for p in patterns if p.anywhere]
    about_paths = [p for p in patterns if not p.anywhere]
    return Group(
        ignores,
        frozenset(text for p in about_names for text in p.texts),
        frozenset(text for p in about_paths for text in p.texts),
        tuple(_alternatives(p.expression for p in about_names if p.expression)),
        tuple(_alternatives(p.expression for p in about_paths if p.expression)),
    )


def _alternatives(expressions: Iterable[bytes]) -> Iterator[bytes]:
    """Join expressions to few, none of them larger than is good for it."""
    joined = b""
    for expression in expressions:
        if joined and len(joined) + len(expression) > _EXPRESSION_SIZE:
            yield joined
            joined = b""
        joined += b"|" + expression if joined else expression
    if joined:
        yield joined


def steps_of(group: Group, above: bytes, start: int) -> Iterator[Step]:
    parts = zip_longest(
        map(match_from, group.name_expressions),
        map(match_from, group.path_expressions),
    )
    name, path = next(parts, (None, None))
    yield Step(group.names, name, above, start, group.paths, path, group.ignores)
    for name, path in parts:
        yield Step(frozenset(), name, above, start, frozenset(), path, group.ignores)

"""Expressions: compiles what a client wrote into one predicate of rows.

`name_terms` and `file_terms` have the single terms.
"""

import json

from gamin.protocol.watchman.clocks import Timeline
from gamin.protocol.watchman.errors import BadQuery
from gamin.protocol.watchman.query.file_row import FileRow
from gamin.protocol.watchman.query.file_terms import BARE_TERMS, FILE_TERMS
from gamin.protocol.watchman.query.limits import DEFAULT_LIMITS, QueryLimits
from gamin.protocol.watchman.query.name_terms import NAME_TERMS
from gamin.protocol.watchman.query.term import Arguments, Builder, Term

# Reading and asking take a few of Python's 1000 frames for each level. What programs
# write is rarely deeper than ten.
MAX_DEPTH = 100

_TOO_DEEP = f"the expression is nested more than {MAX_DEPTH} deep"

LEAVES: dict[str, Builder] = {**NAME_TERMS, **FILE_TERMS}
PATTERN_TERMS = ("match", "imatch", "pcre", "ipcre")
BRANCHES = ("allof", "anyof", "not")
TERMS = (*BRANCHES, *LEAVES)

_BARE_COMPLAINTS = {
    "since": '"since" term must be an array',
    "type": '"type" term requires a type string parameter',
}


class Expression:
    """Equal to every expression that was written the same."""

    __slots__ = ("_term", "price", "text")

    def __init__(self, text: str, term: Term, price: int = 1) -> None:
        """`price` is the number of terms that a row may be asked of."""
        self.text: str = text
        self.price: int = price
        self._term = term

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    @property
    def source(self) -> tuple[object, bool]:
        """What the client wrote, and whether case is ignored."""
        value, fold = json.loads(self.text)
        return value, fold

    def matches(self, row: FileRow, now: Timeline) -> bool:
        return self._term(row, now)


def parse_expression(
    value: object, *, fold: bool = False, limits: QueryLimits = DEFAULT_LIMITS
) -> Expression:
    """Raises BadRequest, in most cases the BadQuery that Watchman's clients know."""
    reader = _Reader(fold, limits)
    term = reader.read(value, depth=0)
    try:
        text = json.dumps([value, fold], sort_keys=True, separators=(",", ":"))
    except RecursionError:  # superfluous arguments, which nobody has looked at
        raise BadQuery(_TOO_DEEP) from None
    return Expression(text, term, reader.terms)


class _Reader:
    def __init__(self, fold: bool, limits: QueryLimits) -> None:
        self._fold = fold
        self._limits = limits
        self.terms = 0
        self._patterns = 0
        self._pattern_bytes = 0

    def read(self, value: object, depth: int) -> Term:
        if depth > MAX_DEPTH:
            raise BadQuery(_TOO_DEEP)
        self.terms += 1
        if self.terms > self._limits.terms:
            raise BadQuery(f"the expression has more than {self._limits.terms} terms")
        match value:
            case str(name):
                return self._read_bare(name)
            case [str(name), *arguments]:
                return self._read_term(name, arguments, depth)
            case [_, *_]:
                raise BadQuery("first element of an expression must be a string")
            case _:
                raise BadQuery("expected array or string for an expression")

    def _read_bare(self, name: str) -> Term:
        if name in BARE_TERMS:
            return BARE_TERMS[name](name, (), self._fold)
        if name in LEAVES:
            complaint = f"Expected array for '{name}' term"
            raise BadQuery(_BARE_COMPLAINTS.get(name, complaint))
        return self._read_term(name, (), depth=0)

    def _read_term(self, name: str, arguments: Arguments, depth: int) -> Term:
        if name in LEAVES:
            if name in PATTERN_TERMS:
                self._count_pattern(arguments)
            return LEAVES[name](name, arguments, self._fold)
        if name not in BRANCHES:
            raise BadQuery(f"unknown expression term '{name}'")
        if name == "not" and len(arguments) != 1:
            raise BadQuery('must use ["not", expr]')
        if not arguments:
            raise BadQuery(f'must use ["{name}", expr...]')
        terms = [self.read(argument, depth + 1) for argument in arguments]
        match name:
            case "not":
                return _not(terms[0])
            case "allof":
                return _all_of(terms)
            case _:
                return _any_of(terms)

    def _count_pattern(self, arguments: Arguments) -> None:
        """Before it is compiled."""
        self._patterns += 1
        if arguments and isinstance(arguments[0], str):
            self._pattern_bytes += len(arguments[0])
        most, most_bytes = self._limits.patterns, self._limits.pattern_bytes
        if self._patterns > most:
            raise BadQuery(f"the expression has more than {most} patterns")
        if self._pattern_bytes > most_bytes:
            raise BadQuery(
                f"the patterns of the expression have more than {most_bytes} characters"
            )


def _not(term: Term) -> Term:
    return lambda row, now: not term(row, now)


# Loops and not all() and any(): a generator would take a second frame per level.
def _all_of(terms: list[Term]) -> Term:
    def all_of(row: FileRow, now: Timeline) -> bool:
        for term in terms:  # noqa: SIM110  # any() and all() are slower
            if not term(row, now):
                return False
        return True

    return all_of


def _any_of(terms: list[Term]) -> Term:
    def any_of(row: FileRow, now: Timeline) -> bool:
        for term in terms:  # noqa: SIM110  # any() and all() are slower
            if term(row, now):
                return True
        return False

    return any_of

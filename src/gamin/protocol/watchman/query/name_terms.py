"""The terms about the name alone.

They are cheap, so they belong first in an `allof`.
"""

from collections.abc import Callable
from functools import partial

from gamin.patterns.re2 import InvalidPattern, Matcher, matches_somewhere
from gamin.patterns.wildmatch import wildmatch
from gamin.protocol.watchman.errors import BadQuery
from gamin.protocol.watchman.names import MAX_PATH, to_bytes
from gamin.protocol.watchman.query.file_row import FileRow
from gamin.protocol.watchman.query.selection import endings_of
from gamin.protocol.watchman.query.term import (
    Arguments,
    Builder,
    Term,
    comparison,
    refuse,
    text,
    text_or_texts,
)


def names_and_scope(term: str, arguments: Arguments) -> tuple[frozenset[bytes], str]:
    """The arguments of `name`. Raises BadQuery."""
    if not 1 <= len(arguments) <= 2:
        raise BadQuery(f"Invalid number of arguments for '{term}' term")
    complaint = f"Argument 2 to '{term}' must be either a string or an array of string"
    names = frozenset(text_or_texts(arguments[0], complaint))
    scope = arguments[1] if len(arguments) > 1 else "basename"
    if not isinstance(scope, str):
        raise BadQuery(f"Argument 3 to '{term}' must be a string")
    return names, scope


def _name(term: str, arguments: Arguments, fold: bool) -> Term:
    names, scope = names_and_scope(term, arguments)
    if fold:
        folded = frozenset(name.lower() for name in names)
        return _asked_of(lambda name: name.lower() in folded, scope, term)
    return _asked_of(names.__contains__, scope, term)


def glob_and_scope(
    term: str, arguments: Arguments, fold: bool
) -> tuple[bytes, Matcher, str]:
    """The pattern of `match`, what asks it, and the scope. Raises BadQuery."""
    match arguments:
        case [str(pattern), *rest]:
            pass
        case _:
            refuse(f'First parameter to "{term}" term must be a pattern string')
    scope = rest[0] if rest else "basename"
    if not isinstance(scope, str):
        refuse(f'Second parameter to "{term}" term must be an optional scope string')
    options = rest[1] if len(rest) > 1 else {}
    if not isinstance(options, dict):
        refuse(f'Third parameter to "{term}" term must be an optional object')
    if len(rest) > 2:
        refuse(f'too many parameters passed to "{term}" expression')
    glob = _pattern(pattern, term)
    matches = wildmatch(
        glob,
        pathname=scope == "wholename",
        fold=fold,
        dotfiles=_option(options, "includedotfiles", term),
        escapes=not _option(options, "noescape", term),
    )
    return glob, matches, scope


def _match(term: str, arguments: Arguments, fold: bool) -> Term:
    _, matches, scope = glob_and_scope(term, arguments, fold)
    return _asked_of(matches, scope, term)


def _option(options: dict[str, object], key: str, term: str) -> bool:
    value = options.get(key, False)
    if not isinstance(value, bool):
        raise BadQuery(f'{key} option for "{term}" term must be a boolean')
    return value


def regex_and_scope(term: str, arguments: Arguments, fold: bool) -> tuple[Matcher, str]:
    """PCRE as far as it can be had in linear time; the rest is refused by RE2, and
    raises BadQuery."""
    match arguments:
        case [str(pattern)]:
            scope = "basename"
        case [str(pattern), str(scope)]:
            pass
        case _:
            raise BadQuery(f'Expected ["{term}", "pattern", "scope"?]')
    try:
        matches = matches_somewhere(_pattern(pattern, term), fold=fold)
    except InvalidPattern as error:
        offset = _offset(pattern, str(error))
        raise BadQuery(
            f"invalid {term}: {error} at offset {offset} in ({pattern})"
        ) from None
    return matches, scope


def _regex(term: str, arguments: Arguments, fold: bool) -> Term:
    return _asked_of(*regex_and_scope(term, arguments, fold), term)


def _offset(pattern: str, why: str) -> int:
    """Where in the pattern the error is found: behind the part that RE2 quotes at the
    end of its reason, or at the end of the pattern, if it lacks a bracket."""
    kind, _, part = why.partition(": ")
    at = pattern.find(part) if part and not kind.startswith("missing") else -1
    return len(pattern) if at < 0 else at + len(part)


def _pattern(pattern: str, term: str) -> bytes:
    if len(pattern) > MAX_PATH:
        raise BadQuery(f'the pattern of the "{term}" term is too long')
    return to_bytes(pattern)


def directory_and_depth(
    term: str, arguments: Arguments
) -> tuple[bytes, Callable[[int], bool]]:
    """The arguments of `dirname`: the directory with a slash at its end (empty for the
    root), and what is asked of the levels below it. Raises BadQuery."""
    match arguments:
        case [path]:
            fits: Callable[[int], bool] = partial(int.__le__, 0)
        case [path, ["depth", *_] as depth]:
            fits = comparison(depth)
        case [_, list()]:
            refuse(f"Third parameter to '{term}' should be a relational depth term")
        case _:
            refuse(f"Invalid number of arguments for '{term}' term")
    directory = text(path, f"Argument 2 to '{term}' must be a string").rstrip(b"/")
    return directory + b"/" if directory else b"", fits


def _dirname(term: str, arguments: Arguments, fold: bool) -> Term:
    prefix, fits = directory_and_depth(term, arguments)
    if fold:
        prefix = prefix.lower()

    def below(row: FileRow, _: object) -> bool:
        name = row.name.lower() if fold else row.name
        return name.startswith(prefix) and fits(name.count(b"/", len(prefix)))

    return below


def endings(term: str, arguments: Arguments) -> tuple[bytes, ...]:
    """The arguments of `suffix` as ends of names in lower case. Raises BadQuery."""
    if len(arguments) != 1:
        raise BadQuery(f"Invalid number of arguments for '{term}' term")
    complaint = f"Argument 2 to '{term}' must be either a string or an array of string"
    suffixes = text_or_texts(arguments[0], complaint)
    return endings_of(suffixes)


def _suffix(term: str, arguments: Arguments, fold: bool) -> Term:
    ends = endings(term, arguments)
    return lambda row, _: row.name.lower().endswith(ends)


def _asked_of(question: Matcher, scope: str, term: str) -> Term:
    """The question, asked of the part of the name that `scope` says."""
    match scope:
        case "basename":
            return lambda row, _: question(row.name.rpartition(b"/")[2])
        case "wholename":
            return lambda row, _: question(row.name)
        case _:
            raise BadQuery(f"Invalid scope '{scope}' for {term} expression")


def _ignoring_case(build: Builder) -> Builder:
    return lambda term, arguments, _: build(term, arguments, True)


NAME_TERMS: dict[str, Builder] = {
    "name": _name,
    "iname": _ignoring_case(_name),
    "match": _match,
    "imatch": _ignoring_case(_match),
    "pcre": _regex,
    "ipcre": _ignoring_case(_regex),
    "dirname": _dirname,
    "idirname": _ignoring_case(_dirname),
    "suffix": _suffix,
}

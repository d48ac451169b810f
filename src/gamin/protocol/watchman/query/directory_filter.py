"""Expressions and generators, asked of all names of a directory at once.

A large tree has many names and few directories. What depends on the directory alone is
asked once for all of its names, and the rest in one comprehension per term: a name
takes some 0.1 µs for each term, as a row it takes 3 to 6.
"""

import stat
from collections.abc import Callable, Collection, Sequence
from operator import and_, or_
from typing import NamedTuple

from gamin.patterns.re2 import Matcher
from gamin.patterns.wildmatch import wildmatch
from gamin.protocol.watchman.query.expression import Expression
from gamin.protocol.watchman.query.file_terms import TYPES
from gamin.protocol.watchman.query.name_terms import (
    directory_and_depth,
    endings,
    glob_and_scope,
    names_and_scope,
    regex_and_scope,
)
from gamin.protocol.watchman.query.selection import (
    SPECIAL,
    PathFilter,
    Selection,
    end_of,
    endings_of,
)
from gamin.protocol.watchman.query.term import Arguments

Verdict = bool | list[bool]
"""For all names of a batch, or for each of them."""


Types = Sequence[int] | int
"""The file type (`stat.S_IFMT`) of each name, or of all."""


class Batch:
    """Names in one directory."""

    __slots__ = ("_lower", "directories", "exists", "names", "prefix", "types")

    def __init__(
        self,
        prefix: bytes,
        names: Sequence[bytes],
        directories: Collection[bytes] = (),
        types: Types = (),
        *,
        exists: bool = True,
    ) -> None:
        """`types` only for what `needs_types`."""
        self.prefix: bytes = prefix
        """The directory, relative to where names of rows begin, with a slash at its
        end; empty for that place itself."""
        self.names: Sequence[bytes] = names
        self.directories: Collection[bytes] = directories
        """Those of the names that are directories."""
        self.types: Types = types
        self.exists: bool = exists
        """Whether the files exist; False if all of them were deleted."""
        self._lower: list[bytes] | None = None

    def folded(self, fold: bool) -> Sequence[bytes]:
        """The names, in lower case if that is wanted."""
        if not fold:
            return self.names
        if self._lower is None:
            self._lower = b"/".join(self.names).lower().split(b"/")
        return self._lower


Filter = Callable[[Batch], Verdict]


class _Part(NamedTuple):
    """A term, or several."""

    ask: Filter
    needs_types: bool = False


class DirectoryFilter(NamedTuple):
    """What a query wants of the files in a directory."""

    by_name: Filter | None
    """Asked first; None wants all."""
    by_type: Filter | None
    """Then asked of those that are left; None wants all of them."""


class _Unsupported(Exception):
    """A term that is about more than names and types."""


def directory_filter(
    selection: Selection | None, expression: Expression | None
) -> DirectoryFilter | None:
    """None for an expression that has to be asked of rows."""
    parts = [] if selection is None else [_selected(selection)]
    try:
        if expression is not None:
            parts += _conjuncts(*expression.source)
    except _Unsupported:
        return None
    by_name = [part for part in parts if not part.needs_types]
    by_type = [part for part in parts if part.needs_types]
    return DirectoryFilter(
        _all_of(by_name).ask if by_name else None,
        _all_of(by_type).ask if by_type else None,
    )


def _conjuncts(value: object, fold: bool) -> list[_Part]:
    match value:
        case ["allof", *values]:
            return [part for each in values for part in _conjuncts(each, fold)]
        case _:
            return [_part(value, fold)]


def _part(value: object, fold: bool) -> _Part:
    """The value was checked when the expression was made."""
    match value:
        case str(name):
            arguments: Arguments = ()
        case [str(name), *arguments]:
            pass
        case _:
            raise _Unsupported
    match name:
        case "not":
            return _not(_part(arguments[0], fold))
        case "allof":
            return _all_of([_part(each, fold) for each in arguments])
        case "anyof":
            return _any_of(_joined(arguments, fold))
    if name not in _LEAVES:
        raise _Unsupported
    return _LEAVES[name](name.removeprefix("i"), arguments, fold or name[0] == "i")


def _joined(values: Sequence[object], fold: bool) -> list[_Part]:
    """The alternatives; all that are suffixes as one."""
    ends: list[bytes] = []
    parts: list[_Part] = []
    for value in values:
        match value:
            case ["suffix", *arguments]:
                ends += endings("suffix", arguments)
            case _:
                parts.append(_part(value, fold))
    return [*parts, _ending(tuple(ends))] if ends else parts


def _not(part: _Part) -> _Part:
    ask = part.ask

    def opposite(batch: Batch) -> Verdict:
        verdict = ask(batch)
        if isinstance(verdict, bool):
            return not verdict
        return [not each for each in verdict]

    return _Part(opposite, part.needs_types)


def _all_of(parts: Sequence[_Part]) -> _Part:
    return _combined(parts, and_, decisive=False)


def _any_of(parts: Sequence[_Part]) -> _Part:
    return _combined(parts, or_, decisive=True)


def _combined(
    parts: Sequence[_Part], combine: Callable[[bool, bool], bool], *, decisive: bool
) -> _Part:
    """`decisive` is the verdict of one part on a batch that no other part can change;
    the opposite one changes nothing."""

    def ask(batch: Batch) -> Verdict:
        so_far: Verdict = not decisive
        for part in parts:
            verdict = part.ask(batch)
            if verdict is decisive:
                return decisive
            if isinstance(verdict, bool):
                continue
            if isinstance(so_far, bool):
                so_far = verdict
            else:
                so_far = list(map(combine, so_far, verdict))
        return so_far

    return _Part(ask, any(part.needs_types for part in parts))


# -- terms


def _constant(value: bool) -> Callable[[str, Arguments, bool], _Part]:
    return lambda term, arguments, fold: _Part(lambda batch: value)


def _exists(term: str, arguments: Arguments, fold: bool) -> _Part:
    return _Part(lambda batch: batch.exists)


def _name(term: str, arguments: Arguments, fold: bool) -> _Part:
    names, scope = names_and_scope(term, arguments)
    if fold:
        names = frozenset(name.lower() for name in names)
    if scope == "basename":
        return _Part(lambda batch: [name in names for name in batch.folded(fold)])
    by_directory: dict[bytes, set[bytes]] = {}
    for name in names:
        directory, slash, last = name.rpartition(b"/")
        by_directory.setdefault(directory + slash, set()).add(last)

    def whole(batch: Batch) -> Verdict:
        prefix = batch.prefix.lower() if fold else batch.prefix
        wanted = by_directory.get(prefix)
        if wanted is None:
            return False
        return [name in wanted for name in batch.folded(fold)]

    return _Part(whole)


def _match(term: str, arguments: Arguments, fold: bool) -> _Part:
    glob, matches, scope = glob_and_scope(term, arguments, fold)
    return _matching(matches, scope, b"" if fold else end_of(glob))


def _regex(term: str, arguments: Arguments, fold: bool) -> _Part:
    return _matching(*regex_and_scope(term, arguments, fold))


def _matching(matches: Matcher, scope: str, end: bytes = b"") -> _Part:
    """`end` is how all names end that match; they are few, and the others cheap."""

    def ask(batch: Batch) -> Verdict:
        prefix = batch.prefix if scope == "wholename" else b""
        return [name.endswith(end) and matches(prefix + name) for name in batch.names]

    return _Part(ask)


def _dirname(term: str, arguments: Arguments, fold: bool) -> _Part:
    directory, fits = directory_and_depth(term, arguments)
    return _below(directory, fits, fold)


def _below(directory: bytes, fits: Callable[[int], bool], fold: bool) -> _Part:
    start = directory.lower() if fold else directory

    def below(batch: Batch) -> Verdict:
        prefix = batch.prefix.lower() if fold else batch.prefix
        return prefix.startswith(start) and fits(prefix.count(b"/", len(start)))

    return _Part(below)


def _suffix(term: str, arguments: Arguments, fold: bool) -> _Part:
    return _ending(endings(term, arguments))


def _ending(ends: tuple[bytes, ...]) -> _Part:
    return _Part(lambda batch: [name.endswith(ends) for name in batch.folded(True)])


def _type(term: str, arguments: Arguments, fold: bool) -> _Part:
    wanted = TYPES[str(arguments[0])]
    if wanted == stat.S_IFDIR:
        return _Part(_is_directory)

    def is_wanted(batch: Batch) -> Verdict:
        types = batch.types
        if isinstance(types, int):
            return types == wanted
        return [kind == wanted for kind in types]

    return _Part(is_wanted, needs_types=True)


def _is_directory(batch: Batch) -> Verdict:
    directories = batch.directories
    return bool(directories) and [name in directories for name in batch.names]


_LEAVES: dict[str, Callable[[str, Arguments, bool], _Part]] = {
    "true": _constant(True),
    "false": _constant(False),
    "exists": _exists,
    "name": _name,
    "iname": _name,
    "match": _match,
    "imatch": _match,
    "pcre": _regex,
    "ipcre": _regex,
    "dirname": _dirname,
    "idirname": _dirname,
    "suffix": _suffix,
    "type": _type,
}


# -- generators


def _selected(selection: Selection) -> _Part:
    parts = []
    if selection.suffixes:
        parts.append(_ending(endings_of(selection.suffixes)))
    parts += [_glob(glob, selection) for glob in selection.globs or ()]
    parts += [_path(path) for path in selection.paths or ()]
    return _any_of(parts)


def _glob(glob: bytes, selection: Selection) -> _Part:
    directory, slash, rest = glob.rpartition(b"/")
    # For a wildmatch several slashes are one.
    is_plain = not SPECIAL.search(directory) and b"//" not in glob
    if rest == b"**" and selection.dotfiles and is_plain:
        return _below(directory + slash, lambda depth: True, selection.fold)
    matches = wildmatch(
        glob,
        pathname=True,
        fold=selection.fold,
        dotfiles=selection.dotfiles,
        escapes=selection.escapes,
    )
    return _matching(matches, "wholename", b"" if selection.fold else end_of(glob))


def _path(path: PathFilter) -> _Part:
    start = path.path + b"/" if path.path else b""
    head, slash, last = path.path.rpartition(b"/")
    head += slash

    def ask(batch: Batch) -> Verdict:
        prefix = batch.prefix
        if prefix.startswith(start):
            return path.depth < 0 or prefix.count(b"/", len(start)) <= path.depth
        if prefix != head:
            return False
        others = batch.directories
        return [name == last and name not in others for name in batch.names]

    return _Part(ask)

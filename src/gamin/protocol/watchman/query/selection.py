"""The generators of a query other than `since`: suffixes, globs and paths.

Watchman walks the tree for each of them and joins the results. Here they are compiled
into one predicate of rows.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct

from gamin.patterns.wildmatch import wildmatch
from gamin.protocol.watchman.query.file_row import FileRow

ALL_LEVELS = -1

SPECIAL: Final = re.compile(rb"[][*?\\]")
"""What makes a part of a glob more than a name."""


class PathFilter(Struct, frozen=True):
    """A file, or the entries of a directory and of `depth` levels below it."""

    path: bytes
    """Relative; empty for everything."""
    depth: int = ALL_LEVELS

    def selects(self, row: FileRow) -> bool:
        if row.name == self.path:
            return not row.is_dir
        prefix = self.path + b"/" if self.path else b""
        if not row.name.startswith(prefix):
            return False
        return self.depth < 0 or row.name.count(b"/", len(prefix)) <= self.depth


class Selection(Struct, frozen=True):
    """What a query asks for by name; None is a generator that it does not use."""

    suffixes: tuple[bytes, ...] | None = None
    globs: tuple[bytes, ...] | None = None
    paths: tuple[PathFilter, ...] | None = None
    dotfiles: bool = False
    escapes: bool = True
    fold: bool = False

    @property
    def price(self) -> int:
        """Patterns that a row may be asked of."""
        return sum(map(len, (self.suffixes or (), self.globs or (), self.paths or ())))

    @property
    def endings(self) -> tuple[bytes, ...] | None:
        """Lower-case ends of all names that are found; None where they may end
        otherwise."""
        if self.paths is not None:
            return None
        ends = [*endings_of(self.suffixes or ())]
        # Another case of a letter may have other bytes.
        ends += [
            b"" if self.fold else end_of(glob).lower() for glob in self.globs or ()
        ]
        return tuple(ends) if all(ends) else None

    def ranges(self) -> tuple[PathFilter, ...]:
        """Where all is that the generators find."""
        if self.suffixes is not None:
            return (PathFilter(b""),)
        globs = [_range_of(glob, fold=self.fold) for glob in self.globs or ()]
        return tuple(dict.fromkeys((*globs, *(self.paths or ()))))

    def predicate(self) -> Callable[[FileRow], bool]:
        """Return a function that is true for rows that any of the generators finds.
        Making it costs more than calling it."""
        endings = endings_of(self.suffixes or ())
        matchers = [
            wildmatch(
                glob,
                pathname=True,
                fold=self.fold,
                dotfiles=self.dotfiles,
                escapes=self.escapes,
            )
            for glob in self.globs or ()
        ]
        paths = self.paths or ()

        def selects(row: FileRow) -> bool:
            return (
                row.name.lower().endswith(endings)
                or any(matches(row.name) for matches in matchers)
                or any(path.selects(row) for path in paths)
            )

        return selects


def endings_of(suffixes: Sequence[bytes]) -> tuple[bytes, ...]:
    """How names with one of the suffixes end, in lower case. The name ".txt" has the
    suffix "txt". A suffix with a slash has no ending: it is no part of a base name."""
    return tuple(b"." + suffix.lower() for suffix in suffixes if b"/" not in suffix)


def end_of(glob: bytes) -> bytes:
    """What all names that match end with; empty if that varies."""
    return SPECIAL.split(glob.rstrip(b"/").rpartition(b"/")[2])[-1]


def _range_of(glob: bytes, *, fold: bool) -> PathFilter:
    """The deepest directory that has all that can match, and how deep that is."""
    parts = [part for part in glob.split(b"/") if part]
    fixed = 0
    if not fold:
        for part in parts[:-1]:
            if SPECIAL.search(part) or part in (b".", b".."):
                break
            fixed += 1
    rest = parts[fixed:]
    is_deep = any(b"**" in part for part in rest)
    depth = ALL_LEVELS if is_deep else max(0, len(rest) - 1)
    return PathFilter(b"/".join(parts[:fixed]), depth)

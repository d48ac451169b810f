"""Decides which paths of a watched tree its client ignores.

`gitignore` says what one pattern means. The caller reads the rule files, detects when
they change and lets go of what they exclude.

Strongest first:

1. the globs of the client, rooted at the root of the tree;
2. the directories in which version control keeps its own state (`VCS_DIRECTORIES`);
3. the rule files of the path's directory, then of the one above, up to the top of the
   repository; in one directory `.ignore` before `.gitignore`;
4. `info/exclude` of the repository;
5. the user's `core.excludesFile`.

In each the last pattern that matches decides, as in git. Rules 2 to 5 apply only when
they are asked for. The root of the tree may lie below the top of its repository: rule
files above the root count, too. A repository inside another one follows its own rules
only. Outside of any repository the rule files count up to the root.

One difference from git is wanted: a tree whose root the rules above ignore is not
empty, for somebody asked for just this directory.

pathspec is not used for this: against `git check-ignore` it answers one in five of the
random rule files in our test differently or not at all, and importing it takes 50 ms.
"""

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from typing import NamedTuple

from gamin.patterns.gitignore import DIRECTORY_MARK, parse
from gamin.patterns.rule_groups import (
    Group,
    Step,
    groups_of,
    groups_of_text,
    size_of,
    steps_of,
)

RULE_FILES = (b".ignore", b".gitignore")
"""Names of rule files, strongest first."""
EXCLUDE_FILE = b".git/info/exclude"
"""Name under which `load` takes the `info/exclude` of a repository, for the directory
that is the repository's top. In a linked worktree the file lies elsewhere."""
USER_EXCLUDES = b"core.excludesFile"
"""Name under which `load` takes the user's exclude file, for a repository's top."""
VCS_DIRECTORIES = (b".git", b".hg", b".jj", b".svn")

MAX_TREE_EXPRESSIONS = 1 << 19
"""Bytes that the rule files of a tree compile to, together: some 30 MiB of memory."""

_MAX_CHAINS = 4096  # directories whose rules are kept merged


class RuleFile(NamedTuple):
    groups: tuple[Group, ...]
    steps: tuple[Step, ...]


class IgnoreRules:
    """The rules of one subscription; paths are relative to its root, b"" is the root.

    Asked about a path, it assumes that no directory between the root and the path is
    ignored: the caller walks from the root and does not enter what is. So nothing below
    an ignored directory can be re-included.

    Directories of rule files may lie above the root: b"..", b"../..", as far as `base`
    has names.
    """

    def __init__(
        self, globs: Sequence[bytes] = (), vcs: bool = False, base: bytes = b""
    ) -> None:
        """`base` is the path of the root as seen from the outermost directory that may
        hold rules, such as b"home/me/src"; empty where none lies above the root."""
        self._vcs = vcs
        # Inside, every path begins at that outermost directory.
        self._base = base + b"/" if base else b""
        self._tops: set[bytes] = set()
        """Tops of repositories."""
        groups = groups_of(map(parse, globs))
        if vcs:
            groups += (_VCS_GROUP,)
        self._client = self._compile(groups, base)
        self._files: dict[tuple[bytes, bytes], RuleFile] = {}
        self._expression_bytes = 0
        self._latest: tuple[bytes, tuple[Group, ...]] = b"", ()
        self._refused: dict[tuple[bytes, bytes], int] = {}
        """By place and name of a file that is one too many, the bytes that its
        expressions need."""
        self.on_refused: Callable[[bytes, bytes], None] = lambda place, name: None
        """Called with place and name of a file when it begins to be one too many."""
        self._chains: dict[bytes, tuple[Step, ...]] = {}

    @property
    def is_empty(self) -> bool:
        """True when nothing can be ignored."""
        return not self._client and not self._files

    def load(self, directory: bytes, name: bytes, text: bytes | None) -> bool:
        """Take the text of a rule file, None when it is gone.

        `name` is one of `RULE_FILES`, or, for the top of a repository, `EXCLUDE_FILE`
        or `USER_EXCLUDES`. A directory is the top of a repository while it has an
        `EXCLUDE_FILE`, be its text empty. True if the answers may differ now; a changed
        comment makes no difference. A file for which the tree has no room is not
        followed: see `on_refused` and `refused_with_room`.
        """
        if self.knows(directory, name, text):
            return False
        place = self._place(directory)
        if name == EXCLUDE_FILE and text is not None:
            self._tops.add(place)
        elif name == EXCLUDE_FILE:
            self._tops.discard(place)
        groups = self._parsed(text) if text else ()
        excess = self._excess(place, name, groups)
        was_refused = (place, name) in self._refused
        self._drop(place, name)
        if excess is not None:
            self._refused[place, name] = excess
            if not was_refused:
                self.on_refused(place, name)
        elif groups:
            self._expression_bytes += size_of(groups)
            self._files[place, name] = RuleFile(groups, self._compile(groups, place))
        self._chains.clear()
        return True

    def _excess(
        self, place: bytes, name: bytes, groups: tuple[Group, ...]
    ) -> int | None:
        """The bytes of a file's expressions, if the tree has no room for them; None if
        it has, or the file has none.

        A renamed directory counts twice until its old place is forgotten, so the others
        alone may be too many; what is followed already stays.
        """
        size, followed = size_of(groups), self._groups_of(place, name)
        others = self._expression_bytes - size_of(followed)
        if not size or groups == followed or others + size <= MAX_TREE_EXPRESSIONS:
            return None
        return size

    def _groups_of(self, place: bytes, name: bytes) -> tuple[Group, ...]:
        file = self._files.get((place, name))
        return () if file is None else file.groups

    def _parsed(self, text: bytes) -> tuple[Group, ...]:
        if text != self._latest[0]:
            self._latest = text, groups_of_text(text)
        return self._latest[1]

    def _drop(self, place: bytes, name: bytes) -> None:
        self._refused.pop((place, name), None)
        file = self._files.pop((place, name), RuleFile((), ()))
        self._expression_bytes -= size_of(file.groups)

    def knows(self, directory: bytes, name: bytes, text: bytes | None) -> bool:
        """Whether `load` of the same would make no difference."""
        if not self._vcs:
            return True
        place = self._place(directory)
        if name == EXCLUDE_FILE and (text is not None) is not (place in self._tops):
            return False
        groups = self._parsed(text) if text else ()
        excess = self._excess(place, name, groups)
        if excess != self._refused.get((place, name)):
            return False
        return (() if excess is not None else groups) == self._groups_of(place, name)

    def refused_with_room(self) -> list[tuple[bytes, bytes]]:
        """Directory and name of each file that is not followed though the tree has room
        for it now; to be loaded again. There may be no room for all of them."""
        room = MAX_TREE_EXPRESSIONS - self._expression_bytes
        return [
            (self._directory(place), name)
            for (place, name), size in self._refused.items()
            if size <= room
        ]

    def is_top(self, directory: bytes) -> bool:
        """Whether the directory is the top of a repository."""
        return self._place(directory) in self._tops

    def tops_below(self) -> list[bytes]:
        """The tops of the repositories that the tree holds, without its root."""
        return [t[len(self._base) :] for t in self._tops if self._is_below(t)]

    def _is_below(self, place: bytes) -> bool:
        return place.startswith(self._base) and len(place) > len(self._base)

    def _compile(self, groups: Iterable[Group], place: bytes) -> tuple[Step, ...]:
        """The groups of a rule file in `place`, for paths that begin at the root."""
        start = len(place) + 1 if place else 0
        above, start = self._base[start:], max(0, start - len(self._base))
        return tuple(step for group in groups for step in steps_of(group, above, start))

    def _place(self, directory: bytes) -> bytes:
        """The directory as seen from the outermost one."""
        base = self._base[:-1]
        while directory == b".." or directory.startswith(b"../"):
            base = base.rpartition(b"/")[0]
            directory = directory[3:]
        return base + b"/" + directory if base and directory else base or directory

    def _directory(self, place: bytes) -> bytes:
        """The opposite of `_place`."""
        if place == self._base[:-1] or self._is_below(place):
            return place[len(self._base) :]
        depth = place.count(b"/") + 1 if place else 0
        return b"/".join([b".."] * (self._base.count(b"/") - depth))

    def moved(self, source: bytes, destination: bytes) -> None:
        """A directory was renamed, and the rule files in it and below went along.

        What happened before that is reported by the rules of the old place, so
        they stay until `forget`. Those of what was at the new place before do not.
        """
        self.forget(destination)
        source, destination = self._place(source), self._place(destination)
        for directory, name in _keys_in(source, self._refused):
            place = destination + directory[len(source) :]
            self._refused[place, name] = self._refused[directory, name]
        for directory, name in _keys_in(source, self._files):
            groups = self._files[directory, name].groups
            place = destination + directory[len(source) :]
            steps = self._compile(groups, place)
            self._drop(place, name)
            self._files[place, name] = RuleFile(groups, steps)
            self._expression_bytes += size_of(groups)
        self._tops |= {destination + t[len(source) :] for t in self._tops_in(source)}
        self._chains.clear()

    def forget(self, directory: bytes) -> None:
        """Drop the rule files of a directory that is not there any more, and below."""
        place = self._place(directory)
        for key in _keys_in(place, {**self._files, **self._refused}):
            self._drop(*key)
        self._tops.difference_update(self._tops_in(place))
        self._chains.clear()

    def are_alike(self, one: bytes, other: bytes) -> bool:
        """Whether the rules above two directories surely say the same of what is in
        both of them."""
        chain = self._chain(one.rpartition(b"/")[0])
        if chain != self._chain(other.rpartition(b"/")[0]):
            return False
        for step in chain:
            inside = tuple(
                step.above + each[step.start :] + b"/" for each in (one, other)
            )
            if step.match_path or any(p.startswith(inside) for p in step.paths):
                return False
        return True

    def has_any(self, directory: bytes) -> bool:
        """Whether rule files in a directory, or below it, are known."""
        place = self._place(directory)
        return bool(_keys_in(place, self._files) or self._tops_in(place))

    def _tops_in(self, place: bytes) -> list[bytes]:
        prefix = place + b"/" if place else b""
        return [top for top in self._tops if top == place or top.startswith(prefix)]

    def ignored(self, path: bytes, is_dir: bool) -> bool:
        """True for a path that the rules exclude; a directory with all below it."""
        directory, _, name = path.rpartition(b"/")
        chain = self._chains.get(directory)
        if chain is None:
            chain = self._chain(directory)
        if is_dir:
            name += DIRECTORY_MARK
            path += DIRECTORY_MARK
        for names, match_name, above, start, paths, match_path, ignores in chain:
            if (
                name in names
                or (match_name is not None and match_name(name))
                or (paths and above + path[start:] in paths)
                or (match_path is not None and match_path(above + path, start))
            ):
                return ignores
        return False

    def _chain(self, directory: bytes) -> tuple[Step, ...]:
        """All rules for the entries of `directory`, strongest first; kept for reuse."""
        if len(self._chains) >= _MAX_CHAINS:
            self._chains.clear()
        chain = list(self._client)
        if self._files:
            for place in _places(self._place(directory), self._tops):
                if place in self._files:
                    chain += self._files[place].steps
        self._chains[directory] = steps = tuple(chain)
        return steps


_VCS_GROUP = Group(
    ignores=True,
    names=frozenset(name + DIRECTORY_MARK for name in VCS_DIRECTORIES),
    paths=frozenset(),
    name_expressions=(),
    path_expressions=(),
)


def _places(directory: bytes, tops: Container[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Where rules for the entries of `directory` may be, strongest first.

    The last ones are those of the innermost repository that holds it.
    """
    while True:
        for name in RULE_FILES:
            yield directory, name
        if directory in tops:
            yield directory, EXCLUDE_FILE
            yield directory, USER_EXCLUDES
            return
        if not directory:
            return
        directory = directory.rpartition(b"/")[0]


def _keys_in(
    place: bytes, files: Iterable[tuple[bytes, bytes]]
) -> list[tuple[bytes, bytes]]:
    """Those of the files that are in a directory or below it."""
    prefix = place + b"/" if place else b""
    return [key for key in files if key[0] == place or key[0].startswith(prefix)]

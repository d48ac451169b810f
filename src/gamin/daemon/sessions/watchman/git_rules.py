"""The rules that git takes from outside of a watched tree.

A tree whose root lies below the top of its repository follows the rule files above the
root; every repository follows its `info/exclude` and the user's `core.excludesFile`.
`ignore_files` reads the rule files within the tree.
"""

from collections.abc import Iterator
from typing import NamedTuple

from gamin.daemon.sessions.watchman.git_repository import (
    Repository,
    excludes_of,
    read_excludes,
    repository_of,
)
from gamin.daemon.sessions.watchman.ignore_files import Rule, read_rules
from gamin.paths import join, parent, relative
from gamin.patterns.ignore_rules import (
    EXCLUDE_FILE,
    MAX_TEXT,
    RULE_FILES,
    USER_EXCLUDES,
)


class Home(NamedTuple):
    """Where the user keeps configuration."""

    directory: bytes
    xdg: bytes = b""
    """$XDG_CONFIG_HOME; empty for the default, `directory`/.config."""


class OutsideRules(NamedTuple):
    """Rules from outside of a tree, and the files that they come from."""

    rules: tuple[Rule, ...]
    """For `IgnoreRules.load`."""
    files: tuple[bytes, ...]
    """Absolute paths, present or not: a change of one may change the rules."""


NO_RULES = OutsideRules((), ())


def base_of(root: bytes) -> bytes:
    """The root as seen from the top of its repository, for `IgnoreRules`; `root` is a
    real path. Empty at the top, and outside of repositories."""
    repository = repository_of(root)
    return b"" if repository is None else relative(root, repository.top)


def above(root: bytes, base: bytes, home: Home) -> OutsideRules:
    """What holds in a tree because of the repository that its root lies in.

    `root` is a real path and `base` what `base_of` said of it.
    """
    repository = repository_of(root)
    if repository is None or relative(root, repository.top) != base:
        return NO_RULES
    rules: list[Rule] = []
    files: list[bytes] = []
    up = b""
    while root != repository.top:
        root, up = parent(root), up + b"/.." if up else b".."
        for name in RULE_FILES:
            files.append(join(root, name))
            rules.append((up, name, read_rules(files[-1])))
    own = of_repository(repository, up, home)
    return OutsideRules((*rules, *own.rules), (*files, *own.files))


def of_repository(repository: Repository, directory: bytes, home: Home) -> OutsideRules:
    """What holds in a repository; `directory` is its top as seen from the root."""
    excludes = excludes_of(repository, home.directory, home.xdg)
    text = read_excludes(excludes.repository, MAX_TEXT)
    rules = (
        (directory, EXCLUDE_FILE, text or b""),  # its being there marks the top
        (directory, USER_EXCLUDES, read_excludes(excludes.user, MAX_TEXT)),
    )
    files = (excludes.repository, excludes.user, *excludes.sources)
    return OutsideRules(rules, tuple(filter(None, files)))


def no_repository(directory: bytes) -> Iterator[Rule]:
    """What to load when a directory is not the top of a repository any more."""
    yield directory, EXCLUDE_FILE, None
    yield directory, USER_EXCLUDES, None

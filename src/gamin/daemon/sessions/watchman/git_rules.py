"""Reads the ignore rules that git takes from outside of a watched tree.

A tree whose root lies below the top of its repository follows the rule files above the
root; every repository follows its `info/exclude` and the user's `core.excludesFile`.
`ignore_files` says which files within the tree hold rules.
"""

import logging
import os
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from gamin.daemon.sessions.watchman.git_repository import (
    Repository,
    excludes_of,
    read_excludes,
    repository_of,
)
from gamin.paths import join, parent, printable
from gamin.patterns.ignore_rules import EXCLUDE_FILE, RULE_FILES, USER_EXCLUDES
from gamin.patterns.rule_groups import MAX_TEXT, exceeded_limit
from gamin.system import errands
from gamin.system.small_file import opened

logger: logging.Logger = logging.getLogger(__name__)

Rule = tuple[bytes, bytes, bytes | None]
"""What `IgnoreRules.load` takes: an ignore file's directory, name and text."""


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


def read_rules(path: bytes) -> bytes | None:
    """The text of an ignore file; None if there is none that git would read."""
    try:
        text = errands.at(path, partial(_read, path), follows=False)
    except OSError:
        return None
    reason = exceeded_limit(text)
    if reason is not None:
        logger.warning("%s is not followed: %s", printable(path), reason)
    return text


def _read(path: bytes) -> bytes:
    # git does not follow a symlink there either, which could lead out of the tree.
    with opened(path, follows=False) as file:
        return file.read(MAX_TEXT + 1) or b""  # None: a pipe with a silent writer


def above(root: bytes, home: Home) -> OutsideRules:
    """What holds in a tree because of the repository that its root lies in, if any.

    `root` is a real path. The rules are complete: they also take back what was loaded
    while another repository held the root, or none did. A repository on another file
    system holds nothing here, as in git.
    """
    repository = repository_of(root)
    top = b"" if repository is None else repository.top
    rules: list[Rule] = []
    files: list[bytes] = []
    directory, up, is_inside = root, b"", repository is not None
    while True:
        files.append(mark_of_top(directory))
        if up:
            for name in RULE_FILES:
                file = join(directory, name)
                if is_inside:
                    files.append(file)
                rules.append((up, name, read_rules(file) if is_inside else None))
        if repository is not None and directory == top:
            own = of_repository(repository, up, home)
            rules += own.rules
            files += own.files
            is_inside = False
        else:
            rules += no_repository(up)
        if directory == b"/":
            return OutsideRules(tuple(rules), tuple(files))
        directory, up = parent(directory), up + b"/.." if up else b".."


def mark_of_top(directory: bytes) -> bytes:
    """The file whose being there makes the directory the top of a repository.

    It changes less often than anything else there: with each checkout.
    """
    dot_git = join(directory, b".git")
    is_file = errands.at(dot_git, partial(os.path.isfile, dot_git))
    return dot_git if is_file else join(dot_git, b"HEAD")


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
    """What to load for a directory that is not the top of a repository (any more)."""
    yield directory, EXCLUDE_FILE, None
    yield directory, USER_EXCLUDES, None

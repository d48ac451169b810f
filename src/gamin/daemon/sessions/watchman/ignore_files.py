"""Reads the ignore files of a tree, and reads them again when they change.

`patterns.ignore_rules` says what is in them, `git_rules` reads those outside of a tree.
"""

from collections.abc import Callable, Collection, Iterator
from functools import partial
from typing import NamedTuple

from gamin.core.model.node import Node
from gamin.core.model.subscription import Subscription
from gamin.core.model.tree import Tree
from gamin.daemon.io.errands import Steps, aside
from gamin.daemon.sessions.watchman.git_repository import repository_at
from gamin.daemon.sessions.watchman.git_rules import (
    Home,
    Rule,
    no_repository,
    of_repository,
    read_rules,
)
from gamin.events import Kind, Row
from gamin.paths import is_within, join, parent, relative
from gamin.patterns.ignore_rules import RULE_FILES, IgnoreRules
from gamin.protocol.watchman.root_config import RootConfig

Load = Callable[[Rule], None]
"""Has a rule of a tree hold from now on."""

_FILES = (*RULE_FILES, b"/.git")


class WatchmanIgnore:
    """What Watchman leaves out: what is deeper than the entries of a version control
    system's own directory, and the directories that the root's configuration names."""

    is_empty = False

    def __init__(self, config: RootConfig) -> None:
        self._names = frozenset(config.ignore_vcs)
        self._directories = frozenset(filter(None, config.ignore_dirs))
        self._prefixes = tuple(name + b"/" for name in self._directories)

    @property
    def is_vcs_alone(self) -> bool:
        """The configuration names no directory: what is ignored follows from the names
        of the directories above alone."""
        return not self._directories

    def ignored(self, path: bytes, is_dir: bool) -> bool:
        if self._prefixes and (
            path in self._directories or path.startswith(self._prefixes)
        ):
            return True
        return not self._names.isdisjoint(path.split(b"/")[:-2])


class DirectoryRules(NamedTuple):
    """What one directory has of rules, as it was read."""

    texts: dict[bytes, bytes | None]
    """By the name of an ignore file; None where there is none."""
    top: tuple[Rule, ...] | None
    """What holds in it as the top of a repository, or as none, for the directory b"".
    None if it has no entry `.git`."""


def read_directory(path: bytes, names: Collection[bytes], home: Home) -> DirectoryRules:
    """Read the rules of a directory with these names."""
    texts = {
        name: read_rules(join(path, name)) if name in names else None
        for name in RULE_FILES
    }
    top = _of_top(path, b"", home) if b".git" in names else None
    return DirectoryRules(texts, top)


def load_listed(
    subscription: Subscription,
    node: Node,
    names: Collection[bytes],
    home: Home,
    read: DirectoryRules | None = None,
) -> None:
    """A directory of the tree was listed: load its rules before its subdirectories.

    `read` is what was read in it, None if that is still to be done.
    """
    rules, root = subscription.ignore, subscription.bound_directory
    if isinstance(rules, IgnoreRules) and root is not None:
        directory = relative(node.path(), root.path())
        if read is None:
            read = read_directory(node.path(), _of_interest(names, directory), home)
        for rule in _unknown(rules, directory, read):
            rules.load(*rule)


def load_existing(rules: IgnoreRules, top: Node, home: Home) -> Steps[None]:
    """A tree begins at `top`, which others watch already: what was listed for them is
    not listed again, so load the rules in it before it is decided what to watch."""

    def load(rule: Rule) -> None:
        rules.load(*rule)

    yield from _load_below(rules, top, b"", home, load)


def may_change_rules(row: Row) -> bool:
    """Whether there may be something to read, or to drop, once the row is delivered."""
    if row.is_dir or row.path.endswith(_FILES):
        return True
    return row.source is not None and row.source.endswith(_FILES)


def load_changed(
    subscription: Subscription,
    rules: IgnoreRules,
    tree: Tree,
    row: Row,
    home: Home,
    load: Load,
) -> Steps[None]:
    """Load what there is to load now that the row is delivered, one before the next."""
    for path in (row.path, row.source):
        if path and path.endswith(b"/.git"):
            place = _place(subscription, parent(path))
            if place:  # the root's own repository is looked for from outside
                of_top = partial(_of_top, parent(path), place, home)
                for rule in (yield from aside(of_top, None)):
                    load(rule)
    if row.is_dir:
        if row.kind is Kind.CREATED or row.kind is Kind.MOVED:
            yield from _come_along(subscription, rules, tree, row, home, load)
        return
    for path in (row.path, row.source):
        directory, _, name = (path or b"").rpartition(b"/")
        place = _place(subscription, directory) if name in RULE_FILES else None
        if path and place is not None:
            text = yield from aside(partial(read_rules, path), None)
            load((place, name, text))


def _come_along(
    subscription: Subscription,
    rules: IgnoreRules,
    tree: Tree,
    row: Row,
    home: Home,
    load: Load,
) -> Steps[None]:
    """A directory that came with what is in it is not listed, where rules are read."""
    place = _place(subscription, row.path) if row.path else b""
    node = tree.find(row.path) if row.path else subscription.bound_directory
    if place is None or node is None or not node.listed:
        return
    if row.kind is Kind.MOVED:
        yield from _load_below(rules, node, place, home, load)
    else:  # what is below is delivered by itself
        yield from _load_from(rules, node, place, home, load)


def drop_rules(
    subscription: Subscription, rules: IgnoreRules, tree: Tree, row: Row
) -> None:
    """Drop the rules in a directory that is gone. What was done in it is reported by
    these rules, so call this after that was reported."""
    if not row.is_dir or row.kind not in (Kind.DELETED, Kind.MOVED):
        return
    gone = row.source or row.path
    place = _place(subscription, gone)
    if not place or tree.find(gone) is not None:
        return
    if row.kind is Kind.MOVED:
        rules.forget(place)
    else:  # what was below is reported by itself
        for name in RULE_FILES:
            rules.load(place, name, None)


def _place(subscription: Subscription, path: bytes) -> bytes | None:
    """A directory as seen from the root; None if it is not within."""
    root = subscription.bound_directory
    if root is None or not is_within(path or b"/", root.path()):
        return None
    return relative(path, root.path())


def _load_below(
    rules: IgnoreRules, top: Node, directory: bytes, home: Home, load: Load
) -> Steps[None]:
    """As `_load_from`, for all that is below, too, and neither unlisted nor ignored.

    What is above comes first, and counts for what is below when it was loaded.
    """
    found = [(top, directory)]
    while found:
        node, directory = found.pop()
        if node.listed:
            yield from _load_from(rules, node, directory, home, load)
        for child in node.children():
            path = join(directory, child.name) if directory else child.name
            if not rules.ignored(path, True):
                found.append((child, path))


def _load_from(
    rules: IgnoreRules, node: Node, directory: bytes, home: Home, load: Load
) -> Steps[None]:
    """Load what the rules do not know yet of the directory."""
    there = [name for name in (*RULE_FILES, b".git") if node.has(name)]
    reading = partial(read_directory, node.path(), _of_interest(there, directory), home)
    read = yield from aside(reading, None)
    for rule in list(_unknown(rules, directory, read)):
        load(rule)


def _of_interest(names: Collection[bytes], directory: bytes) -> Collection[bytes]:
    """The names, without `.git` of the root: the repository that holds the root is
    looked for from outside, its top included."""
    if directory or b".git" not in names:
        return names
    return [name for name in names if name in RULE_FILES]


def _unknown(
    rules: IgnoreRules, directory: bytes, read: DirectoryRules
) -> Iterator[Rule]:
    """What the rules do not know yet of a directory's ignore files."""
    if directory and (read.top is not None or rules.is_top(directory)):
        top = no_repository(b"") if read.top is None else read.top
        for _, name, text in top:
            if not rules.knows(directory, name, text):
                yield directory, name, text
    # None, too: another directory may have had rules there before.
    for name, text in read.texts.items():
        if not rules.knows(directory, name, text):
            yield directory, name, text


def _of_top(path: bytes, directory: bytes, home: Home) -> tuple[Rule, ...]:
    """What holds in a directory of the tree as the top of a repository, or as none."""
    repository = repository_at(path)
    if repository is None:
        return tuple(no_repository(directory))
    return of_repository(repository, directory, home).rules

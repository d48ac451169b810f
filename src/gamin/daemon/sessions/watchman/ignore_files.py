"""Reads the ignore files of a tree, and reads them again when they change.

What is in them is `core.ignore`'s affair.
"""

import os
from collections.abc import Collection, Iterator

from gamin.core.model.node import Node
from gamin.core.model.subscription import Subscription
from gamin.core.model.tree import Tree
from gamin.events import Kind, Row
from gamin.paths import is_within, join, relative
from gamin.patterns.ignore_rules import EXCLUDE_FILE, MAX_TEXT, RULE_FILES, IgnoreRules

Rule = tuple[bytes, bytes, bytes | None]
"""What `IgnoreRules.load` takes: an ignore file's directory, name and text."""


class WatchmanIgnore:
    """What Watchman leaves out by itself: whatever is deeper than the entries of a
    version control system's own directory."""

    is_empty = False
    _names = frozenset((b".git", b".hg", b".svn", b".jj"))

    def ignored(self, path: bytes, is_dir: bool) -> bool:
        return not self._names.isdisjoint(path.split(b"/")[:-2])


def read_rules(path: bytes) -> bytes | None:
    """The text of an ignore file; None if there is none that git would read."""
    try:
        with open(path, "rb", opener=_open) as file:
            return file.read(MAX_TEXT + 1)
    except OSError:
        return None


def _open(path: str, flags: int) -> int:
    """git does not follow a symlink there either, which could lead out of the tree."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def load_listed(keeper: Subscription, node: Node, names: Collection[bytes]) -> None:
    """A directory of the tree was listed: know its rules before its subdirectories."""
    rules, root = keeper.ignore, keeper.bound_directory
    if isinstance(rules, IgnoreRules) and root is not None:
        directory = relative(node.path(), root.path())
        for rule in _unknown(rules, node, directory, names):
            rules.load(*rule)


def load_existing(rules: IgnoreRules, top: Node) -> None:
    """A tree begins at `top`, where others watch already: what was listed for them is
    not listed again, so know the rules in it before it is decided what to watch."""
    for rule in _unknown_below(rules, top, b""):
        rules.load(*rule)


def may_change_rules(row: Row) -> bool:
    """Whether there may be something to read, or to forget, when the row was told."""
    if row.is_dir or row.path.endswith(RULE_FILES):
        return True
    return row.source is not None and row.source.endswith(RULE_FILES)


def rules_to_load(
    keeper: Subscription, rules: IgnoreRules, tree: Tree, row: Row
) -> Iterator[Rule]:
    """What is to be loaded now that the row was told, one before the next."""
    if row.is_dir:
        if row.kind is Kind.CREATED or row.kind is Kind.MOVED:
            yield from _come_along(keeper, rules, tree, row)
        return
    for path in (row.path, row.source):
        directory, _, name = (path or b"").rpartition(b"/")
        place = _place(keeper, directory) if name in RULE_FILES else None
        if path and place is not None:
            yield place, name, read_rules(path)


def _come_along(
    keeper: Subscription, rules: IgnoreRules, tree: Tree, row: Row
) -> Iterator[Rule]:
    """A directory that came with what is in it is not listed, where rules are read."""
    place = _place(keeper, row.path) if row.path else b""
    node = tree.find(row.path) if row.path else keeper.bound_directory
    if place is None or node is None or not node.listed:
        return
    if row.kind is Kind.MOVED:
        yield from _unknown_below(rules, node, place)
    else:  # what is below is told by itself
        yield from _unknown(rules, node, place, _there(node))


def drop_rules(keeper: Subscription, rules: IgnoreRules, tree: Tree, row: Row) -> None:
    """Drop the rules in a directory that is gone. What was done in it was told by them,
    so not before this was told as well."""
    if not row.is_dir or row.kind not in (Kind.DELETED, Kind.MOVED):
        return
    gone = row.source or row.path
    place = _place(keeper, gone)
    if not place or tree.find(gone) is not None:
        return
    if row.kind is Kind.MOVED:
        rules.forget(place)
    else:  # what was below is told by itself
        for name in RULE_FILES:
            rules.load(place, name, None)


def _place(keeper: Subscription, path: bytes) -> bytes | None:
    """A directory as seen from the root; None if it is not within."""
    root = keeper.bound_directory
    if root is None or not is_within(path or b"/", root.path()):
        return None
    return relative(path, root.path())


def _unknown_below(rules: IgnoreRules, top: Node, directory: bytes) -> Iterator[Rule]:
    """As `_unknown`, for all that is below, too, and neither unlisted nor ignored.

    What is above comes first, and counts for what is below when it was loaded.
    """
    found = [(top, directory)]
    while found:
        node, directory = found.pop()
        if node.listed:
            yield from _unknown(rules, node, directory, _there(node))
        for child in node.children():
            path = join(directory, child.name) if directory else child.name
            if not rules.ignored(path, True):
                found.append((child, path))


def _there(node: Node) -> list[bytes]:
    return [name for name in RULE_FILES if node.has(name)]


def _unknown(
    rules: IgnoreRules, node: Node, directory: bytes, there: Collection[bytes]
) -> Iterator[Rule]:
    """What the rules do not know yet of a directory's ignore files."""
    for name in RULE_FILES if directory else (*RULE_FILES, EXCLUDE_FILE):
        # None, too: another directory may have had rules there before.
        is_there = name in there or name is EXCLUDE_FILE
        text = read_rules(node.path_prefix() + name) if is_there else None
        if not rules.knows(directory, name, text):
            yield directory, name, text

"""Reads the ignore files of a tree, and reads them again when they change.

What is in them is `core.ignore`'s affair.
"""

import os
from collections.abc import Collection

from gamin.core.ignore import EXCLUDE_FILE, MAX_TEXT, RULE_FILES, IgnoreRules
from gamin.core.node import Node
from gamin.core.subscriptions import Subscription
from gamin.paths import join, relative


class InsideVcs:
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
        _load(rules, node, relative(node.path(), root.path()), names)


def load_known(rules: IgnoreRules, top: Node) -> None:
    """A tree begins at `top`, where others watch already: what was listed for them is
    not listed again, so know the rules in it before it is decided what to watch."""
    found = [(top, b"")]
    while found:
        node, directory = found.pop()
        if node.listed:
            _load(rules, node, directory, node.names.keys())
        for child in node.children():
            path = join(directory, child.name) if directory else child.name
            if not rules.ignored(path, True):
                found.append((child, path))


def _load(
    rules: IgnoreRules, node: Node, directory: bytes, names: Collection[bytes]
) -> None:
    if not directory:
        rules.load(b"", EXCLUDE_FILE, read_rules(node.slashed() + EXCLUDE_FILE))
    for name in RULE_FILES:
        # None, too: another directory may have had rules there before.
        text = read_rules(node.slashed() + name) if name in names else None
        rules.load(directory, name, text)


def rule_file(keeper: Subscription, path: bytes) -> tuple[bytes, bytes] | None:
    """The directory (relative to the root) and the name, if `path` is a rule file."""
    root = keeper.bound_directory
    directory, _, name = path.rpartition(b"/")
    if name not in RULE_FILES or root is None:
        return None
    return relative(directory or b"/", root.path()), name

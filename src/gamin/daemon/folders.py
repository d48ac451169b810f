"""What a root's clients may know of its tree, directory by directory.

How that is written is left to the encoder.
"""

from collections.abc import Iterator

from gamin.core.node import FILE, Node
from gamin.core.subscriptions import Scope, Subscription
from gamin.paths import relative

Folder = tuple[bytes, list[bytes] | None]
"""The path of a directory from the root, and the names in it that are not ignored;
None where the root does not look inside."""


def folders(keeper: Subscription) -> Iterator[Folder]:
    """Every directory of the tree, beginning with the root; lazily."""
    root = keeper.bound_directory
    if root is None:
        return
    top = root.slashed()
    is_tree = keeper.scope is Scope.TREE
    sees_all = keeper.ignore is None or keeper.ignore.is_empty
    stack = [root]
    while stack:
        node = stack.pop()
        prefix = node.slashed()
        if not node.listed:  # nobody may, or it is being done: its rows will follow
            yield relative(prefix[:-1], top), None
            continue
        told = node.told()
        names = [
            name
            for name, known in told.items()
            if sees_all or keeper.admits(prefix + name, known is not FILE)
        ]
        yield relative(prefix[:-1], top), names
        for name in names:
            known = told[name]
            if known is FILE:
                continue
            path = prefix + name
            if is_tree and isinstance(known, Node) and keeper.enters(path):
                stack.append(known)
            else:
                yield relative(path, top), None

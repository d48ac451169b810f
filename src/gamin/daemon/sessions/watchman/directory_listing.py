"""What a root's clients may know of its tree, directory by directory.

How that is written is left to `protocol.modern.folders`.
"""

from collections.abc import Iterator

from gamin.core.model.node import FILE, Node
from gamin.core.model.subscription import Scope, Subscription
from gamin.protocol.watchman.codec.directory_listing import Folder


def folders(keeper: Subscription) -> Iterator[Folder]:
    """Every directory of the tree, beginning with the root; lazily."""
    root = keeper.bound_directory
    if root is None:
        return
    top = root.path_prefix()
    is_tree = keeper.scope is Scope.TREE
    sees_all = keeper.ignore is None or keeper.ignore.is_empty
    stack = [(root, b"")]
    while stack:
        node, path = stack.pop()
        if not node.listed:  # nobody may, or it is being done: its rows will follow
            yield path, None
            continue
        if sees_all and node.is_packed:
            yield path, node.packed
            continue
        prefix = path + b"/" if path else b""
        entries = node.published_entries()
        if not sees_all:
            entries = {
                name: known
                for name, known in entries.items()
                if keeper.covers_entry(top + prefix + name, known is not FILE)
            }
        yield path, b"/".join(entries)
        if not any(entries.values()):
            continue  # files only, as in most
        for name, known in entries.items():
            below = prefix + name
            if known is FILE:
                continue
            if (
                is_tree
                and isinstance(known, Node)
                and keeper.covers_directory(top + below)
            ):
                stack.append((known, below))
            else:
                yield below, None

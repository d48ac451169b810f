"""Lists the names in every directory of a root, as the first message to a client.

`gamin.protocol.watchman.codec.directory_listing` writes them.
"""

from collections.abc import Iterator

from gamin.core.model.node import FILE, Node
from gamin.core.model.subscription import Scope, Subscription
from gamin.protocol.watchman.codec.directory_listing import Folder


def folders(subscription: Subscription) -> Iterator[Folder]:
    """Yield every directory of the tree with its names, the root first."""
    root = subscription.bound_directory
    if root is None:
        return
    top = root.path_prefix()
    is_tree = subscription.scope is Scope.TREE
    sees_all = subscription.ignore is None or subscription.ignore.is_empty
    stack = [(root, b"")]
    while stack:
        node, path = stack.pop()
        if not node.listed:  # unreadable, or being scanned: its rows will follow
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
                if subscription.covers_entry(top + prefix + name, known is not FILE)
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
                and subscription.covers_directory(top + below)
            ):
                stack.append((known, below))
            else:
                yield below, None

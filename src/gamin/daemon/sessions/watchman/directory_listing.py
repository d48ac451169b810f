"""Lists the names in every directory of a root, as the first message to a client.

`gamin.protocol.watchman.codec.directory_listing` writes them.
"""

from collections.abc import Iterator

from gamin.core.model.difference import NOW, gone_after, present_at
from gamin.core.model.node import FILE, SUBDIR, Node
from gamin.core.model.subscription import Scope, Subscription
from gamin.protocol.watchman.codec.directory_listing import Folder


def folders(subscription: Subscription, until: int = NOW) -> Iterator[Folder]:
    """Yield every directory of the tree with its names, the root first. `until` as in
    `difference`."""
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
        is_whole = node.latest_tick <= until
        if sees_all and is_whole and node.is_packed:
            yield path, node.packed
            continue
        prefix = path + b"/" if path else b""
        entries = node.published_entries()
        if not is_whole:
            # With `settle`, a client leaves out deletions of names that it does not
            # know, and what went meanwhile is in the difference that follows.
            gone = [
                (n, SUBDIR if is_dir else FILE) for n, is_dir in gone_after(node, until)
            ]
            entries = dict([*present_at(node, until), *gone])
        if not sees_all:
            entries = {
                name: known
                for name, known in entries.items()
                if subscription.covers_entry(top + prefix + name, known is not FILE)
            }
        # Before others get their turn: the entries may be other ones afterwards.
        directories = [(n, k) for n, k in entries.items() if k is not FILE]
        yield path, b"/".join(entries)
        for name, known in directories:
            below = prefix + name
            if (
                is_tree
                and isinstance(known, Node)
                and subscription.covers_directory(top + below)
            ):
                stack.append((known, below))
            else:
                yield below, None

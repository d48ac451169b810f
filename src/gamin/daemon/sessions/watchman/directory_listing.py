"""Lists the names in every directory of a root, as the first message to a client.

`gamin.protocol.watchman.codec.directory_listing` writes them.
"""

from collections.abc import Iterator, Mapping
from itertools import chain

from gamin.core.model.difference import NOW, gone_after, present_at
from gamin.core.model.node import FILE, SUBDIR, Node
from gamin.core.model.packing import parts_of
from gamin.core.model.subscription import Scope, Subscription
from gamin.protocol.watchman.codec.directory_listing import Folder

NAMES_PER_PART = 4_096
"""Names of one directory that are listed before others get their turn: a millisecond,
or two where rules say which of them are ignored."""
PACKED_PER_PART = 16 * NAMES_PER_PART
"""The same where they are packed, in bytes."""


def folders(subscription: Subscription, until: int = NOW) -> Iterator[Folder | None]:
    """Yield every directory of the tree with its names, the root first; None where
    others may get their turn. `until` as in `difference`."""
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
        directories: list[tuple[bytes, Node | bool]] = []
        parts: list[bytes] = []
        for some in _entries(node, until):
            if not sees_all:
                some = [
                    (name, known)
                    for name, known in some
                    if subscription.covers_entry(top + prefix + name, known is not FILE)
                ]
            directories += [each for each in some if each[1] is not FILE]
            if some:
                parts.append(b"/".join([name for name, _ in some]))
            yield None
        yield path, b"/".join(parts)
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


def _entries(node: Node, until: int) -> Iterator[list[tuple[bytes, Node | bool]]]:
    """What is in a directory when the first part is taken: some entries at a time."""
    there: Mapping[bytes, Node | bool]
    if node.latest_tick > until:
        # With `settle`, a client leaves out deletions of names that it does not
        # know, and what went meanwhile is in the difference that follows.
        gone = gone_after(node, until)
        of_then = ((name, SUBDIR if is_dir else FILE) for name, is_dir in gone)
        there = dict(chain(present_at(node, until), of_then))
    elif node.is_packed and not node.deferred:
        for part in parts_of(node.packed, PACKED_PER_PART):
            yield [(name, FILE) for name in part.split(b"/")]
        return
    else:
        there = node.published_entries()
    # Copies: the entries may be other ones when others had their turn. Two, for a list
    # of 200,000 pairs takes 20 ms to make and to free.
    names, known = list(there), list(there.values())
    for start in range(0, len(names), NAMES_PER_PART):
        end = start + NAMES_PER_PART
        yield list(zip(names[start:end], known[start:end], strict=True))

"""What is different between a tick and now: the answer for whoever was not told.

A query's `since`, a slow client's backlog, what a busy directory did in the last
second and what a resumed client missed are all this one question. Pure reading of the
tree; who may see which row is the caller's affair.
"""

from collections.abc import Callable, Iterator

from gamin.core.tree import FILE, Node, Touch
from gamin.events import Kind, Row

Enters = Callable[[bytes], bool]
"""Whether a subdirectory (absolute path) belongs to the scope asked about."""


ALL_NEW = -1
"""A tick before every birth: whatever is there is new."""


def everywhere(_path: bytes) -> bool:
    return True


def entries_since(node: Node, since: int, prefix: bytes | None = None) -> Iterator[Row]:
    """Rows for the entries of one directory, oldest change first.

    Created and deleted again since then gives no row; deleted and created again gives
    both, in that order.
    """
    prefix = node.slashed() if prefix is None else prefix
    if node.born > since:
        yield from _as_new(node, since, prefix)
        return
    recent: list[tuple[bytes, Touch]] = []
    for item in reversed((node.touched or {}).items()):
        if item[1][0] <= since:
            break
        recent.append(item)
    for name, touch in reversed(recent):
        yield from entry_since(node, name, touch, since, prefix)


def entry_since(
    node: Node, name: bytes, touch: Touch, since: int, prefix: bytes
) -> Iterator[Row]:
    """Rows for one entry that was touched after `since`."""
    _, born, died, first, is_dir = touch
    known = node.names.get(name)
    if known is None:
        if first <= since:
            yield Row(Kind.DELETED, prefix + name, is_dir)
    elif born <= since:
        yield Row(Kind.CHANGED, prefix + name, known is not FILE)
    else:
        if died > since and first <= since:
            yield Row(Kind.DELETED, prefix + name, is_dir)
        yield Row(Kind.CREATED, prefix + name, known is not FILE, None, True)


def _as_new(node: Node, since: int, prefix: bytes) -> Iterator[Row]:
    """The directory itself came after `since`: all in it is new, all else is gone."""
    for name, (last, _, died, first, is_dir) in (node.touched or {}).items():
        if died > since >= first and last > since:
            yield Row(Kind.DELETED, prefix + name, is_dir)
    if node.listed:
        for name, known in node.names.items():
            yield Row(Kind.CREATED, prefix + name, known is not FILE, None, True)


def tree_since(
    node: Node, since: int, enters: Enters = everywhere, prefix: bytes | None = None
) -> Iterator[Row]:
    """Rows for everything below `node`: what vanished first, parents before children.

    Descends only where something changed.
    """
    prefix = node.slashed() if prefix is None else prefix
    for ghost in list((node.ghosts or {}).values()):
        if ghost.latest > since and enters(prefix + ghost.name):
            yield from _vanished(
                ghost, since, prefix + ghost.name + b"/", set(), {node}
            )
    for tick, gone in node.left or ():
        if tick > since:
            yield from _vanished(gone, since, prefix, set(node.names), {node})
    yield from entries_since(node, since, prefix)
    for child in list(node.children()):
        if (child.latest > since or child.born > since or node.born > since) and enters(
            prefix + child.name
        ):
            inherited = since if node.born <= since else ALL_NEW
            yield from tree_since(child, inherited, enters, prefix + child.name + b"/")


def _vanished(
    node: Node, since: int, prefix: bytes, present: set[bytes], seen: set[Node]
) -> Iterator[Row]:
    """Everything that was below `prefix`, where `node` once was and is no more.

    `present` are names that something else has there now. `seen` ends the round of a
    directory that was renamed away and back.
    """
    if node in seen:
        return
    seen.add(node)
    for below in (*(node.ghosts or {}).values(), *node.children()):
        if below.name not in present:
            deeper = prefix + below.name + b"/"
            yield from _vanished(below, since, deeper, set(), seen)
    for tick, gone in node.left or ():
        if tick > since:
            yield from _vanished(gone, since, prefix, present, seen)
    for name, known in node.names.items():
        if name not in present:
            yield Row(Kind.DELETED, prefix + name, known is not FILE)
    for name, (_, _, died, first, is_dir) in (node.touched or {}).items():
        if name not in node.names and name not in present and died > since >= first:
            yield Row(Kind.DELETED, prefix + name, is_dir)


def listing(node: Node, enters: Enters | None = None) -> Iterator[Row]:
    """An EXISTS row for every entry; for the whole tree where `enters` is given."""
    stack = [node]
    while stack:
        node = stack.pop()
        if not node.listed:
            continue
        prefix = node.slashed()
        for name, known in node.names.items():
            path = prefix + name
            yield Row(Kind.EXISTS, path, known is not FILE, None, True)
            if enters is not None and isinstance(known, Node) and enters(path):
                stack.append(known)

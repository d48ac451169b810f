"""What is known of a part of the disk, as plain values that a store can write and read.

A node holds two kinds of state. Its *belief* (names, ticks, history, tombstones) is
about the disk and outlives a server; its *wiring* (watches, masks, audiences, who waits
for which name) is about this server's clients and backends. Only belief is exported.

Reports that are deferred are between the two: flush them before an export, or clients
would never get them.
"""

from typing import NamedTuple

from gamin.core.model.node import FILE, SUBDIR, History, Node
from gamin.core.model.tree import Tree

NONE = -1
"""In `DirectoryBelief.parent`: no exported directory is above this one."""


class DirectoryBelief(NamedTuple):
    """What is known of one directory. Others are referred to by their index."""

    name: bytes
    parent: int
    """The directory above, which comes before this one; NONE for the first one, and for
    directories that were renamed to a place that is not exported."""
    created_tick: int
    latest_tick: int
    listed: bool
    files: bytes
    """Names of the entries that are no directories, joined by "/"."""
    subdirectories: bytes
    """Names of the subdirectories of which nothing is known, joined by "/"."""
    children: tuple[int, ...]
    """The subdirectories of which something is known."""
    history: tuple[tuple[bytes, History], ...]
    """What happened to entries, oldest change first."""
    tombstones: tuple[int, ...]
    """Subdirectories that went away."""
    moved_away: tuple[tuple[int, int], ...]
    """Directories that were at this place before: a tick and an index each."""


class Belief(NamedTuple):
    """What is known of a directory and all below it."""

    tick: int
    floor: int
    """The oldest tick since which a difference is known."""
    directories: tuple[DirectoryBelief, ...]
    """The directory itself is the first."""


def export(tree: Tree, top: Node) -> Belief:
    """Everything that is known of `top` and below it. What is there comes first, in the
    order of `top.subtree()`, and then what went away."""
    parents: dict[Node, Node | None] = {node: node.parent for node in top.subtree()}
    parents[top] = None
    there = list(parents)
    parents |= _went_away(there)
    nodes = [*there, *_parents_first(parents, set(there))]
    indexes = {node: index for index, node in enumerate(nodes)}
    directories = []
    for node in nodes:
        above = parents[node]
        index = NONE if above is None else indexes[above]
        directories.append(_export_one(node, index, indexes))
    return Belief(tree.tick, tree.floor, tuple(directories))


def _went_away(there: list[Node]) -> dict[Node, Node | None]:
    """The directories that went away from `there` and those below them, each with the
    exported directory above it."""
    holders: dict[Node, Node | None] = {}
    known = set(there)
    pending = list(there)
    for node in pending:  # it grows: what went away was left by others
        gone: list[tuple[Node, Node | None]] = [
            (ghost, node) for ghost in (node.tombstones or {}).values()
        ]
        gone += [(moved, None) for _, moved in node.moved_away or ()]
        for first, holder in gone:
            for below in first.subtree():
                if below not in known:
                    known.add(below)
                    pending.append(below)
                    holders[below] = holder if below is first else None
    return {node: _above(node, holders) for node in holders}


def _above(node: Node, holders: dict[Node, Node | None]) -> Node | None:
    """What moved away may be in another directory that moved away."""
    above = node.parent
    if above in holders and above.names.get(node.name) is node:
        return above
    return holders[node]


def _parents_first(parents: dict[Node, Node | None], known: set[Node]) -> list[Node]:
    """The directories that are not `known`, each of them behind the one above it."""
    below: dict[Node | None, list[Node]] = {}
    for node, above in parents.items():
        if node not in known:
            below.setdefault(above, []).append(node)
    ordered = [
        node
        for above, nodes in below.items()
        if above is None or above in known
        for node in nodes
    ]
    for node in ordered:  # it grows
        ordered += below.get(node, ())
    return ordered


def _export_one(node: Node, parent: int, indexes: dict[Node, int]) -> DirectoryBelief:
    if node.is_packed:
        files, subdirectories = node.packed, b""
    else:
        files, subdirectories = (
            b"/".join(name for name, known in node.names.items() if known is kind)
            for kind in (FILE, SUBDIR)
        )
    return DirectoryBelief(
        node.name,
        parent,
        node.created_tick,
        node.latest_tick,
        node.listed,
        files,
        subdirectories,
        tuple(indexes[child] for child in node.children()),
        tuple((node.history or {}).items()),
        tuple(indexes[ghost] for ghost in (node.tombstones or {}).values()),
        tuple((tick, indexes[gone]) for tick, gone in node.moved_away or ()),
    )


def restore(tree: Tree, parent: Node | None, belief: Belief) -> Node:
    """Make nodes from what was exported, and link the first one into `parent`, or as
    the root. The tree's ticks go on after those of the belief."""
    nodes: list[Node] = []
    for known in belief.directories:
        above = parent if not nodes else None
        if known.parent != NONE:
            above = nodes[known.parent]
        nodes.append(
            Node.restored(
                above,
                known.name,
                known.created_tick,
                known.latest_tick,
                known.listed,
                dict(known.history) or None,
                {} if known.tombstones else None,
                [] if known.moved_away else None,
            )
        )
    for node, known in zip(nodes, belief.directories, strict=True):
        _restore_links(node, known, nodes)
    top = nodes[0]
    tree.resume(belief.tick, belief.floor, sum(len(n.history or ()) for n in nodes))
    if parent is None:
        tree.root = top
    else:
        parent.names[top.name] = top
    return top


def _restore_links(node: Node, known: DirectoryBelief, nodes: list[Node]) -> None:
    if known.subdirectories or known.children:
        if known.files:
            node.names.update(dict.fromkeys(known.files.split(b"/"), FILE))
        if known.subdirectories:
            node.names.update(dict.fromkeys(known.subdirectories.split(b"/"), SUBDIR))
        for index in known.children:
            node.names[nodes[index].name] = nodes[index]
    elif known.files:
        node.pack([known.files])
    if node.tombstones is not None:
        for index in known.tombstones:
            node.tombstones[nodes[index].name] = nodes[index]
    if node.moved_away is not None:
        node.moved_away.extend((tick, nodes[at]) for tick, at in known.moved_away)

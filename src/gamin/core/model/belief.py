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
    """Everything that is known of `top` and below it."""
    nodes = list(top.subtree())
    indexes = {node: index for index, node in enumerate(nodes)}
    parents = [NONE if node is top else indexes[_parent(node)] for node in nodes]
    for node in nodes:  # the list grows: what went away may have been left by others
        found = [(ghost, indexes[node]) for ghost in (node.tombstones or {}).values()]
        found += [(gone, NONE) for _, gone in node.moved_away or ()]
        for gone, parent in found:
            for below in gone.subtree():
                if below in indexes:
                    continue
                indexes[below] = len(nodes)
                nodes.append(below)
                parents.append(parent if below is gone else indexes[_parent(below)])
    directories = [
        _export_one(node, parent, indexes)
        for node, parent in zip(nodes, parents, strict=True)
    ]
    return Belief(tree.tick, tree.floor, tuple(directories))


def _parent(node: Node) -> Node:
    assert node.parent is not None  # only the root has none, and it is never below
    return node.parent


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

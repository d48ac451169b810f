"""What is known of a part of the disk, as plain values that a store can write and read.

A node holds two kinds of state. Its *belief* (names, ticks, history, tombstones) is
about the disk and outlives a server; its *wiring* (watches, masks, audiences, who waits
for which name) is about this server's clients and backends. Only belief is exported.

Directories refer to others by numbers, which a tree gives to its nodes for good. So a
part can be exported once, and later only the directories that changed since then: a
later belief of a directory replaces an earlier one.

Reports that are deferred are between the two kinds: flush them before an export, or
clients would never get them.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from gamin.core.model.history import History
from gamin.core.model.node import FILE, SUBDIR, Node
from gamin.core.model.tree import Tree, place_below

Includes = Callable[[Node], bool]
"""Whether a subdirectory, which has a node, is part of what is exported."""
ALWAYS = -1
"""The tick that all beliefs are later than."""


class DirectoryBelief(NamedTuple):
    """What is known of one directory."""

    number: int
    name: bytes
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
    moved_away: tuple[tuple[int, int, int], ...]
    """Directories that were at this place before, as in a node, with their numbers."""
    placed_tick: int


class Belief(NamedTuple):
    """What is known of a directory and all below it."""

    tick: int
    floor: int
    """The oldest tick since which a difference is known."""
    top: int
    """The number of the directory itself."""
    directories: tuple[DirectoryBelief, ...]
    """The last one of a number is the one that holds. One to which nothing leads is of
    no meaning."""


class Dangling(Exception):
    """A directory refers to one that is not part of the belief."""


def everything(_node: Node) -> bool:
    """Includes every subdirectory."""
    return True


def export(tree: Tree, top: Node) -> Belief:
    """Everything that is known of `top` and below it."""
    directories = [export_one(tree, node) for node in changed(top, ALWAYS)]
    return Belief(tree.tick, tree.floor, tree.number(top), tuple(directories))


def changed(top: Node, since: int, includes: Includes = everything) -> Iterator[Node]:
    """The directories at and below `top` of which more is known than at the tick
    `since`, and those that went away. The tree may change meanwhile: what it changes
    may be in it or not, and is later than the tick at which this began."""
    stack = [(top, False)]
    gone: set[Node] = set()
    while stack:
        node, is_new = stack.pop()
        is_new = is_new or node.created_tick > since
        if not is_new and node.latest_tick <= since:
            continue
        yield node
        for tick, left, _ in node.moved_away or ():
            if (is_new or tick > since) and left not in gone:
                gone.add(left)
                if not (top.contains(left) and left.is_linked):
                    stack.append((left, is_new))
        stack += [(tombstone, is_new) for tombstone in (node.tombstones or {}).values()]
        stack += [(child, is_new) for child in node.children() if includes(child)]


def export_one(
    tree: Tree, node: Node, includes: Includes = everything
) -> DirectoryBelief:
    """What is known of one directory."""
    files, subdirectories = node.packed, b""
    children: tuple[int, ...] = ()
    if not node.is_packed:
        items = node.names.items()
        files = b"/".join([name for name, known in items if known is FILE])
        others = [(name, known) for name, known in items if known is not FILE]
        if others:
            nodes = [k for _, k in others if isinstance(k, Node) and includes(k)]
            children = tuple([tree.number(child) for child in nodes])
            known = {child.name for child in nodes}
            subdirectories = b"/".join([n for n, _ in others if n not in known])
    return DirectoryBelief(
        tree.number(node),
        node.name,
        node.created_tick,
        node.latest_tick,
        node.listed,
        files,
        subdirectories,
        children,
        tuple(node.past.items()),
        tuple([tree.number(gone) for gone in (node.tombstones or {}).values()]),
        tuple([(t, tree.number(gone), p) for t, gone, p in node.moved_away or ()]),
        node.placed_tick,
    )


def restore(tree: Tree, parent: Node | None, belief: Belief) -> Node:
    """Make nodes from what was exported, and link the first one into `parent`, or as
    the root. The tree's ticks go on after those of the belief. Raises Dangling."""
    restoring = Restoring(belief.top)
    for known in belief.directories:
        restoring.add(known)
    for _ in restoring.steps():
        pass
    top = restoring.top
    tree.resume(belief.tick, belief.floor, restoring.touches)
    if parent is None:
        tree.root = top
    else:
        parent.names[top.name] = top
        place_below(top, parent)
    return top


class Restoring:
    """Makes nodes from what was exported, a little at a time.

    Each directory becomes a node as soon as it is added, so that of a large tree not
    all that was exported is in memory beside all its nodes. Few directories refer to
    others: only what those say is kept until all are there.
    """

    def __init__(self, top: int) -> None:
        """`top`: the number of the directory that leads to all others."""
        self._top = top
        self._made: dict[int, Node] = {}
        self._linked: dict[int, DirectoryBelief] = {}
        """What is known of the directories that refer to others."""
        self.nodes: dict[int, Node] = {}
        """By number, all that the first one leads to."""
        self.touches: int = 0
        """Histories that were restored."""
        self._gone: list[int] = []
        self._ticks: dict[int, int] = {}
        """One object for each: most directories of a tree share a few ticks."""

    @property
    def top(self) -> Node:
        return self.nodes[self._top]

    def add(self, known: DirectoryBelief) -> None:
        """Make the node of a directory; a later one of the same number replaces it."""
        shared = self._ticks.setdefault
        node = self._made[known.number] = Node.restored(
            None,
            known.name,
            shared(known.created_tick, known.created_tick),
            shared(known.latest_tick, known.latest_tick),
            known.listed,
            dict(known.history) or None,
            {} if known.tombstones else None,
            [] if known.moved_away else None,
            shared(known.placed_tick, known.placed_tick),
        )
        self._linked.pop(known.number, None)
        if known.subdirectories or known.children:
            self._linked[known.number] = known
            return
        if known.files:
            node.pack([known.files])
        if known.tombstones or known.moved_away:
            self._linked[known.number] = known

    def steps(self) -> Iterator[None]:
        """Link all that was added, and yield after each directory. Raises Dangling."""
        try:
            yield from self._reach([self._top])
            # After what is there: a directory may be in one that went away as well,
            # from which it was moved after that was exported for the last time.
            while self._gone:
                gone, self._gone = self._gone, []
                yield from self._reach([n for n in gone if n not in self.nodes])
            for number, node in self.nodes.items():
                known = self._linked.get(number)
                if known is not None:
                    self._remember(node, known)
                    yield
        except KeyError as error:
            raise Dangling from error
        self._made, self._linked = {}, {}

    def _reach(self, pending: list[int]) -> Iterator[None]:
        """Fill these directories and all that are in them."""
        for number in pending:  # it grows
            node = self._node(number)
            self.touches += len(node.history or ())
            known = self._linked.get(number)
            if known is not None:
                self._fill(node, known, pending)
            yield

    def _fill(self, node: Node, known: DirectoryBelief, pending: list[int]) -> None:
        """Enter what was known to be in a directory."""
        if known.subdirectories or known.children:
            if known.files:
                node.names.update(dict.fromkeys(known.files.split(b"/"), FILE))
            if known.subdirectories:
                others = known.subdirectories.split(b"/")
                node.names.update(dict.fromkeys(others, SUBDIR))
            for below in known.children:
                self._enter(node, below, pending)
        self._gone += known.tombstones
        self._gone += [left for _, left, _ in known.moved_away]

    def _enter(self, node: Node, number: int, pending: list[int]) -> None:
        is_known = number in self.nodes
        child = self._node(number)
        if child.parent is None and number != self._top:
            place_below(child, node)
            node.names[child.name] = child
            if not is_known:
                pending.append(number)

    def _node(self, number: int) -> Node:
        """The node of this number, which something leads to."""
        node = self.nodes[number] = self._made[number]
        return node

    def _remember(self, node: Node, known: DirectoryBelief) -> None:
        """Link what went away to where it was."""
        nodes = self.nodes
        if node.tombstones is not None:
            for number in known.tombstones:
                tombstone = nodes[number]
                node.tombstones[tombstone.name] = tombstone
                if tombstone.parent is None:
                    place_below(tombstone, node)
        if node.moved_away is not None:
            node.moved_away.extend(
                (tick, nodes[left], placed) for tick, left, placed in known.moved_away
            )

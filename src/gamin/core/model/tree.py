"""The tree of directories that somebody cares for, the names in them, and ticks.

It holds what is believed of the disk and since when; who is told, and how changes are
noticed, is `monitor`'s affair.

Every drained batch advances one *tick*. A name that was touched since the start has a
`Touch` in its directory's `touched`, kept in order of the last touch; all other names
share the constant that says what they are, so they cost one dictionary entry. A name
that went away keeps its touch as a tombstone. Each directory carries the latest tick
at or below it, so "what changed since clock c" descends only where something did.

A directory that went away stays in its parent's `ghosts`, with its tombstones, and is
revived when the name comes back. One that was renamed is linked anew, with all that is
below it, in one step; the place it left remembers it in `left`, because for a clock
from before the rename everything below is gone from there.
"""

from gamin.core.model.node import FILE, Node

TOUCH_LIMIT = 200_000
"""Touches (some 250 bytes each) that may gather before the older half is dropped."""


class Tree:
    """All nodes, and the tick. Changes of names go through here, so ticks hold."""

    def __init__(self) -> None:
        self.root = Node(None, b"")
        self.tick = 1
        self.floor = 0
        """Clocks older than this tick cannot be answered: tombstones were dropped."""
        self.touches = 0
        """How many there may be: some are counted that replaced others."""
        self._half = 1

    def find(self, path: bytes) -> Node | None:
        """The node of a directory by its real path, if there is one."""
        node: Node | None = self.root
        for name in filter(None, path.split(b"/")):
            node = None if node is None else node.child(name)
        return node

    def touch(self, node: Node, name: bytes) -> None:
        """An existing entry changed."""
        touched = node.touched
        if touched is None:
            touched = node.touched = {}
        before = touched.pop(name, None)
        if before is None:
            self.touches += 1
            is_dir = node.names[name] is not FILE
            touched[name] = (self.tick, 0, 0, 0, is_dir)
        else:
            touched[name] = (self.tick, *before[1:])
        if node.latest < self.tick:
            self.raise_latest(node)

    def add(self, node: Node, name: bytes, known: Node | bool) -> None:
        """An entry came into being."""
        tick = self.tick
        node.names[name] = known
        touched = node.touched
        if touched is None:
            touched = node.touched = {}
        before = touched.pop(name, None)
        if before is None:
            self.touches += 1
            touched[name] = (tick, tick, 0, tick, known is not FILE)
        else:
            touched[name] = (tick, tick, before[2], before[3], known is not FILE)
        if node.latest < tick:
            self.raise_latest(node)

    def remove(self, node: Node, name: bytes) -> None:
        """An entry went away; its tombstone stays."""
        tick = self.tick
        known = node.names.pop(name)
        touched = node.touched
        if touched is None:
            touched = node.touched = {}
        before = touched.pop(name, None)
        if before is None:
            self.touches += 1
            touched[name] = (tick, 0, tick, 0, known is not FILE)
        else:
            touched[name] = (tick, before[1], tick, before[3], known is not FILE)
        if node.latest < tick:
            self.raise_latest(node)

    def restate(self, node: Node, name: bytes, since: int) -> None:
        """What happened to the entry after `since` is told only now.

        Whoever is behind asks for a later tick than that of the change itself, so
        the ticks of the change become those of the telling.
        """
        if node.touched is None or name not in node.touched:
            return
        tick = self.tick
        _, born, died, first, is_dir = node.touched.pop(name)
        node.touched[name] = (
            tick,
            tick if born > since else born,
            tick if died > since else died,
            tick if first > since else first,
            is_dir,
        )
        if node.latest < tick:
            self.raise_latest(node)

    def raise_latest(self, node: Node) -> None:
        tick = self.tick
        above: Node | None = node
        while above is not None and above.latest < tick:
            above.latest = tick
            above = above.parent

    def make_child(self, node: Node, name: bytes, born: int) -> Node:
        """The node of a subdirectory, revived from its ghost where there is one."""
        ghost = node.ghosts.pop(name, None) if node.ghosts else None
        if ghost is not None:
            ghost.born = born
            ghost.parent = node
            ghost.prefix = ghost.audience = ghost.decision = None
            ghost.uniform = False
            return ghost
        return Node(node, name, born)

    def bury(self, node: Node) -> None:
        """Keep a directory that went away, for what went away in it or left it."""
        parent = node.parent
        if parent is None or not (node.touched or node.ghosts or node.left):
            return
        if parent.ghosts is None:
            parent.ghosts = {}
        parent.ghosts[node.name] = node

    def relink(self, node: Node, parent: Node, name: bytes) -> None:
        """A directory was renamed: it and all below it is now at parent/name.

        The entries of both parents are the caller's affair (`remove`, `add`).
        """
        old, place = node.parent, node.name
        if old is not None:
            ghost = old.ghosts.get(place) if old.ghosts else None
            if ghost is None:
                ghost = Node(old, place)
                if old.ghosts is None:
                    old.ghosts = {}
                old.ghosts[place] = ghost
            if ghost.left is None:
                ghost.left = []
            ghost.left.append((self.tick, node))
            ghost.latest = self.tick
            self.touches += 1
        if parent.ghosts:
            replaced = parent.ghosts.pop(name, None)
            if replaced is not None:
                node.left = (node.left or []) + [(self.tick, replaced)]
        node.parent, node.name, node.born = parent, name, self.tick
        for below in node.subtree():
            below.prefix = None
        self.raise_latest(node)

    def age_out(self) -> None:
        """Drop old tombstones once there are many; clocks before `floor` are void.

        Called between batches. The cost is the tree's size once in `TOUCH_LIMIT`
        touches, so it does not grow per change.
        """
        if self.touches < TOUCH_LIMIT:
            if self.touches < TOUCH_LIMIT // 2:
                self._half = self.tick
            return
        self.floor = self._half
        self._half = self.tick
        self.touches = _forget(self.root, self.floor)


def _forget(root: Node, floor: int) -> int:
    """Forget touches up to `floor` everywhere; how many are left."""
    left = 0
    stack = [root]
    while stack:
        node = stack.pop()
        if node.touched:
            kept = {n: t for n, t in node.touched.items() if t[0] > floor}
            node.touched = kept or None
            left += len(kept)
        if node.left:
            node.left = [gone for gone in node.left if gone[0] > floor] or None
        if node.ghosts:
            node.ghosts = {
                n: ghost for n, ghost in node.ghosts.items() if ghost.latest > floor
            } or None
            stack.extend((node.ghosts or {}).values())
        stack.extend(node.children())
    return left

"""The tree of directories that somebody cares for, the names in them, and ticks.

It holds what is believed of the disk and since when; who is told, and how changes are
noticed, is `monitor`'s affair.

Every drained batch advances one *tick*. A name that was touched since the start has a
`History` in its directory's `touched`, kept in order of the last touch; all other names
share the constant that says what they are, so they cost one dictionary entry. A name
that went away keeps its touch as a tombstone. Each directory carries the latest tick
at or below it, so "what changed since clock c" descends only where something did.

A directory that went away stays in its parent's `tombstones`, with its own, and is
revived when the name comes back. One that was renamed is linked anew, with all that is
below it, in one step; the place it left remembers it in `moved_away`, because for a
clock from before the rename everything below is gone from there.
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
        touched = node.history
        if touched is None:
            touched = node.history = {}
        before = touched.pop(name, None)
        if before is None:
            self.touches += 1
            is_dir = node.names[name] is not FILE
            touched[name] = (self.tick, 0, 0, 0, is_dir)
        else:
            touched[name] = (self.tick, *before[1:])
        if node.latest_tick < self.tick:
            self.propagate_tick(node)

    def add(self, node: Node, name: bytes, known: Node | bool) -> None:
        """An entry came into being."""
        tick = self.tick
        node.names[name] = known
        touched = node.history
        if touched is None:
            touched = node.history = {}
        before = touched.pop(name, None)
        if before is None:
            self.touches += 1
            touched[name] = (tick, tick, 0, tick, known is not FILE)
        else:
            touched[name] = (tick, tick, before[2], before[3], known is not FILE)
        if node.latest_tick < tick:
            self.propagate_tick(node)

    def remove(self, node: Node, name: bytes) -> None:
        """An entry went away; its tombstone stays."""
        tick = self.tick
        known = node.names.pop(name)
        touched = node.history
        if touched is None:
            touched = node.history = {}
        before = touched.pop(name, None)
        if before is None:
            self.touches += 1
            touched[name] = (tick, 0, tick, 0, known is not FILE)
        else:
            touched[name] = (tick, before[1], tick, before[3], known is not FILE)
        if node.latest_tick < tick:
            self.propagate_tick(node)

    def restamp(self, node: Node, name: bytes, since: int) -> None:
        """What happened to the entry after `since` is told only now.

        Whoever is behind asks for a later tick than that of the change itself, so
        the ticks of the change become those of the telling.
        """
        if node.history is None or name not in node.history:
            return
        tick = self.tick
        _, born, died, first, is_dir = node.history.pop(name)
        node.history[name] = (
            tick,
            tick if born > since else born,
            tick if died > since else died,
            tick if first > since else first,
            is_dir,
        )
        if node.latest_tick < tick:
            self.propagate_tick(node)

    def propagate_tick(self, node: Node) -> None:
        tick = self.tick
        above: Node | None = node
        while above is not None and above.latest_tick < tick:
            above.latest_tick = tick
            above = above.parent

    def make_child(self, node: Node, name: bytes, born: int) -> Node:
        """The node of a subdirectory, revived from its ghost where there is one."""
        ghost = node.tombstones.pop(name, None) if node.tombstones else None
        if ghost is not None:
            ghost.created_tick = born
            ghost.parent = node
            ghost.prefix = ghost.audience = ghost.decision = None
            ghost.uniform = False
            return ghost
        return Node(node, name, born)

    def keep_tombstone(self, node: Node) -> None:
        """Keep a directory that went away, for what went away in it or left it."""
        parent = node.parent
        if parent is None or not (node.history or node.tombstones or node.moved_away):
            return
        if parent.tombstones is None:
            parent.tombstones = {}
        parent.tombstones[node.name] = node

    def relink(self, node: Node, parent: Node, name: bytes) -> None:
        """A directory was renamed: it and all below it is now at parent/name.

        The entries of both parents are the caller's affair (`remove`, `add`).
        """
        old, place = node.parent, node.name
        if old is not None:
            ghost = old.tombstones.get(place) if old.tombstones else None
            if ghost is None:
                ghost = Node(old, place)
                if old.tombstones is None:
                    old.tombstones = {}
                old.tombstones[place] = ghost
            if ghost.moved_away is None:
                ghost.moved_away = []
            ghost.moved_away.append((self.tick, node))
            ghost.latest_tick = self.tick
            self.touches += 1
        if parent.tombstones:
            replaced = parent.tombstones.pop(name, None)
            if replaced is not None:
                node.moved_away = (node.moved_away or []) + [(self.tick, replaced)]
        node.parent, node.name, node.created_tick = parent, name, self.tick
        for below in node.subtree():
            below.prefix = None
        self.propagate_tick(node)

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
        if node.history:
            kept = {n: t for n, t in node.history.items() if t[0] > floor}
            node.history = kept or None
            left += len(kept)
        if node.moved_away:
            node.moved_away = [
                gone for gone in node.moved_away if gone[0] > floor
            ] or None
        if node.tombstones:
            node.tombstones = {
                n: ghost
                for n, ghost in node.tombstones.items()
                if ghost.latest_tick > floor
            } or None
            stack.extend((node.tombstones or {}).values())
        stack.extend(node.children())
    return left

"""The tree of the directories that somebody needs, the names in them, and ticks.

It holds what is known of the disk and since when.

Every operation advances one *tick*. An entry that was history since the start has a
`History` in its directory's `history`, which is ordered by the last touch; all other
entries share the constant that says what they are, so they cost one dictionary entry.
An entry that went away keeps its history as a tombstone. Each directory carries the
latest tick at or below it, so "what changed since clock c" descends only where
something changed.

A directory that went away stays in its parent's `tombstones`, with its own, and is
revived when the name comes back. A renamed node is linked to its new parent, with all
that is below it, in one step; the place it left remembers it in `moved_away`, because
for a clock from before the rename everything below is gone from there.
"""

from collections.abc import Collection

from gamin.core.model.history import History
from gamin.core.model.node import FILE, Baseline, Node

TOUCH_LIMIT = 200_000
"""Histories (some 250 bytes each) after which the older half is dropped."""

AGING_BATCH = 64
"""Directories whose histories are looked at between two batches, once there are so
many."""

AGING_NAMES = 4_096
"""Histories of one directory that are dropped between two batches: a millisecond."""


class Tree:
    """All nodes, and the tick. Names change through it, so that ticks are right."""

    def __init__(self) -> None:
        self.root: Node = Node(None, b"")
        self.tick: int = 1
        self.floor: int = 0
        """The oldest tick since which a difference is known: older tombstones were
        dropped."""
        self.touches: int = 0
        """Histories that there are at most."""
        self._changed: History = (0, 0, 0, 0, False)
        """That of files to which only a change happened, in the tick that it has."""
        self._half = 1
        self._aging: list[Node] = []
        """Directories whose histories are still to be looked at; see `age_out`."""
        self._numbers = 0

    def number(self, node: Node) -> int:
        """The number of a node, which no other one of this tree ever has."""
        if not node.number:
            self._numbers += 1
            node.number = self._numbers
        return node.number

    def find(self, path: bytes) -> Node | None:
        """The node of a directory by its real path; None if it has none."""
        node: Node | None = self.root
        for name in filter(None, path.split(b"/")):
            node = None if node is None else node.child(name)
        return node

    def resume(self, tick: int, floor: int, touches: int) -> None:
        """Go on after the ticks of an earlier tree, of which histories are restored."""
        self.tick = max(self.tick, tick)
        self.floor = max(self.floor, floor)
        self.touches += touches

    # -- what is listed

    def apply_first_listing(self, node: Node, files: Collection[bytes]) -> None:
        """A directory of which no entry was known was listed; these are its entries
        that are not directories. The caller adds the subdirectories."""
        node.listed = True
        node.pack(files)

    def mark_listed(self, node: Node) -> None:
        """From now on `node.names` has all entries."""
        node.listed = True

    def forget_entries(self, node: Node) -> None:
        """Forget the entries and their past, because nobody needs them; child nodes
        stay."""
        node.names = {child.name: child for child in node.children()}
        node.listed = False
        node.deferred = None
        node.history = None
        node.tombstones = None

    def clear(self, node: Node) -> None:
        """The directory is gone, and its entries were removed: it lists nothing."""
        node.names = {}
        node.deferred = None
        node.listed = False

    # -- what is deferred

    def start_deferring(self, node: Node) -> dict[bytes, Baseline]:
        """Begin to keep baselines for the entries of a directory; return them."""
        node.deferred = {}
        return node.deferred

    def stop_deferring(self, node: Node) -> dict[bytes, Baseline]:
        """Take the baselines of a directory, which has none afterwards."""
        deferred, node.deferred = node.deferred, None
        return deferred or {}

    # -- what happens to a name

    def start_history(self, node: Node) -> dict[bytes, History]:
        """The history of a directory, for a caller that writes to it directly."""
        history = node.history
        if history is None:
            history = node.history = {}
        return history

    def touch(self, node: Node, name: bytes) -> None:
        """An existing entry changed."""
        history = node.live_history or self.start_history(node)
        before = history.pop(name, None)
        if before is None:
            self.touches += 1
            changed = self._changed
            if changed[0] != self.tick:
                changed = self._changed = (self.tick, 0, 0, 0, False)
            is_file = node.names[name] is FILE
            history[name] = changed if is_file else (self.tick, 0, 0, 0, True)
        elif before[0] == self.tick:
            history[name] = before
        else:
            history[name] = (self.tick, *before[1:])
        if node.latest_tick < self.tick:
            self.propagate_tick(node)

    def add(self, node: Node, name: bytes, known: Node | bool) -> None:
        """An entry was created."""
        tick = self.tick
        node.names[name] = known
        history = node.live_history or self.start_history(node)
        before = history.pop(name, None)
        if before is None:
            self.touches += 1
            history[name] = (tick, tick, 0, tick, known is not FILE)
        else:
            history[name] = (tick, tick, before[2], before[3], known is not FILE)
        if node.latest_tick < tick:
            self.propagate_tick(node)

    def remove(self, node: Node, name: bytes) -> None:
        """An entry went away; its history stays as a tombstone."""
        tick = self.tick
        known = node.names.pop(name)
        history = node.live_history or self.start_history(node)
        before = history.pop(name, None)
        if before is None:
            self.touches += 1
            history[name] = (tick, 0, tick, 0, known is not FILE)
        else:
            history[name] = (tick, before[1], tick, before[3], known is not FILE)
        if node.latest_tick < tick:
            self.propagate_tick(node)

    def remove_all(self, node: Node) -> None:
        """As `remove` for every entry of a directory, in one pass."""
        names, node.names = node.names, {}
        self._record_removal(node, names.items())

    def remove_last(self, node: Node, count: int) -> list[tuple[bytes, Node | bool]]:
        """As `remove` for so many entries of a directory at most, the last ones, up to
        a subdirectory that has a node. Return them."""
        names = node.names
        removed: list[tuple[bytes, Node | bool]] = []
        while names and len(removed) < count:
            entry = names.popitem()
            if isinstance(entry[1], Node):
                names[entry[0]] = entry[1]
                break
            removed.append(entry)
        self._record_removal(node, removed)
        return removed

    def _record_removal(
        self, node: Node, removed: Collection[tuple[bytes, Node | bool]]
    ) -> None:
        if not removed:
            return
        tick, history = self.tick, node.live_history or self.start_history(node)
        for name, known in removed:
            before = history.pop(name, None)
            if before is None:
                self.touches += 1
                history[name] = (tick, 0, tick, 0, known is not FILE)
            else:
                history[name] = (tick, before[1], tick, before[3], known is not FILE)
        if node.latest_tick < tick:
            self.propagate_tick(node)

    def restore(self, node: Node, name: bytes, known: Node | bool) -> None:
        """The entry was removed in this operation, but too early."""
        node.names[name] = known
        history = node.live_history or self.start_history(node)
        tick, born, _, first, is_dir = history[name]
        history[name] = (tick, born, 0, first, is_dir)

    def restamp(self, node: Node, name: bytes, since: int) -> None:
        """What happened to the entry after the tick `since` is reported only now.

        A client may know a tick that is later than the change but earlier than its
        report, so the change gets the tick of the report.
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
        """Something at or below the directory happened in this tick."""
        tick = self.tick
        above: Node | None = node
        while above is not None and above.latest_tick < tick:
            above.latest_tick = tick
            above = above.parent

    def make_child(self, node: Node, name: bytes, born: int) -> Node:
        """The node of a subdirectory, revived from its tombstone if there is one.

        `born` is the tick since which the directory is there (0: always).
        """
        tombstone = node.tombstones.pop(name, None) if node.tombstones else None
        if tombstone is not None:
            tombstone.created_tick = born
            tombstone.parent = node
            tombstone.forget_path()
            return tombstone
        return Node(node, name, born)

    def keep_tombstone(self, node: Node) -> None:
        """Keep a directory that went away, if anything went away in it or from it."""
        parent = node.parent
        if parent is None or not (
            node.has_history or node.tombstones or node.moved_away
        ):
            return
        if parent.tombstones is None:
            parent.tombstones = {}
        parent.tombstones[node.name] = node

    def relink(self, node: Node, parent: Node, name: bytes) -> None:
        """A directory was renamed: it is at parent/name now, with all below it.

        The caller changes the names in both parents (`remove`, `add`).
        """
        old, place = node.parent, node.name
        if old is not None:
            tombstone = old.tombstones.get(place) if old.tombstones else None
            if tombstone is None:
                tombstone = Node(old, place)
                if old.tombstones is None:
                    old.tombstones = {}
                old.tombstones[place] = tombstone
            # What was there before it does not come along to the new place.
            before = [*(tombstone.moved_away or ()), *(node.moved_away or ())]
            tombstone.moved_away = [*before, (self.tick, node, node.placed_tick)]
            node.moved_away = None
            tombstone.latest_tick = self.tick
            self.touches += 1
        if parent.tombstones:
            replaced = parent.tombstones.pop(name, None)
            if replaced is not None:
                before, replaced.moved_away = replaced.moved_away or [], None
                entry = self.tick, replaced, replaced.placed_tick
                node.moved_away = [*before, entry]
        node.parent, node.name = parent, name
        node.created_tick = node.placed_tick = self.tick
        for below in node.subtree():
            below.forget_path()
        self.propagate_tick(node)

    def age_out(self) -> None:
        """Drop the older half of the histories once there are many, and raise `floor`.

        Call it between batches: it visits some directories at each call, or drops some
        histories of a large one. It visits the whole tree once in `TOUCH_LIMIT`
        touches, so its cost per change does not grow.
        """
        if self._aging:
            self._forget_some()
        elif self.touches >= TOUCH_LIMIT:
            self.floor = self._half
            self._half = self.tick
            self.touches = 0
            self._aging = [self.root]
            self._forget_some()
        elif self.touches < TOUCH_LIMIT // 2:
            self._half = self.tick

    def _forget_some(self) -> None:
        """Forget histories up to the tick `floor` in some more directories, and count
        what is left. A directory that gets another place meanwhile may be left out, or
        be counted twice; the next time sets that right."""
        stack, floor, names = self._aging, self.floor, AGING_NAMES
        for _ in range(AGING_BATCH):
            if not stack:
                break
            node = stack[-1]
            forgotten, left = node.forget_history(floor, names)
            names -= forgotten
            if names <= 0:
                break  # there may be more in this directory
            stack.pop()
            self.touches += left
            if node.moved_away:
                moved = [gone for gone in node.moved_away if gone[0] > floor]
                node.moved_away = moved or None
            if node.tombstones:
                node.tombstones = {
                    n: tombstone
                    for n, tombstone in node.tombstones.items()
                    if tombstone.latest_tick > floor
                } or None
                stack.extend((node.tombstones or {}).values())
            stack.extend(node.children())


def place_below(node: Node, parent: Node) -> None:
    """A restored directory is in another one."""
    node.parent = parent

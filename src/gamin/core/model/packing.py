"""Packs what is known of directories that changed, once they are at rest.

The first change of a directory unpacks its names (`Node.names`), and each changed name
has a history. Both are dictionaries: some 250 bytes for each name, and so 25 MB after
100,000 files were written once. Packed again, they take some 15 bytes for each name.

Unpacking takes a millisecond for some 5,000 names, so a directory that is in use must
not be packed. Therefore nothing is packed before there were many changes: then all
directories as soon as there is no change for a moment, and while changes go on those
directories that have had none for longer. Without the latter, memory that was freed at
the end could hardly be given back: few objects that stay are among many that went. A
very large directory is not packed at all.
"""

from collections.abc import Iterator

from gamin.core.model.belief import changed
from gamin.core.model.node import Node
from gamin.core.model.tree import Tree

MIN_CHANGES = 4_096
"""Changes after which packing is worth it: about 1 MB."""
QUIET_SECONDS = 0.25
"""Seconds without any change after which all directories are packed."""
REST_SECONDS = 1.0
"""Seconds from one pass to the next while changes go on. The second one packs what has
not changed since the first. They double when a pass packs a directory again: changes go
round in the tree, and packing would be in vain."""
MAX_NAMES = 16_384
"""Names of a directory up to which it is packed: unpacking them takes 3 ms."""
NAMES_PER_STEP = 4_096
"""Names that are packed before other work may run: a millisecond."""


class Packing:
    def __init__(self, tree: Tree, min_changes: int = MIN_CHANGES) -> None:
        self._tree = tree
        self._min_changes = min_changes
        self._changes = 0
        """Changes since the last pass began."""
        self._packed_tick = 0
        """What changed last at or before this tick was packed, or was too large."""
        self._rest_tick = 0
        """The next pass packs what changed last at or before this tick."""
        self._rested_at = 0.0
        """When the next pass is due, although changes go on."""
        self._quiet_at: float | None = None
        """When everything is packed if there is no more change; None: nothing is."""
        self._is_last = False
        """The present pass packs everything."""
        self._rest_seconds = REST_SECONDS
        self._packed: set[Node] = set()
        """The directories that were packed while changes went on."""
        self._is_again = False
        """The present pass packed one of them again."""
        self._left: Iterator[Node] | None = None
        """The directories that the present pass has not reached."""
        self.due_at: float | None = None
        """When `due` is to be called next; None while there is nothing to pack."""

    def on_changes(self, count: int, now: float) -> None:
        """So many changes were detected."""
        self._changes += count
        self._is_last = False
        if self._quiet_at is not None:
            self._quiet_at = now + QUIET_SECONDS
        elif self._changes >= self._min_changes:
            self._quiet_at = now + QUIET_SECONDS
            self._rested_at = now + REST_SECONDS
            self._rest_tick = self._tree.tick
        else:
            return
        self._plan()

    def _plan(self) -> None:
        self.due_at = self._quiet_at
        if self._quiet_at is not None and self._changes >= self._min_changes:
            self.due_at = min(self._quiet_at, self._rested_at)

    def due(self, now: float) -> bool:
        """Do a step of what is due. Returns whether everything is packed now."""
        if self.due_at is None or now < self.due_at or self._quiet_at is None:
            return False
        if now >= self._quiet_at and not self._is_last:
            self._is_last = True
            self._rest_tick, self._left = self._tree.tick, None
        if self._left is None:
            self._left = changed(self._tree.root, self._packed_tick)
        count = 0
        for node in self._left:
            count += 1
            if node.latest_tick <= self._rest_tick:
                names = node.pack_names(MAX_NAMES) + node.pack_history(MAX_NAMES)
                if names and not self._is_last:
                    self._is_again = self._is_again or node in self._packed
                    self._packed.add(node)
                count += names
                # A small object that stays keeps memory around it from being freed.
                node.forget_path()
            if count >= NAMES_PER_STEP:
                return False
        self._left = None
        self._packed_tick = self._rest_tick
        if self._is_last:
            self._quiet_at = None
            self._packed.clear()
            self._rest_seconds = REST_SECONDS
        elif self._is_again:
            self._rest_seconds *= 2
        self._rest_tick, self._rested_at = self._tree.tick, now + self._rest_seconds
        self._is_again = False
        self._changes = 0
        self._plan()
        return self._is_last


def parts_of(packed: bytes, size: int) -> Iterator[bytes]:
    """Packed names, some of them at a time: so many bytes or a few more."""
    start = 0
    while start < len(packed):
        end = packed.find(b"/", start + size)
        end = len(packed) if end < 0 else end
        yield packed[start:end]
        start = end + 1

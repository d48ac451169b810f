"""Removes large directories that are gone, in slices.

All that was below such a directory is reported as deleted, from below, and then the
directory itself: as if a program removed one after another, and the kernel reported it
only now. Until then the tree has what is not reported yet. Something else may have the
name of the directory by then: it is reported as created after that.
"""

from collections.abc import Callable
from typing import Protocol

from gamin.core.effects import Effect, Listing, Remove
from gamin.core.model.node import Node
from gamin.events import CREATE, IS_DIR

MAX_NAMES_AT_ONCE = 1_024
"""Entries of a directory that is removed in one go, with all that is below it."""
BATCH_NAMES = 256
"""Entries that are removed before the time is looked at."""
NAMES_PER_DIRECTORY = 8
"""How many entries cost what a directory costs, whose watch ends."""


class Remover(Protocol):
    """What reports and removes one directory after another."""

    def remove_some(self, node: Node, most: int, *, recovered: bool) -> int:
        """Remove so many entries of a directory at most, and forget the directory once
        it has none; return how many there were. Its last entry has no node."""

    def remove_emptied(self, node: Node, *, recovered: bool) -> None:
        """Remove the name of a directory that is forgotten, in one that is gone."""

    def remove_entry(self, node: Node, name: bytes, *, recovered: bool = False) -> None:
        """Remove a name, and all below it, in one go."""

    def on_gone(self, node: Node, name: bytes, *, recovered: bool = False) -> None:
        """Remove a name, and all below it, in slices if that is much."""

    def note_deletion(self, node: Node, name: bytes, mask: int) -> None:
        """The next report of the name is of this deletion."""

    def on_created(self, node: Node, name: bytes, mask: int) -> None:
        """Something has a name that nothing had."""


def is_large(node: Node) -> bool:
    """Whether the directory is to be removed in slices."""
    left = MAX_NAMES_AT_ONCE
    for below in node.subtree():
        left -= NAMES_PER_DIRECTORY + weight(below)
        if left < 0:
            return True
    return False


def weight(node: Node) -> int:
    """How many entries of a directory may have to be reported as deleted."""
    if node.is_packed:
        return node.packed.count(b"/")
    return len(node.names) + len(node.deferred or ())


class Removal:
    """A directory that is gone, and what of it is still to be reported."""

    def __init__(self, top: Node, above: Node, mask: int, *, recovered: bool) -> None:
        self.top = top
        self.above = above
        self.name = top.name
        self.mask = mask
        """That of the event which reported it; 0: a scan found it."""
        self.recovered = recovered
        self.returning = 0
        """The mask of the event that says what has the name again; 0: nothing has."""
        self._names = above.names
        """The names above. They are another object once all were forgotten."""
        self._path = [top]
        """From the top down to the directory that is removed now."""

    @property
    def is_listed(self) -> bool:
        """Whether the directory above still has the name of the one that is gone.

        It may have it without this node, which is released when the last subscription
        that covers it ends.
        """
        above, name = self.above, self.name
        if above.child(name) is self.top:
            return True
        return above.names is self._names and name in above.names

    def next_directory(self) -> Node:
        """The next one of which entries are to be removed: its last entry has no
        node."""
        path = self._path
        for index in range(1, len(path)):
            if path[index - 1].child(path[index].name) is not path[index]:
                del path[index:]  # others removed it, or renamed it away
                break
        node = path[-1]
        while isinstance(last := next(reversed(node.names.values()), None), Node):
            path.append(last)
            node = last
        return node

    def leave(self) -> None:
        """What `next_directory` returned is removed."""
        self._path.pop()


class Removals:
    def __init__(self, remover: Remover, effects: list[Effect]) -> None:
        self._remover = remover
        self._effects = effects
        self.pending: dict[Node, dict[bytes, Removal]] = {}
        """By the directory above and the name."""

    def begin(self, node: Node, mask: int = 0, *, recovered: bool = False) -> Removal:
        """Remove a large directory, in place of an earlier removal of it."""
        above = node.parent
        assert above is not None
        removal = Removal(node, above, mask, recovered=recovered)
        self.pending.setdefault(above, {})[node.name] = removal
        self._effects.append(Remove(removal))
        return removal

    def restart(self, node: Node, name: bytes, *, recovered: bool) -> bool:
        """A name was found to be gone. If it is being removed, begin that again, for an
        exception may have kept it from going on. Return whether it is."""
        before = self._current(node, name)
        if before is None:
            return False
        after = self.begin(before.top, before.mask, recovered=recovered)
        after.returning = before.returning
        return True

    def go_on(self, removal: Removal) -> None:
        """Remove some of it; asks for more if there is more."""
        top, left, recovered = removal.top, BATCH_NAMES, removal.recovered
        if self._current(removal.above, removal.name) is not removal:
            return
        if not top.is_linked:
            # Nobody needs what was below it, but others may list the name.
            self._finish(removal, self._remover.on_gone)
            return
        while left > 0:
            node = removal.next_directory()
            if node is top and weight(top) <= left and not any(top.children()):
                self._finish(removal, self._remover.remove_entry)
                return
            count = self._remover.remove_some(node, left, recovered=recovered)
            left -= count + NAMES_PER_DIRECTORY
            if not node.listed:
                removal.leave()
                self._remover.remove_emptied(node, recovered=recovered)
        self._effects.append(Remove(removal))

    def _current(self, above: Node, name: bytes) -> Removal | None:
        """The removal of a name that is still listed; others are dropped."""
        removal = self.pending.get(above, {}).get(name)
        if removal is not None and not removal.is_listed:
            self._end(removal)
            return None
        return removal

    def _finish(self, removal: Removal, remove: Callable[..., None]) -> None:
        """Remove the name, and add what has it again."""
        above, name = removal.above, removal.name
        self._end(removal)
        if removal.mask:
            self._remover.note_deletion(above, name, removal.mask)
        remove(above, name, recovered=removal.recovered)
        if removal.returning:
            self._remover.on_created(above, name, removal.returning)

    def _end(self, removal: Removal) -> None:
        """The removal does not go on."""
        pending = self.pending[removal.above]
        del pending[removal.name]
        if not pending:
            del self.pending[removal.above]

    def finish_at(self, node: Node, name: bytes) -> None:
        """If the name is being removed, remove the rest in one go."""
        removal = self._current(node, name)
        if removal is not None:
            self._finish(removal, self._remover.remove_entry)

    def finish_all(self) -> None:
        """Remove all that is gone, in one go."""
        while self.pending:
            above, removed = next(reversed(self.pending.items()))
            self.finish_at(above, next(reversed(removed)))

    def on_removed(self, node: Node) -> None:
        """All entries of a directory are removed: no removal of one goes on. It may
        come back, with the same entries."""
        self.pending.pop(node, None)

    # -- what has the name of a directory that is being removed

    def postpone(self, node: Node, name: bytes, mask: int) -> bool:
        """An event with this mask says that something has the name again, or that
        nothing has (0). Return whether that must wait for a removal."""
        removal = self._current(node, name)
        if removal is None:
            return False
        removal.returning = mask
        return True

    def without_returning(self, listing: Listing) -> Listing:
        """A listing without what must wait for a removal, as nothing else is known
        there."""
        scan, directories, others, newer = listing
        node = scan.node
        names = list(self.pending.get(node, ()))
        removed = {name for name in names if self.postpone(node, name, 0)}
        if not removed:
            return listing
        for found, mask in ((directories, CREATE | IS_DIR), (others, CREATE)):
            for name in removed.intersection(found):
                self.postpone(node, name, mask)
        return (
            scan,
            [name for name in directories if name not in removed],
            [name for name in others if name not in removed],
            [name for name in newer if name not in removed],
        )

"""Removes large directories that are gone, in slices.

All that was below such a directory is reported as deleted, from below, and then the
directory itself: as if a program removed one after another, and the kernel reported it
only now. Until then the tree has what is not reported yet.
"""

from collections.abc import Container
from typing import Protocol

from gamin.core.effects import Effect, Remove
from gamin.core.model.node import Node

MAX_NAMES_AT_ONCE = 1_024
"""Entries of a directory that is removed in one go, with all that is below it."""
BATCH_NAMES = 256
"""Entries that are removed before the time is looked at."""
NAMES_PER_DIRECTORY = 8
"""How many entries cost what a directory costs, whose watch ends."""


class Remover(Protocol):
    """What reports and removes one directory after another."""

    def remove_some(self, node: Node, most: int, *, recovered: bool) -> int:
        """Remove so many entries of a directory at most, and the directory once it has
        none; return how many there were."""

    def remove_emptied(self, node: Node, *, is_top: bool, recovered: bool) -> None:
        """The directory has no entries any more: remove its name, too."""

    def remove_entry(self, node: Node, name: bytes, *, recovered: bool = False) -> None:
        """Remove a name, and all below it, in one go."""

    def on_gone(self, node: Node, name: bytes, *, recovered: bool = False) -> None:
        """Remove a name, and all below it, in slices if that is much."""


def is_large(node: Node) -> bool:
    """Whether the directory is to be removed in slices."""
    left = MAX_NAMES_AT_ONCE
    for below in node.subtree():
        left -= NAMES_PER_DIRECTORY
        left -= below.packed.count(b"/") if below.is_packed else len(below.names)
        if left < 0:
            return True
    return False


class Removal:
    """A directory that is gone, and what of it is still to be reported."""

    def __init__(self, top: Node, *, recovered: bool) -> None:
        self.top = top
        self.recovered = recovered
        self._names = None if top.parent is None else top.parent.names
        """The names above. They are another object once all were forgotten."""
        self._path = [(top, list(top.children()))]
        """From the top down to the directory that is removed next, each with the
        subdirectories that are still to be removed before it."""

    @property
    def is_listed(self) -> bool:
        """Whether the directory above still has the name of the one that is gone.

        It may have it without this node, which is released when the last subscription
        that covers it ends.
        """
        top, above = self.top, self.top.parent
        if above is None or above.child(top.name) is top:
            return above is not None
        return above.listed and above.names is self._names and top.name in above.names

    def resume(self) -> None:
        """Others had their turn: leave what they removed, or renamed away."""
        for index in range(1, len(self._path)):
            above, node = self._path[index - 1][0], self._path[index][0]
            if above.child(node.name) is not node:
                del self._path[index:]
                break

    def next_directory(self) -> Node:
        """The next one to be removed: it has no subdirectories any more."""
        path = self._path
        while True:
            node, children = path[-1]
            if not children:  # others may have come since they were listed
                children += node.children()
                if not children:
                    return node
            child = children.pop()
            if node.child(child.name) is child:  # it was not renamed away
                path.append((child, list(child.children())))

    def leave(self) -> None:
        """What `next_directory` returned is removed."""
        self._path.pop()


class Removals:
    def __init__(self, remover: Remover, effects: list[Effect]) -> None:
        self._remover = remover
        self._effects = effects
        self.pending: dict[Node, Removal] = {}
        """By the directory."""

    def begin(self, node: Node, *, recovered: bool = False) -> None:
        """Remove a large directory. An earlier removal of it ends: an exception may
        have kept that from going on."""
        removal = self.pending[node] = Removal(node, recovered=recovered)
        self._effects.append(Remove(removal))

    def go_on(self, removal: Removal) -> None:
        """Remove some of it; asks for more if there is more."""
        top, left = removal.top, BATCH_NAMES
        if self.pending.get(top) is not removal:
            return
        if not top.is_linked:
            del self.pending[top]
            above = top.parent
            if above is not None and above.is_linked and removal.is_listed:
                # Nobody needs what was below it, but others list the name.
                self._remover.on_gone(above, top.name, recovered=removal.recovered)
            return
        removal.resume()
        while left > 0:
            node = removal.next_directory()
            count = self._remover.remove_some(node, left, recovered=removal.recovered)
            left -= count + NAMES_PER_DIRECTORY
            if node.listed:
                continue
            removal.leave()
            self._remover.remove_emptied(
                node, is_top=node is top, recovered=removal.recovered
            )
            if node is top:
                return
        self._effects.append(Remove(removal))

    def finish_at(self, node: Node, names: Container[bytes]) -> None:
        """Something has one of these names of a directory again: what had it before is
        removed first, in one go."""
        for top, removal in list(self.pending.items()):
            if top.parent is node and top.name in names:
                self._finish(removal)

    def finish_all(self) -> None:
        """Remove all that is gone, in one go."""
        while self.pending:
            self._finish(next(reversed(self.pending.values())))

    def _finish(self, removal: Removal) -> None:
        top, above = removal.top, removal.top.parent
        self.pending.pop(top, None)
        if above is not None and removal.is_listed:
            recovered = removal.recovered
            self._remover.remove_entry(above, top.name, recovered=recovered)

    def on_removed(self, node: Node) -> None:
        """All entries of a directory are removed, be it by a removal or by others: no
        removal of it, or of an entry, goes on. It may come back."""
        for top in [t for t in self.pending if t is node or t.parent is node]:
            del self.pending[top]

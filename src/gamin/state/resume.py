"""The difference between a saved tree and the same tree as it is watched now.

The saved tree is restored apart from the live one and brought up to date in one more
tick. So whatever clock of the earlier server a client has, the usual question "what
changed since this tick" has the answer.

Names are compared. Contents changed where the ctime is not older than the moment up to
which the saved tree was complete. A directory that is another one than before (another
inode or file system) shares nothing with it: all that was in it is gone, and all that
is in it is new.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Final, NamedTuple

from gamin.core.model.difference import entries_since, tree_since
from gamin.core.model.node import FILE, SUBDIR, Names, Node
from gamin.core.model.tree import Tree
from gamin.events import Row
from gamin.state.loading import SavedTree
from gamin.state.saved import Identity

IGNORE_FILE = b".gitignore"
"""A changed one moves the borders of a tree that follows ignore files."""


class Seen(NamedTuple):
    """What a look at one directory found."""

    identity: Identity
    newer: Collection[bytes]
    """Entries with a ctime not older than the saved tree's completeness."""


UNCHANGED: Final = Seen((0, 0), ())
"""In place of what was found in a directory that is the one that was saved, with no
newer entry: in a large tree nearly all are, and one object stands for them."""


class Live(NamedTuple):
    """The tree as it is watched now."""

    top: Node
    prefix: bytes
    """Its path with a slash."""
    covers: Callable[[bytes], bool]
    """Whether the tree includes a subdirectory (absolute path)."""
    is_recursive: bool
    follows_ignore_files: bool
    seen: Callable[[Node, bytes], Seen | None]
    """What was seen in a directory, by its node and its path with a slash."""
    seen_tick: int
    """The tick before the first look; what happened later is in the live tree."""


def difference(saved: SavedTree, live: Live, since: int) -> list[Row] | None:
    """What happened after the tick `since` of the saved tree until now.

    None: that cannot be said.
    """
    if not saved.header.floor <= since <= saved.header.tick:
        return None
    merge = _Merge(saved, live)
    if not merge.run():
        return None
    if live.is_recursive:
        return list(tree_since(merge.top, since, live.covers, live.prefix))
    return list(entries_since(merge.top, since, live.prefix))


class _Merge:
    def __init__(self, saved: SavedTree, live: Live) -> None:
        self._live = live
        self._tree = Tree()
        self.top = self._tree.root = saved.top
        self._identities = saved.identities
        self._tree.resume(saved.header.tick + 1, saved.header.floor, 0)

    def run(self) -> bool:
        """Bring the saved tree up to date. False: its borders are not comparable."""
        live = self._live
        stack = [(self.top, live.top, live.prefix)]
        while stack:
            old, now, prefix = stack.pop()
            both = self._directory(old, now, prefix)
            if both is None:
                return False
            if live.is_recursive:
                stack += [
                    (before, child, path + b"/")
                    for before, child, path in both
                    if live.covers(path)
                ]
        return True

    def _directory(
        self, old: Node, now: Node, prefix: bytes
    ) -> list[tuple[Node, Node, bytes]] | None:
        """Bring one directory up to date; return the pairs of its subdirectories."""
        newer = self._newer(old, now, prefix)
        if newer is not None and not newer and _is_equal(old, now):
            return []
        present: Mapping[bytes, Node | bool] = now.entries if now.listed else {}
        before = old.names
        if newer is None:
            gone, new = list(before), list(present)
        else:
            gone = [n for n, k in before.items() if not _is_same_kind(k, present, n)]
            new = [n for n, k in present.items() if not _is_same_kind(k, before, n)]
        changed = [name for name in newer or () if name in before and name in present]
        if self._live.follows_ignore_files and IGNORE_FILE in {*gone, *new, *changed}:
            return None
        for name in gone:
            self._remove(old, name)
        for name in new:
            self._add(old, name, present[name], prefix)
        self._tree.mark_listed(old)
        fresh = set(new)
        both = []
        for name, known in present.items():
            if name in fresh or not isinstance(known, Node):
                continue
            child = old.child(name)
            if child is not None:
                both.append((child, known, prefix + name))
            elif self._live.is_recursive and self._live.covers(prefix + name):
                # It was no part of the tree, so nothing in it was known.
                self._fill(old, name, known, prefix)
        for name in changed:
            if name not in fresh:
                self._tree.touch(old, name)
        return both

    def _newer(self, old: Node, now: Node, prefix: bytes) -> set[bytes] | None:
        """The entries whose content changed; None: it is another directory."""
        live, seen = self._live, self._live.seen(now, prefix)
        if seen is None:
            return None
        if seen is not UNCHANGED and self._identities.get(old) != seen.identity:
            return None
        if now.created_tick > live.seen_tick:
            return None
        newer = set(seen.newer)
        if now.latest_tick > live.seen_tick:
            newer |= {n for n, touch in now.past.items() if touch[0] > live.seen_tick}
        return newer

    def _remove(self, old: Node, name: bytes) -> None:
        """An entry is gone, with everything that was below it."""
        child = old.child(name)
        if child is not None:
            for below in reversed(list(child.subtree())):
                for entry in list(below.names):
                    self._tree.remove(below, entry)
                if below is not child:
                    self._tree.keep_tombstone(below)
        self._tree.remove(old, name)
        if child is not None:
            self._tree.keep_tombstone(child)

    def _add(self, old: Node, name: bytes, known: Node | bool, prefix: bytes) -> None:
        is_file = known is FILE
        self._tree.add(old, name, FILE if is_file else SUBDIR)
        if (
            isinstance(known, Node)
            and self._live.is_recursive
            and self._live.covers(prefix + name)
        ):
            self._fill(old, name, known, prefix)

    def _fill(self, old: Node, name: bytes, now: Node, prefix: bytes) -> None:
        """Everything in a subdirectory is new."""
        tree, covers = self._tree, self._live.covers
        stack = [(old, name, now, prefix + name)]
        while stack:
            above, name, now, path = stack.pop()
            node = tree.make_child(above, name, tree.tick)
            above.names[name] = node
            tree.propagate_tick(node)
            if not now.listed:
                continue
            names: Names = {}
            for entry, known in now.entries.items():
                names[entry] = FILE if known is FILE else SUBDIR
                below = path + b"/" + entry
                if isinstance(known, Node) and covers(below):
                    stack.append((node, entry, known, below))
            node.names = names
            tree.mark_listed(node)


def _is_equal(old: Node, now: Node) -> bool:
    """Whether both have the same names, and no subdirectory, as far as is seen at a
    glance."""
    return old.is_packed and now.is_packed and now.listed and old.packed == now.packed


def _is_same_kind(
    known: Node | bool, others: Mapping[bytes, Node | bool], name: bytes
) -> bool:
    other = others.get(name)
    return other is not None and (known is FILE) is (other is FILE)

"""Compares a saved tree with the disk while the tree is scanned for the first time.

The server watches each directory before it scans it, so this is the moment to look at
it: its identity, and which entries have a new ctime. A directory with an old ctime of
its own has the names that were saved, so it is not even listed.
"""

import os
from collections.abc import Callable, Iterator

from gamin.core.model.node import FILE, Node
from gamin.core.model.subscription import Scope, Subscription
from gamin.engine.ports import Entries
from gamin.state.loading import SavedTree
from gamin.state.resume import UNCHANGED, Seen
from gamin.system import filesystem, reach
from gamin.system.file_system_id import FileSystemIds
from gamin.system.newer_entries import NewerEntries, latest_ns, open_directory


class Comparison:
    def __init__(
        self, saved: SavedTree, path: bytes, since_ns: int, tick: Callable[[], int]
    ) -> None:
        """`path` is the real path of the tree, `since_ns` the real time from which on a
        ctime is new; `tick` returns the tick of now."""
        self.saved = saved
        self.start_tick: int = 0
        """The tick when the first directory was scanned."""
        self._tick = tick
        self.seen: dict[bytes, Seen] = {}
        """By the path of the directory."""
        self._since_ns = since_ns
        self._newer = NewerEntries(since_ns)
        self._file_systems = FileSystemIds()
        self._known = {path: saved.top}
        """The directories that are still to be scanned."""

    def scan(self, path: bytes) -> Entries | None:
        """What a listing of the directory would find; None if it was not saved. Raises
        OSError."""
        known = self._known.pop(path, None)
        if known is None:
            return None
        self.start_tick = self.start_tick or self._tick()
        for child in known.children():
            self._known[path + b"/" + child.name] = child
        directory = open_directory(path)
        try:
            status = os.fstat(directory)
            device, inode = status.st_dev, status.st_ino
            identity = self._file_systems.of(device, directory), inode
            mounted = reach.mounted_in(path)
            is_same = (
                known.listed
                and not mounted
                and latest_ns(status.st_ctime_ns) < self._since_ns
                and self.saved.identities.get(known) == identity
            )
            if is_same:
                directories, others = _entries(known)
            else:
                found, rest, _ = filesystem.scan(path, 0)
                directories, others = list(found), list(rest)
            names = [n for n in directories if n not in mounted] + others
            newer = self._newer.among(directory, names)
            if is_same and not newer:
                # The identity is not compared again: its memory serves the live tree.
                del self.saved.identities[known]
                self.seen[path] = UNCHANGED
            else:
                self.seen[path] = Seen(identity, newer)
        finally:
            os.close(directory)
        return directories, others, ()

    def checking(self, subscription: Subscription) -> Iterator[bool]:
        """Whether each directory was seen that was not made after the scan began."""
        top = subscription.bound_directory
        stack = [] if top is None else [(top, top.path())]
        is_tree, covers = (
            subscription.scope is Scope.TREE,
            subscription.covers_directory,
        )
        while stack:
            node, path = stack.pop()
            yield path in self.seen or node.created_tick > self.start_tick
            if is_tree and not node.is_packed:
                for child in node.children():
                    below = path + b"/" + child.name
                    if covers(below):
                        stack.append((child, below))

    def find(self, _node: Node, prefix: bytes) -> Seen | None:
        """What was seen in the directory with this path and a slash."""
        return self.seen.get(prefix[:-1])


def _entries(known: Node) -> tuple[list[bytes], list[bytes]]:
    """The names of the subdirectories and of all other entries."""
    if known.is_packed:
        return [], known.packed.split(b"/") if known.packed else []
    directories: list[bytes] = []
    others: list[bytes] = []
    for name, kind in known.names.items():
        (others if kind is FILE else directories).append(name)
    return directories, others

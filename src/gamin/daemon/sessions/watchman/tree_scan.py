"""Scans every directory of a watched tree for its identity and what is newer in it.

The tree stays in use meanwhile, so the scan runs in slices. What happens after it
began is in the tree, with later ticks.
"""

import os
import stat
from collections.abc import Iterator

from gamin.core.model.node import Node
from gamin.core.model.subscription import Scope, Subscription
from gamin.state.resume import Seen
from gamin.state.saved import Identity

ENTRIES_PER_STEP = 256
"""Entries whose status is read before other work runs."""


class TreeScan:
    """What the scan found in each directory. `start_tick` is the tick before it."""

    def __init__(
        self, subscription: Subscription, since_ns: int, start_tick: int
    ) -> None:
        """`since_ns`: what has a ctime from this real time on is newer; 0 asks for the
        identities of the directories only."""
        self.seen: dict[Node, Seen] = {}
        self.start_tick = start_tick
        self._subscription = subscription
        self._since_ns = since_ns
        self._file_systems: dict[int, int] = {}
        self.steps = self._scan()
        """Does it, and yields between slices of work."""

    def finish(self) -> None:
        """Run all remaining steps."""
        for _ in self.steps:
            pass

    def _scan(self) -> Iterator[None]:
        subscription = self._subscription
        top = subscription.bound_directory
        stack = [] if top is None else [top]
        while stack:
            node = stack.pop()
            yield from self._scan_directory(node)
            if subscription.scope is Scope.TREE:
                stack += [
                    child
                    for child in node.children()
                    if subscription.covers_directory(child.path())
                ]

    def _scan_directory(self, node: Node) -> Iterator[None]:
        path = node.path()
        newer: list[bytes] = []
        try:
            identity = self._identity(path)
            if self._since_ns:
                with os.scandir(path) as entries:
                    for count, entry in enumerate(entries):
                        if _is_newer(entry, self._since_ns):
                            newer.append(entry.name)
                        if count % ENTRIES_PER_STEP == ENTRIES_PER_STEP - 1:
                            yield
        except OSError:
            return  # gone: what the tree knows by then decides
        if identity is not None:
            self.seen[node] = Seen(identity, newer)
        yield

    def _identity(self, path: bytes) -> Identity | None:
        status = os.lstat(path)
        if not stat.S_ISDIR(status.st_mode):
            return None
        device = status.st_dev
        known = self._file_systems.get(device)
        if known is None:
            # The number of a device may be another one after a reboot. Masked, because
            # the store has signed numbers.
            known = (os.statvfs(path).f_fsid or device) & ((1 << 63) - 1)
            self._file_systems[device] = known
        return known, status.st_ino


def _is_newer(entry: os.DirEntry[bytes], since_ns: int) -> bool:
    """Whether the entry itself changed. A directory has a new ctime whenever an entry
    came or went, which is no change of it."""
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:
        return False
    if _latest(status.st_ctime_ns) < since_ns:
        return False
    return not stat.S_ISDIR(status.st_mode) or _latest(status.st_mtime_ns) < since_ns


def _latest(stamp_ns: int) -> int:
    """The latest time that the stamp can mean: some file systems keep even seconds."""
    return stamp_ns if stamp_ns % 1_000_000_000 else stamp_ns + 2_000_000_000

"""Scans every directory of a watched tree for its identity and what is newer in it.

The tree stays in use meanwhile, so the scan runs in slices. What happens after it
began is in the tree, with later ticks.
"""

import logging
import os
from collections.abc import Collection, Iterator

from gamin.config.mounts import Mounts
from gamin.core.model.node import Node
from gamin.core.model.subscription import Scope, Subscription
from gamin.paths import is_within, printable
from gamin.state.resume import Seen
from gamin.state.saved import Identity
from gamin.system import reach
from gamin.system.file_system_id import FileSystemIds
from gamin.system.newer_entries import NewerEntries, open_directory

logger: logging.Logger = logging.getLogger(__name__)

ENTRIES_PER_STEP = 256
"""Entries whose status is read before other work runs."""


def has_ctimes(subscription: Subscription, mounts: Mounts) -> bool:
    """Whether ctimes say what changed, in all that is watched. If not, log it."""
    top, covers = subscription.bound_directory, subscription.covers_directory
    if top is None:
        return True
    path = top.path()
    for mount in mounts.ctimeless(path, below=subscription.scope is Scope.TREE):
        if is_within(path, mount.point) or covers(mount.point):
            logger.warning(
                "%s: on %s (%s) no time says what changed; everything is listed",
                *(printable(path), printable(mount.point), mount.type),
            )
            return False
    return True


class TreeScan:
    """What the scan found in each directory. `start_tick` is the tick before it."""

    def __init__(
        self, subscription: Subscription, since_ns: int, start_tick: int
    ) -> None:
        """`since_ns`: what has a ctime from this real time on is newer."""
        self.seen: dict[Node, Seen] = {}
        self.start_tick = start_tick
        self._subscription = subscription
        self._newer = NewerEntries(since_ns)
        self._file_systems = FileSystemIds()
        self.steps: Iterator[None] = self._scan()
        """Does it, and yields between slices of work."""

    def finish(self) -> None:
        """Run all remaining steps."""
        for _ in self.steps:
            pass

    def find(self, node: Node, _prefix: bytes) -> Seen | None:
        """What was seen in the directory."""
        return self.seen.get(node)

    def _scan(self) -> Iterator[None]:
        subscription = self._subscription
        top = subscription.bound_directory
        stack = [] if top is None else [top]
        is_tree, covers = (
            subscription.scope is Scope.TREE,
            subscription.covers_directory,
        )
        while stack:
            node = stack.pop()
            yield from self._scan_directory(node)
            if is_tree and not node.is_packed:
                stack += [child for child in node.children() if covers(child.path())]

    def _scan_directory(self, node: Node) -> Iterator[None]:
        newer: list[bytes] = []
        path = node.path()
        try:
            directory = open_directory(path)
        except OSError:
            return  # gone: what the tree knows by then decides
        try:
            identity = self._identity(directory)
            names = _names(node, reach.mounted_in(path))
            for start in range(0, len(names), ENTRIES_PER_STEP):
                if start:
                    yield
                some = names[start : start + ENTRIES_PER_STEP]
                newer += self._newer.among(directory, some)
        except OSError:
            return
        finally:
            os.close(directory)
        self.seen[node] = Seen(identity, newer)
        yield

    def _identity(self, directory: int) -> Identity:
        status = os.fstat(directory)
        return self._file_systems.of(status.st_dev, directory), status.st_ino


def _names(node: Node, mounted: Collection[bytes]) -> list[bytes]:
    """The entries of a directory, which stays packed. Those where something is mounted
    that may not answer are left out."""
    if not node.is_packed:
        return [name for name in node.names if name not in mounted]
    return node.packed.split(b"/") if node.packed else []

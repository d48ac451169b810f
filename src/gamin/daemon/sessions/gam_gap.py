"""Looks at a path for a client of libgamin's language that comes back.

As with a tree of an earlier server, the path is in use meanwhile: what happens after
the look began has later ticks.
"""

import os
from collections.abc import Generator, Iterable

from gamin.config.mounts import Mounts
from gamin.core.model.subscription import Scope, Subscription
from gamin.core.model.tree import Tree
from gamin.daemon.sessions.watchman.tree_scan import TreeScan
from gamin.events import AnyRow, Kind, Row
from gamin.state.gap import directory_rows, path_rows
from gamin.state.saved import Identity
from gamin.state.saved_client import PathBelief
from gamin.system import reach
from gamin.system.file_system_id import FileSystemIds
from gamin.system.newer_entries import latest_ns


class PathGap:
    def __init__(
        self,
        before: PathBelief,
        subscription: Subscription,
        since_ns: int,
        tree: Tree,
        file_systems: FileSystemIds,
        mounts: Mounts,
    ) -> None:
        """`since_ns`: what has a ctime from this real time on is newer."""
        self._before = before
        self._subscription = subscription
        self._since_ns = since_ns
        self._tree = tree
        self._file_systems = file_systems
        self._mounts = mounts
        self._start_tick = 0
        self._scan: TreeScan | None = None
        self._identity: Identity | None = None
        self._is_newer = False

    def steps(self) -> Generator[None, None, None]:
        """Look at what is there; yields where other work may run."""
        self._start_tick = self._tree.tick
        subscription, target = self._subscription, self._subscription.target
        if target.node is None or not self._before.exists:
            return
        path = target.node.path()
        if target.entry is not None:
            path = path.rstrip(b"/") + b"/" + target.entry
        if reach.distant_point(path) is not None:
            return  # only a thread could look there
        if any(self._mounts.ctimeless(path, below=False)):
            return  # everything may have changed
        if subscription.scope is Scope.FILE:
            self._look_at(path)
        elif target.entry is None and self._before.identity is not None:
            self._scan = TreeScan(subscription, self._since_ns, self._start_tick)
            yield from self._scan.steps

    def _look_at(self, path: bytes) -> None:
        try:
            status = os.lstat(path)
            file_system = self._file_systems.of(status.st_dev, path)
        except OSError:
            return  # gone: what the tree knows by then decides
        self._identity = file_system, status.st_ino
        self._is_newer = latest_ns(status.st_ctime_ns) >= self._since_ns

    def rows(self, listed: Iterable[AnyRow]) -> list[Row]:
        """What happened since the other server; `listed` is what is there now."""
        (kind, _, is_dir, *_), *entries = listed
        exists = kind is Kind.EXISTS
        if self._subscription.scope is Scope.FILE:
            return path_rows(
                self._before,
                exists=exists,
                is_dir=is_dir,
                is_changed=self._is_changed(),
            )
        names = {path[path.rfind(b"/") + 1 :]: below for _, path, below, *_ in entries}
        return directory_rows(self._before, names if exists else None, self._newer())

    def _is_changed(self) -> bool:
        """Whether the single object is another one, or has another status."""
        target, before = self._subscription.target, self._before.identity
        return (
            self._is_newer
            or before is None
            or before != self._identity
            or target.tick > self._start_tick
            or self._subscription.last_change > self._start_tick
        )

    def _newer(self) -> set[bytes] | None:
        """The entries whose status may have changed; None: it is another directory."""
        node = self._subscription.bound_directory
        if node is None or self._scan is None or node.created_tick > self._start_tick:
            return None
        seen = self._scan.find(node, b"")
        if seen is None or seen.identity != self._before.identity:
            return None
        history = node.history or {}
        later = {n for n, touch in history.items() if touch[0] > self._start_tick}
        return later.union(seen.newer)

"""Collects what is known of a root and was not saved, in slices of work.

The tree changes between slices. So each round exports the directories that changed
since the last one began, and the last round, which has few, is one slice: after it,
what was collected is what is known at one tick.
"""

import os
import stat
import time
from collections.abc import Callable, Generator
from typing import NamedTuple

from gamin.core.model.belief import ALWAYS, Includes, changed, everything, export_one
from gamin.core.model.node import Node
from gamin.core.model.subscription import Scope, Subscription
from gamin.daemon.sessions.hub import Service
from gamin.daemon.sessions.watchman.root import Root
from gamin.state.saved import DIRECTORIES_PER_CHUNK, Directory, Header, Identity, pack
from gamin.state.store import Base, Generation
from gamin.system.file_system_id import FileSystemIds

DIRECTORIES_PER_STEP = 64
"""Directories that are exported before other work may run: half a millisecond."""
MAX_ROUNDS = 8
"""Rounds after which the rest is exported without a pause, whatever happens."""
MIN_WORTHLESS = 1_000
"""Directories that may be in the store a second time before all of it is replaced."""


class Saved(NamedTuple):
    """What is saved of a root already."""

    generation: Generation
    view_tick: int
    """Since when the root's rules are what they are."""
    tick: int
    base: Base
    whole: int
    """Directories that were written when all were."""
    later: int
    """Directories that were written since then."""

    @property
    def is_bloated(self) -> bool:
        """Most of what is in the store has been replaced by later chunks."""
        return self.later > max(MIN_WORTHLESS, self.whole)


class Collected(NamedTuple):
    header: Header
    chunks: list[bytes]
    before: Saved | None
    """What the chunks are added to; None: they are all there is."""
    generation: Generation
    view_tick: int
    directories: int

    def saved(self, base: Base) -> Saved:
        """What is saved of the root, after this was."""
        whole, later = self.directories, 0
        if self.before is not None:
            whole, later = self.before.whole, self.before.later + self.directories
        tick, view_tick = self.header.tick, self.view_tick
        return Saved(self.generation, view_tick, tick, base, whole, later)


class Collecting:
    def __init__(
        self, service: Service, root: Root, clock_offset_ns: Callable[[], int]
    ) -> None:
        self._service = service
        self._root = root
        self._clock_offset_ns = clock_offset_ns
        self._file_systems = FileSystemIds()
        self._chunks: list[bytes] = []
        self._waiting: list[Directory] = []
        self._count = 0

    def steps(self, before: Saved | None) -> Generator[None, None, Collected | None]:
        """Collect what changed since `before`. Yields where other work may run; returns
        None where nothing certain can be said of the root."""
        root, tree = self._root, self._service.monitor.tree
        generation = Generation(*root.clock()[:3])
        view_tick = root.subscription.progress.view_tick
        is_base = before is not None and before[:2] == (generation, view_tick)
        if not is_base or (before is not None and before.is_bloated):
            before = None
        since = ALWAYS if before is None else before.tick
        round_ = 0
        while True:
            round_ += 1
            self._service.drive.synchronise()
            if round_ <= MAX_ROUNDS:
                yield from self._service.drive.removing()
            complete_ns = self._complete_ns()
            top = self._settled_top()
            if complete_ns is None or top is None:
                return None
            begun, is_last = tree.tick, round_ > MAX_ROUNDS
            is_one_slice = True
            includes = _includes(root.subscription)
            for count, node in enumerate(changed(top, since, includes), 1):
                self._add(node, includes, is_certain=not is_last)
                if count % DIRECTORIES_PER_STEP == 0 and not is_last:
                    is_one_slice = False
                    yield
            # A directory may have been moved before its identity was looked for.
            if not is_last:
                self._service.drive.synchronise()
            if is_last or (is_one_slice and tree.tick == begun):
                break
            since = begun
            yield
        # Earlier clocks are of a tree in which the rules hid other entries.
        floor = max(tree.floor, view_tick)
        offset = self._clock_offset_ns()
        now, number = root.clock(), tree.number(top)
        header = Header(now.tick, floor, number, complete_ns, offset)
        if now[:3] != generation or root.subscription.progress.view_tick != view_tick:
            return None
        self._pack()
        count = self._count
        return Collected(header, self._chunks, before, generation, view_tick, count)

    def _settled_top(self) -> Node | None:
        """The directory of the root, when all that is known is reported."""
        service, root = self._service, self._root
        service.drive.do(service.monitor.flush_pending(time.monotonic()))
        service.flush()
        top = root.subscription.bound_directory
        if not root.is_ready or top is None or not top.listed:
            return None
        # Which directories are on such a mount only a thread could say.
        return None if root.far_point is not None else top

    def _complete_ns(self) -> int | None:
        """Real time up to which all changes are known now; None: something was lost,
        and is not found yet."""
        monitor = self._service.monitor
        complete_ns = self._root.complete_until_ns(is_list=True)
        if complete_ns is None:
            return None
        # What polling has not seen yet, and what is reported later, is not in the tree.
        delay = monitor.longest_undetected
        if monitor.flow.busy:
            delay += monitor.flow.settings.report_interval
        return complete_ns - int(delay * 1e9)

    def _add(self, node: Node, includes: Includes, *, is_certain: bool) -> None:
        identity = self._identity(node.path()) if is_certain else None
        tree = self._service.monitor.tree
        self._waiting.append(Directory(identity, export_one(tree, node, includes)))
        self._count += 1
        if len(self._waiting) >= DIRECTORIES_PER_CHUNK:
            self._pack()

    def _pack(self) -> None:
        if self._waiting:
            self._chunks.append(pack(self._waiting))
            self._waiting = []

    def _identity(self, path: bytes) -> Identity | None:
        try:
            status = os.lstat(path)
            if not stat.S_ISDIR(status.st_mode):
                return None
            return self._file_systems.of(status.st_dev, path), status.st_ino
        except OSError:
            return None


def _includes(subscription: Subscription) -> Includes:
    if subscription.scope is not Scope.TREE:
        return lambda node: False
    if subscription.is_unfiltered:
        return everything
    covers = subscription.covers_directory
    return lambda node: covers(node.path())

"""Remembers the roots when no server runs, and answers clocks of earlier servers.

What is wrong with the store never harms a client: it gets everything there is, as from
a server that remembers nothing, and the log says why.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import msgspec

from gamin.core.coverage.recovery import MARGIN_NS
from gamin.core.model.belief import export
from gamin.core.model.node import Node
from gamin.core.model.subscription import Scope
from gamin.daemon.io.errands import MountStalled, Steps, aside
from gamin.daemon.sessions.hub import Service
from gamin.daemon.sessions.watchman.results import admitted
from gamin.daemon.sessions.watchman.root import Root
from gamin.daemon.sessions.watchman.roots import RootKey
from gamin.daemon.sessions.watchman.tree_scan import TreeScan
from gamin.events import Row
from gamin.paths import printable
from gamin.protocol.watchman.clocks import Clock
from gamin.state.place import Place, Unusable
from gamin.state.resume import Live, difference
from gamin.state.saved import Identity, SavedTree
from gamin.state.store import Entry, Generation, SavedCursor, Store
from gamin.system import errands, reach
from gamin.system.clock import real_time_offset_ns
from gamin.system.errands import Distant

logger = logging.getLogger(__name__)


class Recalled:
    """A tree of an earlier server, and what is seen of it now."""

    def __init__(
        self, clock: Clock, key: RootKey, saved: SavedTree, scan: TreeScan
    ) -> None:
        self.clock = clock
        self._key = key
        self._saved = saved
        self._scan = scan

    def rows(self, root: Root) -> list[Row] | None:
        """What happened from the clock until now; None if that cannot be said."""
        subscription = root.subscription
        top = subscription.bound_directory
        if top is None:
            return None
        live = Live(
            top,
            root.prefix,
            subscription.covers_directory,
            subscription.scope is Scope.TREE,
            self._key.vcs_ignore or self._key.is_watchman,
            self._scan.seen,
            self._scan.start_tick,
        )
        rows = difference(self._saved, live, self.clock.tick)
        if rows is None:
            logger.warning(
                "%s: the difference to %s is not known; everything is listed",
                printable(root.path),
                self.clock,
            )
            return None
        return list(admitted(subscription, rows))


class Memory:
    def __init__(
        self,
        service: Service,
        directory: bytes,
        session: bytes,
        clock_offset_ns: Callable[[], int] = real_time_offset_ns,
    ) -> None:
        """`directory`: where the store is; empty if nothing is to be remembered."""
        self._clock_offset_ns = clock_offset_ns
        self._service = service
        self._store = (
            Store(Place(directory, session, os.getuid())) if directory else None
        )
        self._complained = ""
        self._writer: threading.Thread | None = None

    @property
    def is_on(self) -> bool:
        return self._store is not None

    # -- saving

    def save(
        self,
        roots: Sequence[tuple[RootKey, Root]],
        cursors: Sequence[tuple[RootKey, str, Clock]] = (),
    ) -> None:
        """Save what is known of these roots now."""
        if self._store is None:
            return
        if self._is_far:
            self.save_in_background(roots, cursors)
        else:
            self.wait()
            self._write(*self._collected(roots, cursors))

    @property
    def _is_far(self) -> bool:
        """Whether the store is on a mount that may not answer."""
        directory = b"" if self._store is None else self._store.place.directory
        return reach.distant_point(directory) is not None

    def save_in_background(
        self,
        roots: Sequence[tuple[RootKey, Root]],
        cursors: Sequence[tuple[RootKey, str, Clock]],
    ) -> bool:
        """As `save`, but the bytes are written in a thread. Nothing is saved while an
        earlier call still writes. Return whether a thread writes them."""
        if self._store is None or self.is_writing:
            return False
        collected = self._collected(roots, cursors)
        writer = threading.Thread(
            target=self._write, args=collected, name="save", daemon=True
        )
        try:
            writer.start()
        except RuntimeError as error:  # there is no thread
            self._complain(error)
            return False
        self._writer = writer
        return True

    @property
    def is_writing(self) -> bool:
        return self._writer is not None and self._writer.is_alive()

    def wait(self, seconds: float | None = None) -> None:
        """Return when nothing is written in the background, or after so many seconds if
        the store is on a mount that may not answer."""
        if self._writer is not None:
            self._writer.join(seconds if self._is_far else None)
            self._writer = None

    def _collected(
        self,
        roots: Sequence[tuple[RootKey, Root]],
        cursors: Sequence[tuple[RootKey, str, Clock]],
    ) -> tuple[list[Entry], list[SavedCursor]]:
        """What is known now, as values."""
        service = self._service
        service.drive.synchronise()
        service.drive.do(service.monitor.flush_pending(time.monotonic()))
        service.flush()
        entries = [e for key, root in roots if (e := self._entry(key, root))]
        moved = [
            SavedCursor(_packed(key), key.path, name, str(clock))
            for key, name, clock in cursors
        ]
        return entries, moved

    def _write(self, entries: list[Entry], cursors: list[SavedCursor]) -> None:
        if self._store is None or not (entries or cursors):
            return
        try:
            self._store.save(entries, cursors)
        except Unusable as error:
            self._complain(error)

    def _entry(self, key: RootKey, root: Root) -> Entry | None:
        monitor = self._service.monitor
        top = root.subscription.bound_directory
        if not root.is_ready or top is None or not top.listed:
            return None
        if root.far_point is not None:
            return None  # which directories these are only a thread could say
        complete_ns = root.complete_until_ns(is_list=True)
        if complete_ns is None:
            return None  # something was lost, and is not found yet
        # What polling has not seen yet, and what is reported later, is not in the tree.
        delay = monitor.longest_undetected
        if monitor.flow.busy:
            delay += monitor.flow.settings.report_interval
        scan = TreeScan(root.subscription, 0, monitor.tree.tick)
        scan.finish()
        self._service.drive.synchronise()
        belief = export(monitor.tree, top)
        # Earlier clocks are of a tree in which the rules hid other entries.
        floor = max(belief.floor, root.subscription.progress.view_tick)
        belief = belief._replace(floor=floor)
        identities = _identities(top, scan)
        now = root.clock()
        tree = SavedTree(
            now.tick,
            complete_ns - int(delay * 1e9),
            identities,
            belief,
            self._clock_offset_ns(),
        )
        return Entry(Generation(*now[:3]), _packed(key), key.path, tree)

    # -- recalling

    def recall(self, key: RootKey, root: Root, clock: Clock) -> Steps[Recalled | None]:
        """Find the tree that a clock of an earlier server is about, and look at what is
        there now. None: it is not known. Yields where others may get their turn."""
        try:
            saved = yield from aside(partial(self._load, key, clock))
        except MountStalled as error:
            logger.warning("nothing is remembered: %s", error)
            return None
        if saved is None or root.far_point is not None:
            return None
        if saved.complete_ns > time.time_ns():
            logger.warning("the clock was set back: %s is listed anew", clock)
            return None
        # What happened after the clock was set back has earlier times.
        set_back_ns = max(0, saved.clock_offset_ns - self._clock_offset_ns())
        since_ns = max(1, saved.complete_ns - set_back_ns - MARGIN_NS)
        scan = TreeScan(root.subscription, since_ns, self._service.monitor.tree.tick)
        yield from scan.steps
        self._service.drive.synchronise()
        return Recalled(clock, key, saved, scan)

    def _load(self, key: RootKey, clock: Clock) -> SavedTree | None:
        if self._store is None:
            return None
        try:
            load = partial(self._store.load, Generation(*clock[:3]), _packed(key))
            saved = errands.at(self._store.place.directory, load)
        except Unusable as error:
            self._complain(error)
            return None
        if saved is not None and clock.tick > saved.tick:
            logger.warning(
                "%s is later than what was saved of %s", clock, printable(key.path)
            )
            return None
        return saved

    def cursor(self, key: RootKey, name: str) -> str | None:
        """The clock that a named cursor stood at when it was saved."""
        if self._store is None:
            return None
        try:
            cursor = partial(self._store.cursor, _packed(key), name)
            return errands.at(self._store.place.directory, cursor)
        except Unusable as error:
            self._complain(error)
            return None

    def size(self) -> int:
        """Bytes on the disk; 0 where only a thread may look."""
        if self._store is None:
            return 0
        place = self._store.place
        try:
            return errands.at(place.directory, place.size)
        except Distant:
            return 0

    def _complain(self, error: Exception) -> None:
        """Log it, once as long as it is the same."""
        text = str(error)
        if text != self._complained:
            self._complained = text
            logger.warning("nothing is remembered: %s", printable(text))


def _packed(key: RootKey) -> bytes:
    # Details and flow control make no difference to what a tree contains.
    return msgspec.msgpack.encode(key._replace(ignore=_bytes(key.ignore))[:6])


def _bytes(patterns: Sequence[str]) -> Any:
    """Patterns may be of bytes that are not UTF-8."""
    return tuple(os.fsencode(pattern) for pattern in patterns)


def _identities(top: Node, scan: TreeScan) -> tuple[Identity | None, ...]:
    """Of every directory in the order of the belief. None where it, or one above it,
    was moved after the look began: it may have been another one that was seen."""
    identities: list[Identity | None] = []
    moved: set[Node | None] = set()
    for node in top.subtree():
        is_below = node is not top and node.parent in moved
        if is_below or node.created_tick > scan.start_tick:
            moved.add(node)
        seen = None if node in moved else scan.seen.get(node)
        identities.append(None if seen is None else seen.identity)
    return tuple(identities)

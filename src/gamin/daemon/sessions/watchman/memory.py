"""Remembers the roots when no server runs, and answers clocks of earlier servers.

What is wrong with the store never harms a client: it gets everything there is, as from
a server that remembers nothing, and the log says why.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Generator, Sequence
from functools import partial
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import msgspec

from gamin.core.coverage.recovery import MARGIN_NS
from gamin.core.model.subscription import Scope
from gamin.daemon.io.errands import MountStalled, Steps, aside
from gamin.daemon.sessions.hub import Service
from gamin.daemon.sessions.watchman.collecting import (
    Collected,
    Collecting,
    Saved,
)
from gamin.daemon.sessions.watchman.comparison import Comparison
from gamin.daemon.sessions.watchman.projects import real_path
from gamin.daemon.sessions.watchman.results import admitted
from gamin.daemon.sessions.watchman.root import Root
from gamin.daemon.sessions.watchman.roots import RootKey
from gamin.daemon.sessions.watchman.tree_scan import TreeScan, has_ctimes
from gamin.engine.known_listings import Comparing
from gamin.events import Row
from gamin.paths import printable
from gamin.protocol.watchman.clocks import Clock
from gamin.state.loading import Loading, SavedTree
from gamin.state.place import Place, Unusable
from gamin.state.resume import Live, difference
from gamin.state.saved import Header
from gamin.state.store import NOTHING, Base, Entry, Generation, SavedCursor, Store
from gamin.system import errands, reach
from gamin.system.clock import real_time_offset_ns
from gamin.system.errands import Distant

logger: logging.Logger = logging.getLogger(__name__)

DIRECTORIES_PER_STEP = 64
"""Directories that are made from a store before other work runs."""


class Recalled:
    """A tree of an earlier server, and what is seen of it now."""

    def __init__(
        self, clock: Clock, key: RootKey, saved: SavedTree, scan: TreeScan | Comparison
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
            self._scan.find,
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


class _Batch(NamedTuple):
    """What is written in one transaction."""

    entries: list[Entry]
    cursors: list[SavedCursor]
    writing: list[tuple[Root, Collected]]
    """The roots of the entries."""


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
        self._saved: WeakKeyDictionary[Root, Saved] = WeakKeyDictionary()
        """What is saved of each root."""
        self._written: dict[Generation, Base] = {}
        """What the writer has saved, and nobody has seen yet."""
        self._writing: list[tuple[Root, Collected]] = []
        """What the writer writes."""
        self._recalls = 0

    @property
    def is_on(self) -> bool:
        return self._store is not None

    @property
    def is_recalling(self) -> bool:
        """Whether a client waits for a tree to be loaded and compared."""
        return self._recalls > 0

    # -- saving

    def save(
        self,
        roots: Sequence[tuple[RootKey, Root]],
        cursors: Sequence[tuple[RootKey, str, Clock]] = (),
    ) -> None:
        """Save what is new of these roots, in one go."""
        if self._store is None:
            return
        if not self._is_far:
            self.wait()
        if self.is_writing:
            return  # the store is on a mount that does not answer
        for _ in range(2):  # again, if the store is not the one to which it was added
            batch = _result(self._collecting(roots, cursors))
            if self._is_far:
                self._start_writing(batch)
                return
            self._begin_writing(batch)
            self._write(batch)
            self._note_written()
            added = [root for root, found in batch.writing if found.before is not None]
            if all(root in self._saved for root in added):
                return

    def saving(
        self,
        roots: Sequence[tuple[RootKey, Root]],
        cursors: Sequence[tuple[RootKey, str, Clock]] = (),
    ) -> Generator[None, None, bool]:
        """Save what is new of these roots. Yields where other work may run; a thread
        writes the bytes after the end. Return whether it does: nothing is saved while
        an earlier call still writes."""
        if self._store is None or self.is_writing:
            return False
        self._note_written()
        batch = yield from self._collecting(roots, cursors)
        return not self.is_writing and self._start_writing(batch)

    def _collecting(
        self,
        roots: Sequence[tuple[RootKey, Root]],
        cursors: Sequence[tuple[RootKey, str, Clock]],
    ) -> "Generator[None, None, _Batch]":
        batch = _Batch([], [], [])
        for key, root in roots:
            collecting = Collecting(self._service, root, self._clock_offset_ns)
            found = yield from collecting.steps(self._saved.get(root))
            if found is None:
                continue
            base = NOTHING if found.before is None else found.before.base
            tree = (found.generation, _packed(key), key.path, found.header)
            batch.entries.append(Entry(*tree, found.chunks, base))
            batch.writing.append((root, found))
        for key, name, clock in cursors:
            cursor = SavedCursor(_packed(key), key.path, name, str(clock))
            batch.cursors.append(cursor)
        return batch

    def _start_writing(self, batch: "_Batch") -> bool:
        self._begin_writing(batch)
        writer = threading.Thread(
            target=self._write, args=(batch,), name="save", daemon=True
        )
        try:
            writer.start()
        except RuntimeError as error:  # there is no thread
            self._complain(error)
            return False
        self._writer = writer
        return True

    def _begin_writing(self, batch: "_Batch") -> None:
        """The next save is of everything, unless this one succeeds."""
        self._writing = batch.writing
        for root, _ in batch.writing:
            self._saved.pop(root, None)

    @property
    def _is_far(self) -> bool:
        """Whether the store is on a mount that may not answer."""
        directory = b"" if self._store is None else self._store.place.directory
        return reach.distant_point(directory) is not None

    @property
    def is_writing(self) -> bool:
        return self._writer is not None and self._writer.is_alive()

    def wait(self, seconds: float | None = None) -> None:
        """Return when nothing is written in the background, or after so many seconds if
        the store is on a mount that may not answer."""
        if self._writer is not None:
            self._writer.join(seconds if self._is_far else None)
            if not self.is_writing:
                self._note_written()

    def _note_written(self) -> None:
        """The writer has ended: what it wrote need not be written again."""
        self._writer = None
        written, self._written = self._written, {}
        writing, self._writing = self._writing, []
        for root, collected in writing:
            base = written.get(collected.generation)
            if base is not None:
                self._saved[root] = collected.saved(base)

    def _write(self, batch: "_Batch") -> None:
        """In the writer's thread, save at the end of the server."""
        if self._store is None or not (batch.entries or batch.cursors):
            return
        try:
            self._written = self._store.save(
                batch.entries, batch.cursors, self._service.state
            )
        except Unusable as error:
            self._complain(error)

    # -- recalling

    def prepare(self, key: RootKey, clock: Clock) -> Steps[Comparison | None]:
        """The tree that a clock of an earlier server is about, to be compared with what
        the first scan of a root finds. None: it is not known."""
        real = yield from aside(partial(real_path, key.path))
        if reach.distant_point(real) is not None:
            return None
        if any(self._service.mounts.ctimeless(real, below=key.cross_mounts)):
            return None  # `recall` logs it
        saved = yield from self._load(key, clock)
        if saved is None:
            return None
        tree = self._service.monitor.tree
        return Comparison(saved, real, self._since_ns(saved), lambda: tree.tick)

    def recall(
        self,
        key: RootKey,
        root: Root,
        clock: Clock,
        comparison: Comparing | None = None,
    ) -> Steps[Recalled | None]:
        """Find the tree that a clock of an earlier server is about, and look at what is
        there now, unless `comparison` did. None: it is not known. Yields where others
        may get their turn."""
        self._recalls += 1
        try:
            if isinstance(comparison, Comparison) and (
                yield from self._is_complete(comparison, root)
            ):
                return Recalled(clock, key, comparison.saved, comparison)
            if not has_ctimes(root.subscription, self._service.mounts):
                return None
            # The saved tree of a comparison is of no use any more: it forgets which
            # directory each one was that it found unchanged.
            saved = yield from self._load(key, clock)
            if saved is None or root.far_point is not None:
                return None
            tick = self._service.monitor.tree.tick
            scan = TreeScan(root.subscription, self._since_ns(saved), tick)
            yield from scan.steps
            self._service.drive.synchronise()
            return Recalled(clock, key, saved, scan)
        finally:
            self._recalls -= 1

    def _is_complete(self, comparison: Comparison, root: Root) -> Steps[bool]:
        """Whether the first scan compared everything."""
        if root.far_point is not None:
            return False
        for count, is_seen in enumerate(comparison.checking(root.subscription)):
            if not is_seen:
                return False
            if count % DIRECTORIES_PER_STEP == 0:
                yield None
        self._service.drive.synchronise()
        return True

    def _since_ns(self, saved: SavedTree) -> int:
        """The real time from which on a ctime is new."""
        header = saved.header
        # What happened after the clock was set back has earlier times.
        set_back_ns = max(0, header.clock_offset_ns - self._clock_offset_ns())
        return max(1, header.complete_ns - set_back_ns - MARGIN_NS)

    def _load(self, key: RootKey, clock: Clock) -> Steps[SavedTree | None]:
        """The tree that the clock is about; None if it is not known."""
        store = self._store
        if store is None:
            return None
        loading = Loading(store, Generation(*clock[:3]), _packed(key))
        at = partial(errands.at, store.place.directory)
        try:
            header = yield from aside(partial(at, loading.find))
            if header is None or not self._is_usable(header, key, clock):
                return None
            while chunks := (yield from aside(partial(at, loading.read))):
                for chunk in chunks:
                    loading.take(chunk)
                    yield None
            for count, _ in enumerate(loading.restoring()):
                if count % DIRECTORIES_PER_STEP == 0:
                    yield None
            return loading.tree()
        except MountStalled as error:
            logger.warning("nothing is remembered: %s", error)
        except Unusable as error:
            self._complain(error)
        return None

    def _is_usable(self, header: Header, key: RootKey, clock: Clock) -> bool:
        if header.complete_ns > time.time_ns():
            logger.warning("the clock was set back: %s is listed anew", clock)
            return False
        if clock.tick > header.tick:
            logger.warning(
                "%s is later than what was saved of %s", clock, printable(key.path)
            )
            return False
        return True

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


def _result(collecting: "Generator[None, None, _Batch]") -> "_Batch":
    """What it returns, without a pause."""
    while True:
        try:
            next(collecting)
        except StopIteration as stop:
            batch: _Batch = stop.value
            return batch


def _packed(key: RootKey) -> bytes:
    # Details and flow control make no difference to what a tree contains.
    return msgspec.msgpack.encode(key._replace(ignore=_bytes(key.ignore))[:6])


def _bytes(patterns: Sequence[str]) -> Any:
    """Patterns may be of bytes that are not UTF-8."""
    return tuple(os.fsencode(pattern) for pattern in patterns)

"""Finds what a client's `since` is about: a clock of this server or of an earlier one.

A tree of an earlier server is loaded before the first scan of its root, where there is
one, because the scan then compares at once.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from gamin.daemon.io.errands import MountStalled, Steps, aside
from gamin.daemon.sessions.watchman.lazy_memory import LazyMemory, Past
from gamin.daemon.sessions.watchman.queries import Queries
from gamin.daemon.sessions.watchman.root import Root
from gamin.daemon.sessions.watchman.roots import RootKey, Roots
from gamin.engine.known_listings import Comparing, KnownListings
from gamin.protocol.watchman.clocks import Clock, ClockSpec, Cursor, parse_clockspec
from gamin.protocol.watchman.query.query import Query


class Recalling:
    def __init__(self, roots: Roots, memory: LazyMemory) -> None:
        self._roots = roots
        self._memory = memory
        self._compared: dict[tuple[RootKey, Clock], Comparing] = {}
        """Comparisons that a client is about to ask for."""

    def cursor(self, root: Root, name: str) -> str | None:
        """The clock of a named cursor that an earlier server saved."""
        key = self._roots.key_of(root)
        return None if key is None else self._memory.cursor(key, name)

    def preparing(self, query: Query) -> bool:
        """Whether the query may be about a tree of an earlier server."""
        return self._memory.is_on and query.since is not None and not _compares(query)

    @contextmanager
    def comparing(
        self, key: RootKey, clock: Clock | None, comparison: Comparing | None
    ) -> Iterator[None]:
        """Have the first scan of a root compare, for a client that asks for that."""
        files: KnownListings = self._roots.files
        if clock is None or comparison is None or files.comparing is not None:
            yield
            return
        files.comparing = self._compared[key, clock] = comparison
        try:
            yield
        finally:
            files.comparing = None
            self._compared.pop((key, clock), None)

    def prepared(
        self, key: RootKey, query: Query
    ) -> Steps[tuple[Clock | None, Comparing | None]]:
        """The clock that the query is about, and its tree, ready to be compared. None
        where the root is watched already, or there is no such tree."""
        is_open = self._roots.find_key(key) is not None
        if is_open or not self.preparing(query):
            return None, None
        spec = query.since
        try:
            if isinstance(spec, Cursor):
                text = yield from aside(partial(self._memory.cursor, key, spec.name))
                spec = parse_clockspec(text) if text else None
            if not isinstance(spec, Clock) or spec[:2] == self._roots.server:
                return None, None
            return spec, (yield from self._memory.prepare(key, spec))
        except MountStalled:  # what was remembered cannot be read
            return None, None

    def recalled(
        self, root: Root, query: Query, queries: Queries
    ) -> Steps[tuple[ClockSpec | None, Past | None]]:
        """What the query's `since` stands for; and the tree that it is about, if that
        is one of an earlier server."""
        resolved = partial(queries.resolved, root, query.since)
        try:
            spec = yield from aside(resolved)
        except MountStalled:  # what was remembered cannot be read
            spec = None
        key = self._roots.key_of(root)
        if not isinstance(spec, Clock) or key is None or _compares(query):
            return spec, None
        if spec[:3] == root.timeline[:3]:
            return spec, None
        comparison = self._compared.pop((key, spec), None)
        return spec, (yield from self._memory.recall(key, root, spec, comparison))


def _compares(query: Query) -> bool:
    """Whether the client has a belief of its own: it compares that, if it gets all
    names."""
    return query.names and not query.initial

"""Loads what remembers the roots only when something is to be saved or recalled.

That takes a database, checksums and a good part of `gamin.state`: a tenth of the time
between the first client of the Watchman language and its answer, who seldom asks for
what an earlier server knew.
"""

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Protocol

from gamin.daemon.io.errands import Steps
from gamin.daemon.sessions.hub import Service
from gamin.daemon.sessions.watchman.root import Root
from gamin.daemon.sessions.watchman.roots import RootKey
from gamin.engine.known_listings import Comparing
from gamin.events import Row
from gamin.protocol.watchman.clocks import Clock

if TYPE_CHECKING:
    from gamin.daemon.sessions.watchman.memory import Memory


class Past(Protocol):
    """What is known of a root from an earlier server; `memory.Recalled`."""

    @property
    def clock(self) -> Clock:
        """The clock that it is about."""

    def rows(self, root: Root) -> list[Row] | None:
        """What happened from the clock until now; None if that cannot be said."""


class LazyMemory:
    """`Memory`, which is made when it is first needed; see its methods."""

    def __init__(self, service: Service, directory: bytes, session: bytes) -> None:
        """`directory`: where the store is; empty if nothing is to be remembered."""
        self._service = service
        self._directory = directory
        self._session = session
        self._made: Memory | None = None
        self.is_on: bool = bool(directory)
        """Something is to be remembered."""

    def _memory(self) -> "Memory":
        """Made on the loop's thread: a call that a thread is to make was tried there
        before (`aside`)."""
        if self._made is None:
            from gamin.daemon.sessions.watchman.memory import Memory

            self._made = Memory(self._service, self._directory, self._session)
        return self._made

    @property
    def is_writing(self) -> bool:
        return self._made is not None and self._made.is_writing

    @property
    def is_recalling(self) -> bool:
        return self._made is not None and self._made.is_recalling

    def save(
        self,
        roots: Sequence[tuple[RootKey, Root]],
        cursors: Sequence[tuple[RootKey, str, Clock]] = (),
    ) -> None:
        if self.is_on and (roots or cursors):
            self._memory().save(roots, cursors)

    def saving(
        self,
        roots: Sequence[tuple[RootKey, Root]],
        cursors: Sequence[tuple[RootKey, str, Clock]],
    ) -> Generator[None, None, bool]:
        if not self.is_on:
            return False
        return (yield from self._memory().saving(roots, cursors))

    def wait(self, seconds: float | None = None) -> None:
        if self._made is not None:
            self._made.wait(seconds)

    def prepare(self, key: RootKey, clock: Clock) -> Steps[Comparing | None]:
        if not self.is_on:
            return None
        return (yield from self._memory().prepare(key, clock))

    def recall(
        self,
        key: RootKey,
        root: Root,
        clock: Clock,
        comparison: Comparing | None = None,
    ) -> Steps[Past | None]:
        if not self.is_on:
            return None
        return (yield from self._memory().recall(key, root, clock, comparison))

    def cursor(self, key: RootKey, name: str) -> str | None:
        return self._memory().cursor(key, name) if self.is_on else None

    def size(self) -> int:
        return self._memory().size() if self.is_on else 0

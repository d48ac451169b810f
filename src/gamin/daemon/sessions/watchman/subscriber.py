"""One subscription of one sink, and how far it is."""

from collections.abc import Iterable

from gamin.core.deliver.cursor import Cursor
from gamin.daemon.sessions.watchman.delivery import Sink
from gamin.daemon.sessions.watchman.large_difference import LargeDifference
from gamin.protocol.watchman.query.query import Query


class Subscriber:
    """One subscription of one sink."""

    def __init__(
        self,
        sink: Sink,
        query: Query,
        cursor: Cursor[int],
        *,
        defer: Iterable[str] = (),
        drop: Iterable[str] = (),
        defer_vcs: bool = False,
        is_settled_only: bool = False,
    ) -> None:
        self.sink = sink
        self.query = query
        """What it asked for, in the form shared with others (`Query.sharing_key`)."""
        self.cursor = cursor
        """Its target is the root's number."""
        self.defer: frozenset[str] = frozenset(defer)
        """While one of these states is asserted, it gets nothing; later all of it."""
        self.drop: frozenset[str] = frozenset(drop)
        """It never gets what happens while one of these states is asserted."""
        self.defer_vcs = defer_vcs
        """While a version control system is at work, it gets nothing; later all of
        it."""
        self.is_settled_only = is_settled_only
        """It gets nothing while something settles, whatever it is owed."""
        self.is_held = False
        """One of these states is asserted, a version control system is at work, or it
        is paused."""
        self.is_paused = False
        """It gets nothing until its client lets it go on."""
        self.reported_unreadable: frozenset[bytes] = frozenset()
        """The directories that may not be read, according to the last report."""
        self.wants_listing = False
        """The names are to follow what happened since the clock that it came with."""
        self.large_difference: LargeDifference | None = None
        """What it gets next, and what is being found in slices."""
        self.is_waiting = False
        """A thread looks at what is to be delivered next."""

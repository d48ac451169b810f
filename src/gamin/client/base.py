"""What the blocking and the asynchronous watch share: properties, and how they end."""

import os
import threading
import warnings
from collections.abc import Iterable

from gamin.client.arguments import AnyPath, absolute
from gamin.client.driver import Driver
from gamin.client.path_change import PathChange
from gamin.client.readiness import Readiness
from gamin.protocol.watchman.client.belief import Belief


def belief_of(watch: "BaseWatch", path: str) -> Belief:
    """What is known to be at one absolute path of a watch.

    It is what the batches say that were received, so it is ahead of those that were
    yielded while `has_unyielded`. For `gamin.fleet`.
    """
    return watch._driver.channel.watching.belief(path)


def has_unyielded(watch: "BaseWatch") -> bool:
    """Whether something was received of which the next batch is made without receiving
    more. For `gamin.fleet`."""
    return bool(watch._driver.channel.batches)


class BaseWatch:
    """A driver, and the descriptor that says when to run it.

    `_busy` is held by whoever runs the driver. What is open is closed by whoever comes
    last: the one that runs it, or the one that ends it.
    """

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._readiness: Readiness | None = None
        self._is_open = False
        self._busy = threading.Lock()

    @property
    def clock(self) -> str | None:
        """The value to pass as `since` to go on after the last batch yielded.

        None before everything is watched, and before the first batch of a watch with
        `initial`.
        """
        return self._driver.clock

    @property
    def closed(self) -> bool:
        """Whether the watch has ended: closed, or stopped by its `stop_event`."""
        return self._driver.closed

    @property
    def catching_up(self) -> bool:
        """Whether changes that happened before now may still be missing in the batches.

        True from the loss of a server until what happened meanwhile has been yielded,
        and before everything is watched at the start. Any thread may ask.
        """
        return self._driver.catching_up

    @property
    def unreadable(self) -> list[str]:
        """The directories that may not be read, so that nothing in them is reported.

        Sorted absolute paths; empty unless the watch was made with `unreadable`. It is
        as of the last batch, or of the beginning.
        """
        return self._driver.channel.watching.unreadable

    def close(self) -> None:
        """End the iteration, wherever it is. May be repeated.

        May be called from any thread and from signal handlers.
        """
        self._driver.closed = True
        readiness = self._readiness
        if readiness is not None:
            readiness.wake()
        self._release()

    def _keys_of(self, paths: Iterable[AnyPath]) -> list[str]:
        """The keys of paths that are watched. Raises ValueError for one that is not."""
        found: list[str] = []
        for path in paths:
            keys = self._driver.channel.watching.keys_of(absolute(path))
            if not keys:
                raise ValueError(f"{os.fsdecode(path)!r} is not watched")
            found += keys
        return found

    def _request(self, change: PathChange) -> None:
        """Have whoever runs the driver carry out a change of the paths."""
        readiness = self._readiness
        if readiness is None or self.closed:
            raise ValueError("the watch is closed")
        self._driver.request(change)
        readiness.nudge()

    def _prepare(self) -> Readiness:
        """Make the descriptor. Raises OSError when there are no more."""
        self._readiness = readiness = Readiness()
        self._driver.channel.on_close = readiness.forget
        return readiness

    def _release(self) -> None:
        """Close everything, unless the driver runs: then its runner does it."""
        if self._busy.acquire(blocking=False):
            try:
                self._driver.channel.close()
                readiness, self._readiness = self._readiness, None
                if readiness is not None:
                    readiness.close()
            finally:
                self._busy.release()

    def __del__(self) -> None:
        if getattr(self, "_readiness", None) is not None:
            if self._is_open and not self.closed:
                warnings.warn(
                    f"unclosed {self!r}", ResourceWarning, stacklevel=2, source=self
                )
            self.close()

    def __repr__(self) -> str:
        state = "closed" if self.closed else self.clock
        return f"<{type(self).__name__} of gamin, {state}>"

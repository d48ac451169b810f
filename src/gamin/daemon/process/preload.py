"""Imports what the start left out, in the first idle moment of a server.

A package may be upgraded or removed while its server runs. What is imported after that
is missing, or is of another version. So a server that has the time imports everything
that it may ever need, a module per iteration of the loop, so that nobody waits long.
"""

import importlib
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable

from gamin.daemon.io.loop import Loop, Timer
from gamin.daemon.process.lean_import import lean_import

logger: logging.Logger = logging.getLogger(__name__)

IDLE_SECONDS = 1.0
"""Seconds after the start, and after the last thing that happened; whoever started the
server has its first answers by then."""

MAX_WAIT_SECONDS = 30.0
"""Seconds after the start from which on nothing is waited for: what happens all the
time would leave a server unprepared."""

RETRY_SECONDS = 10.0
"""Seconds after which a module is tried again that could not be read."""

LATE_MODULES = (
    "tempfile",
    "re2",
    "msgspec",
    "hashlib",
    "sqlite3",
    "gamin.backends.fanotify",
    "gamin.protocol.watchman.commands",
    "gamin.protocol.watchman.codec.bser_codec",
    "gamin.daemon.io.change_log",
    "gamin.daemon.sessions.gam",
    "gamin.daemon.sessions.watchman.language",
    "gamin.state.store",
    "gamin.daemon.sessions.watchman.memory",
    "gamin.daemon.sessions.gam_memory",
    "gamin.daemon.sessions.gam_saving",
)
"""What functions import; heavy modules that others import come before these."""


class Preload:
    def __init__(
        self,
        loop: Loop,
        on_failure: Callable[[ImportError], object],
        modules: Iterable[str] = LATE_MODULES,
        *,
        last_activity: Callable[[], float],
        idle_seconds: float = IDLE_SECONDS,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`on_failure` is called when a module cannot be imported; the others are not
        tried then. `last_activity` returns when something happened last, by `now`."""
        self._loop = loop
        self._on_failure = on_failure
        self._left = deque(modules)
        self._last_activity = last_activity
        self._idle_seconds = idle_seconds
        self._now = now
        self._latest = now() + MAX_WAIT_SECONDS
        self._timer: Timer | None = loop.call_later(idle_seconds, self._begin)

    def stop(self) -> None:
        """Import no more."""
        self._left.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _begin(self) -> None:
        """Begin if nothing happens, or else ask again later."""
        quiet_at = min(self._last_activity() + self._idle_seconds, self._latest)
        left = quiet_at - self._now()
        if left > 0:
            self._timer = self._loop.call_later(left, self._begin)
        else:
            self._import_next()

    def _import_next(self) -> None:
        self._timer = None
        if not self._left:
            return
        try:
            with lean_import():
                importlib.import_module(self._left[0])
            self._left.popleft()
        except (OSError, MemoryError):  # no descriptor is free, perhaps
            self._timer = self._loop.call_later(RETRY_SECONDS, self._import_next)
            return
        except ImportError as error:
            self._left.clear()
            self._on_failure(error)
            return
        if self._left:
            self._loop.call_soon(self._import_next)
        else:
            # No gc.freeze() as at the start: garbage of clients would stay for good.
            logger.info("all modules are imported")

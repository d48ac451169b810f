"""Decides when to connect again after a connection was lost, and when to give up.

Two things look alike to a client: a server that hangs up on it every time, and servers
that are killed one after another before they could serve. The first is an error that
waiting does not mend. The second ends some day: a client goes on, in growing pauses.
The process id of the other end distinguishes them.
"""

import time
from collections.abc import Callable

from gamin.errors import ServerError

MAX_BROKEN_CONNECTIONS = 5
"""Useless connections in a row after which the client gives up."""
MIN_PAUSE = 0.05
"""Seconds before the third attempt in a row; the second one comes at once."""
MAX_PAUSE = 2.0
"""Seconds between attempts at most; each pause is twice the one before."""


class ServerUnstable(ServerError):
    """Servers accept connections but break each one before it is useful.

    `attempts` says how many connections in a row were broken.
    """

    def __init__(self, attempts: int) -> None:
        super().__init__(attempts)
        self.attempts = attempts

    def __str__(self) -> str:
        return (
            f"the server broke {self.attempts} connections in a row; "
            "see its log (GAM_DEBUG=1 makes it talk)"
        )


class Backoff:
    """The lost connections of one client since a server last served it."""

    def __init__(self, monotonic: Callable[[], float] | None = None) -> None:
        self._monotonic = monotonic or time.monotonic
        self._has_served = False
        self._lost = 0
        self._lost_by_one_process = 0
        self._process = 0
        self._retry_at = 0.0

    def served(self) -> None:
        """The connection serves the client."""
        self._has_served = True
        self._lost = self._lost_by_one_process = 0

    def lost(self, pid: int) -> None:
        """A connection to process `pid` was lost. Raises ServerUnstable.

        A client that no server has served yet gives up after as many connections to
        different processes as to one: its program may have another way to go on.
        """
        self._lost += 1
        is_same = pid == self._process
        self._process = pid
        self._lost_by_one_process = self._lost_by_one_process + 1 if is_same else 1
        count = self._lost_by_one_process if self._has_served else self._lost
        if count >= MAX_BROKEN_CONNECTIONS:
            self._lost = self._lost_by_one_process = 0
            raise ServerUnstable(count)
        if self._lost > 1:
            pause = min(MIN_PAUSE * 2.0 ** min(self._lost - 2, 10), MAX_PAUSE)
            self._retry_at = self._monotonic() + pause
        if self._lost == MAX_BROKEN_CONNECTIONS:
            _warn()

    @property
    def pause(self) -> float:
        """Seconds to wait before the next attempt."""
        if self._lost < 2:
            return 0.0
        return max(0.0, self._retry_at - self._monotonic())


def _warn() -> None:
    # Imported late: a client seldom has anything to report.
    import logging

    logging.getLogger(__name__).warning(
        "%d servers in a row ended before they could serve; "
        "connecting again until one can",
        MAX_BROKEN_CONNECTIONS,
    )

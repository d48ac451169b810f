"""Waits until a root is quiet before its changes are delivered."""

import time
from collections.abc import Callable

from gamin.daemon.io.loop import Loop, Timer

WATCHMAN_SETTLE = 0.02
"""Seconds without a change before Watchman sends messages; its default."""
MAX_SETTLE_SPANS = 50
"""How many times its span a settling may be put off by new changes."""


class SettleTimer:
    """Calls `then` once nothing happened for `span` seconds, or too much happened."""

    def __init__(self, loop: Loop, span: float, then: Callable[[], None]) -> None:
        self._loop = loop
        self._span = span
        self._then = then
        self._timer: Timer | None = None
        self._latest = 0.0
        """When the settling ends at the latest."""

    def restart(self) -> None:
        """Something happened."""
        now = time.monotonic()
        if self._timer is None:
            self._latest = now + self._span * MAX_SETTLE_SPANS
        else:
            self._timer.cancel()
        self._timer = self._loop.call_at(
            min(now + self._span, self._latest), self._settled
        )

    def cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _settled(self) -> None:
        self._timer = None
        self._then()

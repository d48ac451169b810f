"""Waits until a root is quiet before its changes are delivered."""

from collections.abc import Callable

from gamin.daemon.io.loop import Loop, Timer

WATCHMAN_SETTLE = 0.02
"""Seconds without a change before Watchman sends messages; its default."""
MAX_SETTLE_SPANS = 50
"""How many times its span a settling may be put off by new changes."""


class SettleTimer:
    """Calls `then` once nothing happened for `span` seconds, or too much happened."""

    def __init__(
        self,
        loop: Loop,
        span: float,
        then: Callable[[], None],
        is_early: Callable[[], bool] = lambda: False,
    ) -> None:
        """`is_early`: whether something is happening that was not reported yet."""
        self._loop = loop
        self._span = span
        self._then = then
        self._is_early = is_early
        self._timer: Timer | None = None
        self._latest = 0.0
        """When the settling ends at the latest."""

    def restart(self) -> None:
        """Something happened."""
        now = self._loop.time()
        if self._timer is None:
            self._latest = now + self._span * MAX_SETTLE_SPANS
        else:
            self._timer.cancel()
        self._wait(now)

    def cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self, now: float) -> None:
        when = min(now + self._span, self._latest)
        self._timer = self._loop.call_at(when, self._due)

    def _due(self) -> None:
        now = self._loop.time()
        if now < self._latest and self._is_early():
            self._wait(now)
            return
        self._timer = None
        self._then()

"""Maps ticks to the times at which they were reached.

Watchman's clients may ask what changed since a time. The tree knows ticks only.
"""

from bisect import bisect_left

MAX_TIMES = 4096
"""Seconds that are remembered. Past that every other one of the older half is dropped,
so that what happened then counts as up to some seconds younger."""


class TickTimes:
    def __init__(self) -> None:
        self._seconds: list[int] = []
        self._ticks: list[int] = []
        """The last tick of each of them."""

    def note(self, second: int, tick: int) -> None:
        """The tick was reached in that second since 1970."""
        if self._seconds and second <= self._seconds[-1]:
            self._ticks[-1] = tick  # a clock that was set back stands still
            return
        self._seconds.append(second)
        self._ticks.append(tick)
        if len(self._seconds) > MAX_TIMES:
            old = slice(0, MAX_TIMES // 2, 2)
            del self._seconds[old], self._ticks[old]

    def before(self, second: int) -> int | None:
        """The last tick before that second; None if nothing is known of the time."""
        index = bisect_left(self._seconds, second)
        return self._ticks[index - 1] if index else None

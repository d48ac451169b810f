"""The moment of the operation at hand: its time, and which ticks are recent.

Every operation of the monitor begins one moment, with a new tick of the tree.
"""

from collections import deque

from gamin.core.model.tree import Tree

RECENT_SECONDS = 2
"""Seconds for which what happened counts as recent."""


class Moment:
    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self.now: float = 0.0
        """Seconds of a monotonic clock, as passed to the operation at hand."""
        self.reported_tick: int = 0
        """The tick before the operation at hand: whatever happened up to it was
        reported by earlier operations, or is deferred."""
        self.recent_tick: int = 0
        """Ticks greater than this are recent."""
        self._seconds: deque[tuple[int, int]] = deque()
        """(second, its first tick) of the recent seconds in which anything happened."""

    def advance(self, now: float) -> None:
        """Begin an operation: advance the tree's tick, and set the time."""
        tree = self._tree
        self.reported_tick = tree.tick
        tree.tick += 1
        self.now = now
        second = int(now)
        seconds = self._seconds
        if not seconds or seconds[-1][0] != second:
            seconds.append((second, tree.tick))
            while seconds[0][0] < second - RECENT_SECONDS:
                seconds.popleft()
            self.recent_tick = seconds[0][1] - 1

"""Counts the system calls of the doubles, and lets tests act before each of them."""

from collections.abc import Callable


def _nothing() -> None:
    """No other program does anything."""


class SystemCalls:
    def __init__(self) -> None:
        self.count = 0
        """System calls made so far."""
        self.meanwhile: Callable[[], None] = _nothing
        """Called just before each system call: what other programs do at that
        moment."""

    def next(self) -> None:
        """A double calls this before each system call."""
        self.count += 1
        self.meanwhile()

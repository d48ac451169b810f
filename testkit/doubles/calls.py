"""Counts the system calls of the doubles, and lets others act just before each."""

from collections.abc import Callable


def _nothing() -> None:
    """Nobody does anything meanwhile."""


class SystemCalls:
    def __init__(self) -> None:
        self.count = 0
        """System calls made so far."""
        self.meanwhile: Callable[[], None] = _nothing
        """What other programs do just before the call that is counted last."""

    def next(self) -> None:
        """To be called before each system call."""
        self.count += 1
        self.meanwhile()

"""Waiting for a condition: the one place in the tests that paces.

A barrier is better where there is one; this is for processes and for the original
server, which answer when they please.
"""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PACE = 0.01


def eventually(
    condition: Callable[[], T | None],
    deadline: float = 30.0,
    what: str = "the condition",
) -> T:
    """The first true answer of `condition`; AssertionError after `deadline` seconds."""
    end = time.monotonic() + deadline
    while not (answer := condition()):
        assert time.monotonic() < end, f"{what} did not hold within {deadline} s"
        time.sleep(PACE)
    return answer

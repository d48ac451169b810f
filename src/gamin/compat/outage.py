"""Remembers for a minute that no server can be had.

Each attempt to reach or start one may take seconds. A program that makes hundreds of
watches has one attempt, and all its watches begin on the library's own engine.
"""

import time
from collections.abc import Callable

from gamin.compat import settings

RETRY_SECONDS = 60.0
"""Seconds after a failed attempt in which there is no other one."""

_failed_at: dict[tuple[str | None, ...], float] = {}


def remember(monotonic: Callable[[], float] | None = None) -> None:
    """An attempt to reach the server has failed."""
    _failed_at[settings.server()] = (monotonic or time.monotonic)()


def is_known(monotonic: Callable[[], float] | None = None) -> bool:
    """Whether an attempt failed so recently that another one is in vain."""
    failed_at = _failed_at.get(settings.server())
    if failed_at is None:
        return False
    return (monotonic or time.monotonic)() < failed_at + RETRY_SECONDS

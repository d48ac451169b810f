"""Limits how many lines of one kind the server writes.

Callers that are refused cost a line each, and there may be thousands in a second.
"""

import logging
import time
from collections.abc import Callable

MAX_LINES = 20
"""The most lines of one kind in one span of time."""
SPAN_SECONDS = 10.0
"""The span of time, in seconds."""


FORMAT = "%(message)s%(left_out)s"
"""The message, and after a pause how many like it were left out before. A formatter
for it needs `DEFAULTS`."""
DEFAULTS = {"left_out": ""}
"""What a record says that no limit has seen, or that follows its like directly."""


class LogLimit(logging.Filter):
    """Lines are of one kind if the same statement of the program writes them.

    The first line after a pause says how many were left out, where its handler writes
    it in `FORMAT`. Other handlers write the message alone.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._kinds: dict[tuple[str, int], _Kind] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        kind = self._kinds.setdefault((record.pathname, record.lineno), _Kind())
        now = self._clock()
        if now - kind.began >= SPAN_SECONDS:
            kind.began, kind.lines = now, 0
        kind.lines += 1
        if kind.lines > MAX_LINES:
            kind.left_out += 1
            return False
        if kind.left_out:
            # The record is shared with other handlers, so its message stays.
            left_out = f" ({kind.left_out} more lines like this were left out)"
            record.__dict__["left_out"] = left_out
            kind.left_out = 0
        return True


class _Kind:
    def __init__(self) -> None:
        self.began = float("-inf")
        """When the present span began."""
        self.lines = 0
        self.left_out = 0

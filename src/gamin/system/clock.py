"""Measures how far the real-time clock is ahead of the monotonic one.

Times of files are of the real-time clock. Somebody who remembers such a time, and this
difference, knows later whether the clock was set back in between.
"""

import time


def real_time_offset_ns() -> int:
    """Nanoseconds of real time minus those of the monotonic clock. It becomes less only
    where the real-time clock is set back; a suspended machine makes it more."""
    return time.time_ns() - time.monotonic_ns()

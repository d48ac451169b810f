"""A timer that is a file descriptor, so that waiting for it is waiting for input.

When it should go off, and what is done then, is its owner's affair.
"""

import os
import sys
import time

from gamin.system import libc

_EXPIRATIONS = 8  # bytes: the kernel writes one unsigned 64-bit number


class Timer:
    """Readable once its time has come. Disarmed, it never wakes anybody.

    Runs on the clock of `time.monotonic`, so setting the date does not disturb it.
    """

    def __init__(self) -> None:
        flags = os.O_NONBLOCK | os.O_CLOEXEC  # the values of TFD_NONBLOCK, TFD_CLOEXEC
        fd = libc.timerfd_create(time.CLOCK_MONOTONIC, flags)
        self._file = os.fdopen(fd, "rb", buffering=0)

    def fileno(self) -> int:
        return self._file.fileno()

    def arm(self, first: float, interval: float = 0.0) -> None:
        """Go off `first` seconds from now, at once if that is past; then repeat.

        Without an interval it goes off once. Replaces an earlier arming, and an
        expiry of that which nobody has read is forgotten.
        """
        # The kernel takes a first time of 0 for "disarm".
        libc.timerfd_settime(
            self.fileno(), max(1, int(first * 1e9)), int(interval * 1e9)
        )

    def disarm(self) -> None:
        libc.timerfd_settime(self.fileno(), 0, 0)

    def read(self) -> int:
        """How often it went off since the last call. Never blocks."""
        expirations = self._file.read(_EXPIRATIONS)
        return int.from_bytes(expirations or b"", sys.byteorder)

    def close(self) -> None:
        self._file.close()

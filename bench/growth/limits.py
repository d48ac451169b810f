"""Raises the user's limit of watches where it is too low for a measurement."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

WATCHES = Path("/proc/sys/fs/inotify/max_user_watches")


@contextmanager
def room_for_watches(wanted: int) -> Iterator[None]:
    """Raise the limit to at least `wanted` during this block.

    Raises PermissionError where it is too low, for anybody but root.
    """
    before = WATCHES.read_text()
    if int(before) >= wanted:
        yield
        return
    WATCHES.write_text(f"{wanted}\n")
    try:
        yield
    finally:
        WATCHES.write_text(before)

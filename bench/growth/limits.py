"""Room for what is measured: the user's watches, lifted where they are too few."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

WATCHES = Path("/proc/sys/fs/inotify/max_user_watches")


@contextmanager
def room_for_watches(wanted: int) -> Iterator[None]:
    """The limit is at least `wanted` in this block.

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

"""The length of the kernel's queue, lowered for servers that start meanwhile."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

QUEUE = Path("/proc/sys/fs/inotify/max_queued_events")


@contextmanager
def queue_limit(events: int | None) -> Iterator[None]:
    """A process that opens inotify in this block gets a queue of so many events.

    It counts for the whole machine, so leave the block soon: another one waits for it,
    or each would leave the limit as the other had it. None leaves the limit as it is;
    anything else needs root.
    """
    if events is None:
        yield
        return
    with QUEUE.open() as taken:
        fcntl.flock(taken, fcntl.LOCK_EX)
        before = QUEUE.read_text()
        QUEUE.write_text(f"{events}\n")
        try:
            yield
        finally:
            QUEUE.write_text(before)

"""Measures what polling costs: one directory of many files, polled once a second.

    python -m bench.polling_cost [FILES]

Prints the CPU time of one poll, as the quickest and as the median of several,
and which part of a core that is at the default interval of one second.
"""

import os
import statistics
import sys
import tempfile
import time

from gamin.backends.polling import PollingBackend
from gamin.events import (
    ATTRIB,
    CLOSE_WRITE,
    CREATE,
    DELETE,
    MODIFY,
    MOVED_FROM,
    MOVED_TO,
)

NAMES = CREATE | DELETE | MOVED_FROM | MOVED_TO
DETAILS = NAMES | MODIFY | CLOSE_WRITE | ATTRIB
LOOKS = 25


class Directory:
    """A node that is never renamed."""

    def __init__(self, path: bytes) -> None:
        self.wd = self.wd_poll = -1
        self._path = path

    def path(self) -> bytes:
        return self._path


class Clock:
    """A clock that advances enough at each poll for the directory's times to be
    trusted."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def measure(path: bytes, mask: int) -> list[float]:
    """Milliseconds of CPU time, one number for each poll."""
    clock = Clock()
    backend = PollingBackend(clock)
    backend.watch(Directory(path), mask)
    spent = []
    for _ in range(LOOKS):
        clock.now += 10.0
        before = time.thread_time()
        assert not backend.due(clock.now)
        spent.append((time.thread_time() - before) * 1e3)
    # Now and then a poll reads the names as well; the first ones always do.
    return spent[2:]


def main(arguments: list[str]) -> int:
    files = int(arguments[0]) if arguments else 10_000
    with tempfile.TemporaryDirectory() as directory:
        for number in range(files):
            with open(f"{directory}/file-{number:06}", "w"):
                pass
        for what, mask in ("names and contents", DETAILS), ("names only", NAMES):
            spent = measure(os.fsencode(directory), mask)
            best, middle = min(spent), statistics.median(spent)
            print(
                f"{files} files, {what}: {best:.3f} ms a look, median {middle:.3f}; "
                f"{middle / 10:.2f} % of a core at one look a second"
            )
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

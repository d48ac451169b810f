"""Detects a command of `gamin run` that starts itself again by what it writes. Pure.

The kernel does not say who changed a file. A change is *suspect* if it happened while
the command ran. A user may save a file at such a moment too, so a loop is only what a
user does not do: several runs in a row, caused by nothing but suspect changes, each at
the same time of the run. All times are real times, as the time stamps of files are.
"""

import math
import os
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

MAX_RUNS = 5
"""Runs in a row that the command may cause by its own writes."""

CLOCK_STEP = 0.02
"""Seconds by which the time stamp of a file may lag behind the clock."""

MAX_DIFFERENCE = 1.0
"""Seconds by which the time of the change within the run may vary at least."""

TOLERANCE = 0.25
"""Part of its mean by which the time of the change within the run may vary."""


KEPT_RUNS = 8
"""Runs whose changes are recognised when they are reported late."""


class Change(NamedTuple):
    path: str
    when: float
    """When the path changed."""


class Loop(NamedTuple):
    """What five runs in a row had in common."""

    paths: tuple[str, ...]
    """The paths that changed in every run; empty if their names differ each time."""
    directory: str
    """The directory that holds everything that changed."""
    offset: float = 0.0
    """Seconds from the start of a run to the change."""

    def covers(self, path: str) -> bool:
        if self.paths:
            return path in self.paths
        return path.startswith(self.directory.rstrip("/") + "/")


class LoopGuard:
    def __init__(self) -> None:
        self._windows: deque[tuple[float, float]] = deque(maxlen=KEPT_RUNS)
        """When the last runs started and ended; a report of a change can come late."""
        self._is_innocent = False
        """Whether a pending change is not suspect."""
        self._offset: float | None = None
        """Seconds from the start of the run to the first pending suspect change."""
        self._offsets: list[float] = []
        self._common: set[str] = set()
        self._all: set[str] = set()
        self._loop: Loop | None = None

    def admit(self, changes: Iterable[Change]) -> list[str]:
        """The paths that may cause a run: all but those of a loop that was found."""
        admitted = []
        for path, when in changes:
            started = self._run_at(when)
            if self._loop is not None and self._loop.covers(path):
                if started is not None and _are_alike(
                    [self._loop.offset, when - started]
                ):
                    continue
                self._loop = None  # somebody else changes it too
            if started is None:
                self._is_innocent = True
            elif self._offset is None:
                self._offset = when - started
            admitted.append(path)
        return admitted

    def check(self, pending: Iterable[str]) -> Loop | None:
        """Call before a run that `pending` causes: the loop, if this run is one of it.

        That run should not take place; changes like these are not admitted any more.
        """
        paths = set(pending)
        if self._is_innocent or self._offset is None:
            self._forget()
            return None
        offset = self._offset
        offsets = [*self._offsets, offset]
        if not _are_alike(offsets):
            self._forget()
            offsets = [offset]
        self._common = self._common & paths if self._offsets else paths
        self._all |= paths
        self._offsets = offsets
        self._offset = None
        if len(self._offsets) <= MAX_RUNS:
            return None
        directory = os.path.commonpath([os.path.dirname(path) for path in self._all])
        mean = sum(offsets) / len(offsets)
        self._loop = Loop(tuple(sorted(self._common)), directory, mean)
        self._forget()
        return self._loop

    def started(self, now: float) -> None:
        self._windows.append((now, math.inf))
        self._is_innocent, self._offset = False, None

    def ended(self, now: float) -> None:
        started, _ = self._windows.pop()
        self._windows.append((started, now))

    def _run_at(self, when: float) -> float | None:
        """The start of the run in which a change is suspect."""
        for started, ended in reversed(self._windows):
            if started - CLOCK_STEP <= when <= ended:
                return started
        return None

    def _forget(self) -> None:
        self._offsets, self._offset, self._is_innocent = [], None, False
        self._common, self._all = set(), set()


def _are_alike(offsets: list[float]) -> bool:
    mean = sum(offsets) / len(offsets)
    return max(offsets) - min(offsets) <= max(MAX_DIFFERENCE, TOLERANCE * mean)


def ignore_pattern(path: str, root: str, *, is_dir: bool = False) -> str:
    """The line of a .gitignore in `root` that excludes exactly `path`."""
    relative = os.path.relpath(path, root)
    escaped = "".join("\\" + char if char in "\\*?[" else char for char in relative)
    if escaped.endswith(" "):
        escaped = escaped[:-1] + "\\ "
    return f"/{escaped}/" if is_dir else f"/{escaped}"

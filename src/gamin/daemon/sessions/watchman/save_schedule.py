"""Decides when the state of the roots is saved while the server runs.

It is saved only after changes, and rarely: an idle server has no timer. So after a kill
only the clocks of the last moments are lost.
"""

import time
from typing import TYPE_CHECKING

from gamin.daemon.io.loop import Loop, Timer
from gamin.daemon.sessions.watchman.lazy_memory import LazyMemory

if TYPE_CHECKING:
    from gamin.daemon.sessions.watchman.commands import Commands
    from gamin.daemon.sessions.watchman.root import Root
    from gamin.daemon.sessions.watchman.roots import Roots

QUIET_SECONDS = 1.0
"""Seconds from the last change to the save. One in the middle of a storm would cost the
storm, and be outdated at its end."""
INTERVAL_SECONDS = 30.0
"""The shortest time between two saves, in seconds; and the longest from the first
change to the save, where changes do not end."""
INTERVAL_PER_COST = 1000
"""Least time between two saves, as a multiple of what the last one took on the loop:
others wait so long, and so it is a thousandth of all time."""


class SaveSchedule:
    def __init__(
        self, loop: Loop, memory: LazyMemory, roots: "Roots", commands: "Commands"
    ) -> None:
        self._loop = loop
        self._memory = memory
        self._roots = roots
        self._commands = commands
        self._changed: set[Root] = set()
        self._timer: Timer | None = None
        self._last_change = 0.0
        # Times of the monotonic clock:
        self._earliest = 0.0
        """When the next save may be."""
        self._latest = 0.0
        """When what has changed is saved, whether changes have ended or not."""

    def changed(self, root: "Root") -> None:
        """Something is known of the root that was not saved."""
        if not self._memory.is_on:
            return
        self._changed.add(root)
        now = self._last_change = time.monotonic()
        if self._timer is None:
            self._latest = now + INTERVAL_SECONDS
            self._timer = self._loop.call_at(self._due_at, self._save_if_quiet)

    @property
    def _due_at(self) -> float:
        quiet_at = min(self._last_change + QUIET_SECONDS, self._latest)
        return max(quiet_at, self._earliest)

    def _save_if_quiet(self) -> None:
        """Save, or wait on if something has changed since the timer was set."""
        due_at = self._due_at
        if time.monotonic() < due_at:
            self._timer = self._loop.call_at(due_at, self._save_if_quiet)
        else:
            self._save()

    def cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _save(self) -> None:
        started = time.monotonic()
        changed, self._changed = self._changed, set()
        self._timer = None
        roots = [(key, root) for key, root in self._roots.by_key() if root in changed]
        if self._memory.is_writing:
            self._earliest = started + INTERVAL_SECONDS
            for _, root in roots:
                self.changed(root)
            return
        is_saved = self._memory.save_in_background(roots, self._commands.cursors())
        now = time.monotonic()
        self._earliest = now + max(
            INTERVAL_SECONDS, INTERVAL_PER_COST * (now - started)
        )
        if not is_saved:
            for _, root in roots:
                self.changed(root)

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

FIRST_SECONDS = 1.0
"""Seconds from a change to the save, if none was just before."""
INTERVAL_SECONDS = 30.0
"""The shortest time between two saves, in seconds."""
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
        self._earliest = 0.0
        """When the next save may be, on the monotonic clock."""

    def changed(self, root: "Root") -> None:
        """Something is known of the root that was not saved."""
        if not self._memory.is_on:
            return
        self._changed.add(root)
        if self._timer is None:
            when = max(time.monotonic() + FIRST_SECONDS, self._earliest)
            self._timer = self._loop.call_at(when, self._save)

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
        self._memory.save_in_background(roots, self._commands.cursors())
        now = time.monotonic()
        self._earliest = now + max(
            INTERVAL_SECONDS, INTERVAL_PER_COST * (now - started)
        )

"""Decides when the state of the roots is saved while the server runs.

It is saved only after changes, and rarely: an idle server has no timer. So after a kill
only the clocks of the last moments are lost.
"""

import time
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

from gamin.config.state_settings import StateSettings
from gamin.daemon.io.loop import Loop, Timer
from gamin.daemon.sessions.watchman.lazy_memory import LazyMemory

if TYPE_CHECKING:
    from gamin.daemon.sessions.watchman.commands import Commands
    from gamin.daemon.sessions.watchman.root import Root
    from gamin.daemon.sessions.watchman.roots import RootKey, Roots

QUIET_SECONDS = 1.0
"""Seconds from the last change to the save. One in the middle of a storm would cost the
storm, and be outdated at its end."""
INTERVAL_PER_COST = 100
"""Least time between two saves, as a multiple of what the last one took on the loop."""
SLICE_SECONDS = 0.003
"""Seconds of work for a save before other work runs."""


class SaveSchedule:
    def __init__(
        self,
        loop: Loop,
        memory: LazyMemory,
        roots: "Roots",
        commands: "Commands",
        interval: Callable[[], float] = lambda: StateSettings().save_interval,
    ) -> None:
        """`interval` returns the shortest time between two saves, in seconds. It is
        also the longest from the first change to the save, where changes do not end."""
        self._loop = loop
        self._memory = memory
        self._roots = roots
        self._commands = commands
        self._interval = interval
        self._changed: set[Root] = set()
        self._timer: Timer | None = None
        self._last_change = 0.0
        self._steps: Generator[None, None, bool] | None = None
        """The save that is at work."""
        self._saving: list[Root] = []
        """What it saves."""
        self._cost = 0.0
        """Seconds that it has taken on the loop."""
        self._closing: list[tuple[RootKey, Root, Callable[[], None]]] = []
        """Roots to be saved because they are closed, and what to call then."""
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
        if self._timer is None and self._steps is None:
            self._latest = now + self._interval()
            self._timer = self._loop.call_at(self._due_at, self._save_if_quiet)

    @property
    def _due_at(self) -> float:
        quiet_at = min(self._last_change + QUIET_SECONDS, self._latest)
        return max(quiet_at, self._earliest)

    def _save_if_quiet(self) -> None:
        """Save, or wait on if something has changed since the timer was set, or a
        client waits for what was saved earlier."""
        now, due_at = time.monotonic(), self._due_at
        is_busy = self._memory.is_recalling or self._memory.is_writing
        if is_busy:
            due_at = max(due_at, now + QUIET_SECONDS)
        if is_busy or now < due_at:
            self._timer = self._loop.call_at(due_at, self._save_if_quiet)
        else:
            self._timer = None
            changed, self._changed = self._changed, set()
            self._save(
                [(key, root) for key, root in self._roots.by_key() if root in changed]
            )

    def cancel(self) -> None:
        """Save nothing more; what is to be closed is closed by who ends the server."""
        self._steps = None
        self._closing.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def save_before_closing(
        self, key: "RootKey", root: "Root", then: Callable[[], None]
    ) -> None:
        """Save what is new of the root, and call `then`."""
        if not self._memory.is_on:
            then()
            return
        self._closing.append((key, root, then))
        if len(self._closing) == 1:
            self._save_closing()

    def _save_closing(self) -> None:
        if not self._closing or self._steps is not None:
            return
        if self._memory.is_writing:
            self._loop.call_later(QUIET_SECONDS, self._save_closing)
            return
        self._changed -= {root for _, root, _ in self._closing}
        self._save([(key, root) for key, root, _ in self._closing])

    def _save(self, roots: "list[tuple[RootKey, Root]]") -> None:
        self._saving = [root for _, root in roots]
        self._steps = self._memory.saving(roots, self._commands.cursors())
        self._cost = 0.0
        self._go_on()

    def _go_on(self) -> None:
        """Work for a slice of time at the save, if it was not canceled."""
        if self._steps is None:
            return
        began = time.monotonic()
        is_writing: bool | None = None
        try:
            while True:
                next(self._steps)
                if time.monotonic() >= began + SLICE_SECONDS:
                    break
        except StopIteration as stop:
            is_writing = stop.value
        except BaseException:
            self._finish(is_writing=False)
            raise
        self._cost += time.monotonic() - began
        if is_writing is None:
            self._loop.call_soon(self._go_on)
        else:
            self._finish(is_writing=is_writing)

    def _finish(self, *, is_writing: bool) -> None:
        self._steps = None
        saved, self._saving = self._saving, []
        wait = max(self._interval(), INTERVAL_PER_COST * self._cost)
        self._earliest = time.monotonic() + wait
        if not is_writing:
            self._changed.update(saved)
        closing, self._closing = self._closing, []
        self._closing = [each for each in closing if each[1] not in saved]
        for _, root, then in closing:
            if root in saved:
                self._changed.discard(root)
                then()
        self._save_closing()
        for root in list(self._changed):
            self.changed(root)

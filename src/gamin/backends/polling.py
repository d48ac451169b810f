"""Noticing by looking: for what the kernel does not tell about, and what is too busy.

What a look finds is left to `snapshot` and `chosen`, which paths are polled to the
core.

Watches with the same interval are looked at together, in a *round*, when the clock
passes a multiple of the interval: so all of them cost one wake-up, and a round of five
seconds falls together with one of each second. Nothing is armed while nothing is
watched.
"""

import itertools
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Protocol

from gamin.backends.base import Watchable
from gamin.backends.chosen import Chosen, Names
from gamin.backends.snapshot import Snapshot
from gamin.events import (
    CREATE,
    DELETE,
    IGNORED,
    IS_DIR,
    MOVED_FROM,
    MOVED_TO,
    Change,
)
from gamin.system.timerfd import Timer

DEFAULT_INTERVAL = 1.0  # seconds, as in the original
MIN_INTERVAL = 0.01  # seconds; a configuration may say 0
POLL_SLICE_SECONDS = (
    0.005  # seconds of looking before others get their turn; one directory is whole
)
BUSY_SHARE = 0.1  # at most this part of the time is spent looking

_NAMES = CREATE | DELETE | MOVED_FROM | MOVED_TO


class Pollable(Watchable, Protocol):
    """What polling is given. The kernel may watch the same directory: `wd` is its."""

    wd_poll: int
    """This backend's number for the watch, -1 while there is none."""


class _Watch:
    __slots__ = ("interval", "mask", "node", "snapshot")

    def __init__(
        self, node: Pollable, mask: int, interval: float, snapshot: Snapshot | Chosen
    ) -> None:
        self.node = node
        self.mask = mask
        self.interval = interval
        self.snapshot = snapshot


class _Round:
    __slots__ = ("due", "watches")

    def __init__(self, due: float, watches: dict[int, _Watch]) -> None:
        self.due = due
        self.watches = watches


class PollingBackend:
    """A timer to wait on; `drain` looks at what is due.

    `clock` says what is due and must run like `time.monotonic`.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._timer = Timer()
        self._numbers = itertools.count(1)
        self._watches: dict[int, _Watch] = {}  # by `wd_poll`
        self._rounds: dict[float, _Round] = {}  # by interval
        self._waiting: deque[_Watch] = deque()  # due, and not looked at yet
        self._is_whole_wanted = False
        self._spent = 0.0  # on what was due together with those waiting
        self._not_before = 0.0
        self._unreliable: set[int] = set()
        self._noticed: list[Change] = []
        """What was found out while watching, for the next drain."""

    def fileno(self) -> int:
        return self._timer.fileno()

    def watch(
        self,
        node: Pollable,
        mask: int,
        interval: float = DEFAULT_INTERVAL,
        names: Names | None = None,
    ) -> None:
        """As `Backend.watch`, but sets `wd_poll`; looks every `interval` seconds.

        Content that changed is MODIFY and CLOSE_WRITE in one change. Without these and
        ATTRIB in `mask` only names are looked at, which is much cheaper. A rename is a
        deletion and a creation. When the directory has gone or is another one, the
        change is IGNORED and it is no longer watched.

        With `names` only these entries are looked at, and `begin` is to be called when
        another is to be.
        """
        path = node.path()
        snapshot = self._snapshot(node, path, mask, names)
        self.unwatch(node)
        self._add(_Watch(node, mask, max(interval, MIN_INTERVAL), snapshot))

    def _snapshot(
        self, node: Pollable, path: bytes, mask: int, names: Names | None
    ) -> Snapshot | Chosen:
        """The one that is there if it will do; else a new one, taken before the last
        look of the old one, so that nothing falls in between."""
        known = self._watches.get(node.wd_poll)
        if known is not None and not known.snapshot.is_same_directory(path):
            known = None
        if known is not None and isinstance(known.snapshot, Chosen) is bool(names):
            known.snapshot.want(path, mask)
            return known.snapshot
        snapshot: Snapshot | Chosen
        if names is None:
            snapshot = Snapshot(path, mask, self._clock(), self._unreliable)
        else:
            snapshot = Chosen(path, names)
        if known is not None:
            self._noticed += self._look(known)
        return snapshot

    def track_entry(self, node: Pollable, name: bytes) -> None:
        """Entry `name` matters from now on, to those who care for a few only."""
        watch = self._watches.get(node.wd_poll)
        if watch is not None and isinstance(watch.snapshot, Chosen):
            watch.snapshot.track_entry(node.path(), name)

    def unwatch(self, node: Pollable) -> None:
        """As `Backend.unwatch`; nothing if it is not watched."""
        watch = self._watches.pop(node.wd_poll, None)
        if watch is None:
            return
        mates = self._rounds[watch.interval].watches
        del mates[node.wd_poll]
        node.wd_poll = -1
        if not mates:
            del self._rounds[watch.interval]
            self._arm()

    def is_known(self, node: Pollable) -> bool:
        """Whether the directory at its path is the one that is polled already."""
        watch = self._watches.get(node.wd_poll)
        with suppress(OSError):
            return watch is not None and watch.snapshot.is_same_directory(node.path())
        return False

    def mask(self, node: Pollable) -> int:
        """What the directory is polled for; 0 if it is not."""
        watch = self._watches.get(node.wd_poll)
        return 0 if watch is None else watch.mask

    def absorb_kernel_event(self, node: Pollable, mask: int, name: bytes) -> None:
        """The kernel has told this of an entry, so it is not to be told again; the next
        look goes on from there.

        From the state it left the entry in, not from the present one: the kernel may
        have been asked to be silent since.
        """
        watch = self._watches.get(node.wd_poll)
        if watch is None:
            return
        if not mask & _NAMES:
            watch.snapshot.refresh(node.path(), name)
            return
        watch.snapshot.forget(name)
        if mask & (CREATE | MOVED_TO):
            watch.snapshot.absorb_scan(node.path(), {name: mask & IS_DIR != 0})

    def absorb_scan(
        self,
        node: Pollable,
        found: Mapping[bytes, bool | None],
        *,
        is_all: bool = False,
    ) -> Sequence[Change]:
        """Entries were looked for just now: whether each is a directory, or None where
        there is none. `is_all`: nothing else is there.

        What the last look saw otherwise has changed since: that is the answer, and the
        next look goes on from what was found.
        """
        watch = self._watches.get(node.wd_poll)
        if watch is None:
            return []
        snapshot = watch.snapshot
        if is_all:
            found = {**dict.fromkeys(snapshot.names), **found}
        gone = snapshot.remove_stale(found)
        there = {n: is_dir for n, is_dir in found.items() if is_dir is not None}
        changes = [
            Change(node, CREATE | (IS_DIR if there[name] else 0), 0, name)
            for name in snapshot.absorb_scan(node.path(), there)
        ]
        if not watch.mask & DELETE:
            return changes  # who tells of names will tell of that
        return [Change(node, mask, 0, name) for name, mask in gone.items()] + changes

    def scan_now(self) -> None:
        """Make the next `drain` look at everything; the descriptor is readable."""
        self._is_whole_wanted = True
        self._timer.arm(0)

    def drain(self) -> Sequence[Change]:
        """Look at what is due, and at most for a SLICE; the rest waits for the next."""
        is_awake = self._timer.read() > 0
        started = self._clock()
        self._start_rounds(started)
        changes, self._noticed = self._noticed, []
        if not self._waiting:
            if is_awake:
                self._arm()
            return changes
        while self._waiting:
            changes += self._look(self._waiting.popleft())
            now = self._clock()
            if now - started > POLL_SLICE_SECONDS and not self._is_whole_wanted:
                break
        self._is_whole_wanted = False
        self._spent += now - started
        if not self._waiting:
            self._not_before = now + self._spent * (1 / BUSY_SHARE - 1)
            self._spent = 0.0
        self._arm()
        return changes

    def final_look(self, node: Pollable) -> Sequence[Change]:
        """What a look at one directory gives now, before polling it ends."""
        watch = self._watches.get(node.wd_poll)
        return [] if watch is None else self._look(watch)

    def close(self) -> None:
        self._timer.close()

    def _add(self, watch: _Watch) -> None:
        number = watch.node.wd_poll = next(self._numbers)
        self._watches[number] = watch
        interval = watch.interval
        if interval in self._rounds:
            self._rounds[interval].watches[number] = watch
        else:
            due = _next_multiple(interval, self._clock())
            self._rounds[interval] = _Round(due, {number: watch})
            self._arm()

    def _start_rounds(self, now: float) -> None:
        if self._is_whole_wanted:
            self._waiting = deque(self._watches.values())
        elif not self._waiting and now >= self._not_before:
            for interval, round_ in self._rounds.items():
                if round_.due <= now:
                    round_.due = _next_multiple(interval, now)
                    self._waiting.extend(round_.watches.values())

    def _look(self, watch: _Watch) -> list[Change]:
        node = watch.node
        if self._watches.get(node.wd_poll) is not watch:
            return []  # unwatched while it waited
        found = watch.snapshot.look(node.path(), watch.mask, self._clock())
        if found is None:
            self.unwatch(node)
            return [Change(node, IGNORED, 0, b"")]
        return [Change(node, mask, 0, name) for mask, name in found]

    def _arm(self) -> None:
        """Wake for the next round, at once for the rest of this one, or never."""
        if self._waiting or self._noticed or self._is_whole_wanted:
            self._timer.arm(0)
        elif self._rounds:
            due = min(round_.due for round_ in self._rounds.values())
            self._timer.arm(max(due, self._not_before) - self._clock())
        else:
            self._timer.disarm()


def _next_multiple(interval: float, now: float) -> float:
    return (now // interval + 1) * interval

"""Detects changes by polling, where the kernel reports none or too many.

The core decides which directories are polled; `snapshot` compares one directory.

Directories with the same interval are polled together, in a *round*, when the clock
passes a multiple of the interval: all of them cost one wake-up, and a round of five
seconds coincides with one of each second. Nothing is due while nothing is polled.
"""

import itertools
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from operator import itemgetter
from typing import Protocol

from gamin.backends.base import Watchable
from gamin.backends.snapshot import Names, Snapshot
from gamin.events import (
    CREATE,
    DELETE,
    IGNORED,
    IS_DIR,
    MOVED_FROM,
    MOVED_TO,
    Change,
)
from gamin.paths import is_within

DEFAULT_INTERVAL = 1.0
"""Seconds between two polls, as in the original."""
MIN_INTERVAL = 0.01
"""The shortest interval in seconds; a configuration may say 0."""
POLL_SLICE_SECONDS = 0.005
"""Seconds of polling before other work runs; one directory is not divided."""
BUSY_SHARE = 0.1
"""The largest share of the time that is spent polling, save for `MAX_REST_SECONDS`."""
MAX_REST_SECONDS = 30.0
"""The most seconds between two rounds, however long one takes."""

_NAMES = CREATE | DELETE | MOVED_FROM | MOVED_TO


class Pollable(Watchable, Protocol):
    """A directory that is polled. The kernel may watch it too: `wd` is the kernel's."""

    wd_poll: int
    """This backend's number for the directory, -1 while it is not polled."""


class _Watch:
    __slots__ = ("interval", "mask", "node", "snapshot")

    def __init__(
        self, node: Pollable, mask: int, interval: float, snapshot: Snapshot
    ) -> None:
        self.node = node
        self.mask = mask
        self.interval = interval
        self.snapshot = snapshot


class _Round:
    __slots__ = ("due", "polled_at", "watches")

    def __init__(self, due: float, watches: dict[int, _Watch], now: float) -> None:
        self.due = due
        self.watches = watches
        self.polled_at = now
        """All of its directories were polled at this time or later."""


class PollingBackend:
    """Polls directories; call `due` when the time of `deadline` has come."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        cost: Callable[[], float] | None = None,
    ) -> None:
        """`deadline` and `due` use the time of `clock`. `cost` measures what polling
        costs, the clock if None: in a thread that waits for a mount, waiting is no
        cost, and must not be followed by a long rest."""
        self._clock = clock
        self._cost = cost or clock
        self._numbers = itertools.count(1)
        self._watches: dict[int, _Watch] = {}
        """By `wd_poll`."""
        self._rounds: dict[float, _Round] = {}
        """By interval."""
        self._waiting: deque[_Watch] = deque()
        """Directories that are due and not polled yet."""
        self._unfinished: list[tuple[_Round, float]] = []
        """Rounds that `_waiting` is the rest of, and when they started."""
        self._spent = 0.0
        """Seconds spent so far on the round that `_waiting` is the rest of."""
        self._not_before = 0.0
        """No round starts before this time, or polling would exceed its share."""
        self._unreliable: set[int] = set()
        """Devices whose directory times are not trusted."""

    def watch(
        self,
        node: Pollable,
        mask: int,
        interval: float = DEFAULT_INTERVAL,
        names: Names | None = None,
    ) -> Sequence[Change]:
        """As `Backend.watch`, but sets `wd_poll`, and polls every `interval` seconds.

        Changed content is MODIFY and CLOSE_WRITE in one change. Without these and
        ATTRIB in `mask` only the names are compared, which is much cheaper. A rename is
        a deletion and a creation. If the directory is gone or is another one, the
        change is IGNORED and it is no longer polled.

        With `names` only these entries are polled; call `track_entry` to add one. If
        that differs from before, the directory is polled once more in the former way,
        and the changes are returned.
        """
        path = node.path()
        snapshot, missed = self._snapshot(node, path, mask, names)
        self.unwatch(node)
        self._add(_Watch(node, mask, max(interval, MIN_INTERVAL), snapshot))
        return missed

    def _snapshot(
        self, node: Pollable, path: bytes, mask: int, names: Names | None
    ) -> tuple[Snapshot, Sequence[Change]]:
        """The present snapshot if it can be used; otherwise a new one, taken before the
        last poll of the present one, so that no change is missed in between."""
        known = self._watches.get(node.wd_poll)
        if known is not None and not known.snapshot.is_same_directory(path):
            known = None
        if known is not None and known.snapshot.is_limited is bool(names):
            known.snapshot.want(path, mask)
            return known.snapshot, ()
        snapshot = Snapshot(path, mask, self._clock(), self._unreliable, names)
        return snapshot, () if known is None else self._compare(known)

    def track_entry(self, node: Pollable, name: bytes) -> None:
        """Entry `name` matters from now on, where only some entries matter."""
        watch = self._watches.get(node.wd_poll)
        if watch is not None:
            watch.snapshot.track_entry(node.path(), name)

    def unwatch(self, node: Pollable) -> None:
        """As `Backend.unwatch`; nothing happens if it is not polled."""
        watch = self._watches.pop(node.wd_poll, None)
        if watch is None:
            return
        mates = self._rounds[watch.interval].watches
        del mates[node.wd_poll]
        node.wd_poll = -1
        if not mates:
            del self._rounds[watch.interval]
            if not self._rounds:
                self._waiting.clear()
                self._unfinished.clear()

    def is_known(self, node: Pollable) -> bool:
        """Whether the directory at its path is the one that is polled."""
        watch = self._watches.get(node.wd_poll)
        with suppress(OSError):
            return watch is not None and watch.snapshot.is_same_directory(node.path())
        return False

    def mask(self, node: Pollable) -> int:
        """What the directory is polled for; 0 if it is not polled."""
        watch = self._watches.get(node.wd_poll)
        return 0 if watch is None else watch.mask

    def absorb_kernel_event(self, node: Pollable, mask: int, name: bytes) -> None:
        """The kernel reported this event, so the next poll must not report it again.

        The next poll compares with the state in which the event left the entry, not
        with its present state: the kernel watch may have ended since.
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
        """Entries were found just now (True: a directory) or not found (None), so the
        next poll must not report them again. Returns what changed since the last poll.

        `is_all`: there are no other entries.
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
            return changes  # the kernel reports names here
        return [Change(node, mask, 0, name) for name, mask in gone.items()] + changes

    def deadline(self) -> float | None:
        """When `due` must be called next: None while nothing is polled, 0 while a round
        is unfinished."""
        if not self._rounds:
            return None
        if self._waiting:
            return 0.0
        due = min(round_.due for round_ in self._rounds.values())
        return max(due, self._not_before)

    def due(self, now: float) -> Sequence[Change]:
        """Poll what is due at `now`, for a slice of time; the next call continues."""
        if not self._waiting:
            self._start_rounds(now)
            if not self._waiting:
                return ()
        changes: list[Change] = []
        started_cost = self._cost()
        end = now + POLL_SLICE_SECONDS
        after = now
        while self._waiting:
            changes += self._compare(self._waiting.popleft())
            after = self._clock()
            if after > end:
                break
        self._spent += self._cost() - started_cost
        if not self._waiting:
            rest = self._spent * (1 / BUSY_SHARE - 1)
            self._not_before = after + min(rest, MAX_REST_SECONDS)
            self._spent = 0.0
            for round_, started in self._unfinished:
                round_.polled_at = started
            self._unfinished.clear()
        return changes

    def oldest_poll(self) -> float | None:
        """A time after which every polled directory was polled; None while nothing is
        polled. It is later than intervals say where polling takes long."""
        if not self._rounds:
            return None
        return min(each.polled_at for each in self._rounds.values())

    def final_poll(self, node: Pollable) -> Sequence[Change]:
        """Poll one directory now, and return what changed since the last poll."""
        watch = self._watches.get(node.wd_poll)
        return [] if watch is None else self._compare(watch)

    def polled_below(self, path: bytes) -> list[Pollable]:
        """The directories at or below `path` that are polled, parents first."""
        polled = [(watch.node.path(), watch.node) for watch in self._watches.values()]
        below = [each for each in polled if is_within(each[0], path)]
        below.sort(key=itemgetter(0))
        return [node for _, node in below]

    def poll_below(self, path: bytes) -> Sequence[Change]:
        """Poll now all polled directories at or below `path`, and return what changed
        since the last poll."""
        below = [w for w in self._watches.values() if is_within(w.node.path(), path)]
        return [change for watch in below for change in self._compare(watch)]

    def _add(self, watch: _Watch) -> None:
        number = watch.node.wd_poll = next(self._numbers)
        self._watches[number] = watch
        interval = watch.interval
        if interval in self._rounds:
            self._rounds[interval].watches[number] = watch
        else:
            now = self._clock()
            due = _next_multiple(interval, now)
            self._rounds[interval] = _Round(due, {number: watch}, now)

    def _start_rounds(self, now: float) -> None:
        if now < self._not_before:
            return
        for interval, round_ in self._rounds.items():
            if round_.due <= now:
                round_.due = _next_multiple(interval, now)
                self._unfinished.append((round_, now))
                self._waiting.extend(round_.watches.values())

    def _compare(self, watch: _Watch) -> list[Change]:
        node = watch.node
        if self._watches.get(node.wd_poll) is not watch:
            return []  # unwatched while it waited
        found = watch.snapshot.compare(node.path(), watch.mask, self._clock())
        if found is None:
            self.unwatch(node)
            return [Change(node, IGNORED, 0, b"")]
        return [Change(node, mask, 0, name) for mask, name in found]


def _next_multiple(interval: float, now: float) -> float:
    return (now // interval + 1) * interval

"""A poller for the disk in memory, with a clock that tests move."""

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from gamin.backends.snapshot import GONE
from gamin.engine.ports import Pollable
from gamin.events import (
    ATTRIB,
    CLOSE_WRITE,
    CREATE,
    DELETE,
    IGNORED,
    IS_DIR,
    MODIFY,
    MOVED_FROM,
    MOVED_TO,
    Change,
)
from gamin.paths import is_within
from testkit.doubles.calls import SystemCalls
from testkit.doubles.disk import READ, Disk, Inode

CONTENT = MODIFY | CLOSE_WRITE

Names = Callable[[], Collection[bytes]]


class _Seen(NamedTuple):
    """An entry at the last poll; a number of 0 equals no entry of the disk."""

    number: int
    kind: int
    mode: int
    written: int
    version: int


class _Watch(NamedTuple):
    node: Pollable
    mask: int
    interval: float
    directory: Inode
    names: Names | None
    """Returns the entries that matter; None: all."""
    matter: set[bytes]
    """The entries that mattered at the last poll."""
    entries: dict[bytes, _Seen]

    def polls_entry(self, name: bytes) -> bool:
        return self.names is None or name in self.matter


class PollingInMemory:
    """A `gamin.engine.ports.Poller` that calls `calls.next` before each system call."""

    def __init__(
        self, disk: Disk, clock: Callable[[], float], calls: SystemCalls | None = None
    ) -> None:
        self._disk = disk
        self._clock = clock
        self._calls = calls or SystemCalls()
        self._watches: dict[int, _Watch] = {}
        self._due_at: dict[float, float] = {}
        """When each interval ends, by interval."""
        self._polled_at: dict[float, float] = {}
        """When each interval began."""
        self._last = 0

    @property
    def watches(self) -> int:
        return len(self._watches)

    @property
    def intervals(self) -> list[float]:
        return [watch.interval for watch in self._watches.values()]

    def watch(
        self, node: Pollable, mask: int, interval: float, names: Names | None
    ) -> list[Change]:
        self._calls.next()
        path = node.path()
        directory = self._disk.directory(path)
        known = self._watches.get(node.wd_poll)
        missed: list[Change] = []
        entries, matter = self._entries(path), set(names() if names else ())
        if known is not None and known.directory is directory:
            if (known.names is None) is (names is None):
                entries, matter = known.entries, known.matter
            else:
                missed = self.final_poll(node)
        self.unwatch(node)
        self._last += 1
        node.wd_poll = self._last
        self._watches[self._last] = _Watch(
            node, mask, interval, directory, names, matter, entries
        )
        self._due_at.setdefault(interval, _next_multiple(interval, self._clock()))
        self._polled_at.setdefault(interval, self._clock())
        return missed

    def is_known(self, node: Pollable) -> bool:
        self._calls.next()
        watch = self._watches.get(node.wd_poll)
        return watch is not None and self._is_there(node.path(), watch.directory)

    def mask(self, node: Pollable) -> int:
        watch = self._watches.get(node.wd_poll)
        return 0 if watch is None else watch.mask

    def track_entry(self, node: Pollable, name: bytes) -> None:
        watch = self._watches.get(node.wd_poll)
        if watch is not None and not watch.polls_entry(name):
            watch.matter.add(name)
            self._refresh(watch, name)

    def unwatch(self, node: Pollable) -> None:
        watch = self._watches.pop(node.wd_poll, None)
        node.wd_poll = -1
        if watch is not None and watch.interval not in self.intervals:
            del self._due_at[watch.interval], self._polled_at[watch.interval]

    def absorb_kernel_event(self, node: Pollable, mask: int, name: bytes) -> None:
        watch = self._watches.get(node.wd_poll)
        if watch is None or not watch.polls_entry(name):
            return
        if not mask & (DELETE | MOVED_FROM):
            self._refresh(watch, name)
        else:
            watch.entries.pop(name, None)
        if mask & (CREATE | MOVED_TO):
            watch.entries.setdefault(name, _Seen(0, mask & IS_DIR, 0, 0, 0))

    def _refresh(self, watch: _Watch, name: bytes) -> None:
        self._calls.next()
        try:
            now = self._entries(watch.node.path()).get(name)
        except OSError:
            return
        if now is None:
            watch.entries.pop(name, None)
        else:
            watch.entries[name] = now

    def absorb_scan(
        self, node: Pollable, found: Mapping[bytes, bool | None], *, is_all: bool
    ) -> list[Change]:
        watch = self._watches.get(node.wd_poll)
        if watch is None:
            return []
        known = watch.entries
        if is_all:
            found = {**dict.fromkeys(known), **found}
        kinds = {
            name: None if is_dir is None else IS_DIR * is_dir
            for name, is_dir in found.items()
        }
        gone = {
            name: DELETE | known[name].kind
            for name, kind in kinds.items()
            if name in known and kind != known[name].kind
        }
        for name in gone:
            del known[name]
        created = []
        for name, kind in kinds.items():
            if kind is not None and watch.polls_entry(name) and name not in known:
                self._refresh(watch, name)
                if name not in known or known[name].kind != kind:
                    known[name] = _Seen(0, kind, 0, 0, 0)
                created.append(Change(node, CREATE | kind, 0, name))
        if not watch.mask & DELETE:
            return created
        return [Change(node, mask, 0, name) for name, mask in gone.items()] + created

    def deadline(self) -> float | None:
        return min(self._due_at.values(), default=None)

    def due(self, now: float) -> list[Change]:
        over = {interval for interval, at in self._due_at.items() if at <= now}
        for interval in over:
            self._due_at[interval] = _next_multiple(interval, now)
            self._polled_at[interval] = now
        due = [watch for watch in self._watches.values() if watch.interval in over]
        return [change for watch in due for change in self.final_poll(watch.node)]

    def oldest_poll(self) -> float | None:
        return min(self._polled_at.values(), default=None)

    def polled_below(self, path: bytes) -> list[Pollable]:
        polled = {watch.node.path(): watch.node for watch in self._watches.values()}
        return [polled[each] for each in sorted(polled) if is_within(each, path)]

    def poll_below(self, path: bytes) -> list[Change]:
        nodes = [watch.node for watch in self._watches.values()]
        below = [node for node in nodes if is_within(node.path(), path)]
        return [change for node in below for change in self.final_poll(node)]

    def final_poll(self, node: Pollable) -> list[Change]:
        watch = self._watches.get(node.wd_poll)
        if watch is None:
            return []
        self._calls.next()
        path = node.path()
        try:
            is_there = self._disk.inode(path) is watch.directory
        except OSError as error:
            if error.errno not in GONE:
                return []
            is_there = False
        if not is_there:
            self.unwatch(node)
            return [Change(node, IGNORED, 0, b"")]
        if not watch.directory.mode & READ:
            return []
        before, now = dict(watch.entries), self._entries(path)
        if watch.names is not None:
            before = {n: s for n, s in before.items() if n in watch.matter}
            new = set(watch.names())
            seen = {n: s for n, s in now.items() if n in watch.matter & new}
            before = {n: s for n, s in before.items() if n in new}
            now = {n: s for n, s in now.items() if n in new}
            watch.matter.clear()
            watch.matter.update(new)
        else:
            seen = now
        watch.entries.clear()
        watch.entries.update(now)
        found = _differences(before, seen, watch.mask)
        return [Change(node, mask, 0, name) for mask, name in found]

    def _is_there(self, path: bytes, directory: Inode) -> bool:
        try:
            return self._disk.inode(path) is directory
        except OSError:
            return False

    def _entries(self, path: bytes) -> dict[bytes, _Seen]:
        return {name: _seen(inode) for name, inode in self._disk.listing(path).items()}


def _next_multiple(interval: float, now: float) -> float:
    return (now // interval + 1) * interval


def _seen(inode: Inode) -> _Seen:
    return _Seen(inode.number, _kind(inode), inode.mode, inode.written, inode.version)


def _kind(inode: Inode) -> int:
    return IS_DIR if inode.is_dir else 0


def _differences(
    before: dict[bytes, _Seen], after: dict[bytes, _Seen], mask: int
) -> list[tuple[int, bytes]]:
    common = before.keys() & after.keys()
    other = {name for name in common if before[name].number != after[name].number}
    gone = [name for name in before if name not in after or name in other]
    come = [name for name in after if name not in before or name in other]
    return [
        *((DELETE | before[name].kind, name) for name in gone),
        *((CREATE | after[name].kind, name) for name in come),
        *(
            (change | after[name].kind, name)
            for name in before
            if name in common - other
            and (change := _change(before[name], after[name], mask))
        ),
    ]


def _change(before: _Seen, after: _Seen, mask: int) -> int:
    if after.kind:
        return mask & ATTRIB if before.mode != after.mode else 0
    if before.written != after.written and mask & CONTENT:
        return mask & CONTENT
    return mask & ATTRIB if before.version != after.version else 0

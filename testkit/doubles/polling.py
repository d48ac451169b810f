"""Polling for the disk in memory: looks when it is told to, never by itself.

When a look is due is the shell's affair, as in the daemon it is the timer's.
"""

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple, Protocol

from gamin.backends.base import Watchable
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
from testkit.doubles.disk import READ, Disk, Inode

CONTENT = MODIFY | CLOSE_WRITE


class Pollable(Watchable, Protocol):
    wd_poll: int


class _Seen(NamedTuple):
    number: int
    kind: int
    mode: int
    written: int
    version: int


Names = Callable[[], Collection[bytes]]


class _Watch(NamedTuple):
    node: Pollable
    mask: int
    interval: float
    directory: Inode
    names: Names | None
    """Gives the entries that matter; None: all."""
    matter: set[bytes]
    """Those that did at the last look."""
    entries: dict[bytes, _Seen]

    def looks_at(self, name: bytes) -> bool:
        return self.names is None or name in self.matter


class PollingInMemory:
    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._watches: dict[int, _Watch] = {}
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
        """Answers what the way it was polled before has missed so far."""
        path = node.path()
        directory = self._disk.directory(path)
        known = self._watches.get(node.wd_poll)
        missed: list[Change] = []
        entries, matter = self._entries(path), set(names() if names else ())
        if known is not None and known.directory is directory:
            if (known.names is None) is (names is None):
                entries, matter = known.entries, known.matter
            else:
                missed = self.final_look(node)
        self.unwatch(node)
        self._last += 1
        node.wd_poll = self._last
        self._watches[self._last] = _Watch(
            node, mask, interval, directory, names, matter, entries
        )
        return missed

    def is_known(self, node: Pollable) -> bool:
        """Whether the directory at its path is the one that is polled already."""
        watch = self._watches.get(node.wd_poll)
        return watch is not None and self._is_there(node.path(), watch.directory)

    def mask(self, node: Pollable) -> int:
        watch = self._watches.get(node.wd_poll)
        return 0 if watch is None else watch.mask

    def track_entry(self, node: Pollable, name: bytes) -> None:
        """The entry matters from now on."""
        watch = self._watches.get(node.wd_poll)
        if watch is not None and not watch.looks_at(name):
            watch.matter.add(name)
            self._refresh(watch, name)

    def unwatch(self, node: Pollable) -> None:
        self._watches.pop(node.wd_poll, None)
        node.wd_poll = -1

    def absorb_kernel_event(self, node: Pollable, mask: int, name: bytes) -> None:
        """The kernel has told this of an entry; the next look goes on from there."""
        watch = self._watches.get(node.wd_poll)
        if watch is None or not watch.looks_at(name):
            return
        if not mask & (DELETE | MOVED_FROM):
            self._refresh(watch, name)
        else:
            watch.entries.pop(name, None)
        if mask & (CREATE | MOVED_TO):
            watch.entries.setdefault(name, _Seen(0, mask & IS_DIR, 0, 0, 0))

    def _refresh(self, watch: _Watch, name: bytes) -> None:
        try:
            now = self._entries(watch.node.path()).get(name)
        except OSError:
            return
        if now is None:
            watch.entries.pop(name, None)
        else:
            watch.entries[name] = now

    def absorb_scan(
        self,
        node: Pollable,
        found: Mapping[bytes, Inode | None],
        *,
        is_all: bool = False,
    ) -> list[Change]:
        """What was found there just now, or None; what the last look saw otherwise has
        changed since, and the next look goes on from here."""
        watch = self._watches[node.wd_poll]
        known = watch.entries
        if is_all:
            found = {**dict.fromkeys(known), **found}
        gone = {
            name: DELETE | known[name].kind
            for name, inode in found.items()
            if name in known and (inode is None or _kind(inode) != known[name].kind)
        }
        for name in gone:
            del known[name]
        new = {
            name: inode
            for name, inode in found.items()
            if inode is not None and watch.looks_at(name) and name not in known
        }
        known.update({name: _seen(inode) for name, inode in new.items()})
        created = [Change(node, CREATE | _kind(i), 0, name) for name, i in new.items()]
        if not watch.mask & DELETE:
            return created
        return [Change(node, mask, 0, name) for name, mask in gone.items()] + created

    def look_all(self, now: float) -> list[Change]:
        """Look at everything whose interval is over at `now`."""
        due = [w for w in self._watches.values() if now % w.interval < 1e-6]
        return [change for watch in due for change in self.final_look(watch.node)]

    def final_look(self, node: Pollable) -> list[Change]:
        watch = self._watches.get(node.wd_poll)
        if watch is None:
            return []
        path = node.path()
        if not self._is_there(path, watch.directory):
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

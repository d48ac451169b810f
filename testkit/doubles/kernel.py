"""inotify for the disk in memory, and a backend on it as `gamin.backends.inotify`.

One queue, watches that belong to inodes, events that are equal to the last one dropped,
an end to the queue. What the real backend asks the real kernel, this one asks the disk.
"""

import errno
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from gamin.backends.base import Usage, Watchable
from gamin.errors import WatchLimitReached
from gamin.events import (
    CLOSE_WRITE,
    CREATE,
    DELETE,
    IGNORED,
    IS_DIR,
    MOVED_FROM,
    OVERFLOW,
    Change,
)
from testkit.doubles.disk import Disk, Inode

QUEUE_SIZE = 16_384  # fs.inotify.max_queued_events
NO_WATCH = -1


class _Event(NamedTuple):
    watch: int
    mask: int
    cookie: int
    name: bytes


class Inotify:
    """The kernel's part."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._watches: dict[Inode, int] = {}
        self._masks: dict[int, int] = {}
        self._last = 0
        self.queue: list[_Event] = []
        self.room = QUEUE_SIZE
        """How many events are taken before the queue overflows."""
        disk.notice = self._notice
        disk.dropped = self._dropped

    @property
    def watches(self) -> int:
        return len(self._watches)

    def add_watch(self, path: bytes, mask: int) -> int:
        inode = self._disk.directory(path)
        if inode not in self._watches:
            self._last += 1
            self._watches[inode] = self._last
        self._masks[self._watches[inode]] = mask
        return self._watches[inode]

    def remove_watch(self, watch: int) -> None:
        for inode, number in list(self._watches.items()):
            if number == watch:
                self._dropped(inode, 0)

    def watch_of(self, path: bytes) -> int:
        """The number that watching `path` would give, if it is watched already."""
        with suppress(OSError):
            return self._watches.get(self._disk.directory(path), NO_WATCH)
        return NO_WATCH

    def read(self) -> list[_Event]:
        """Everything; afterwards there is room again."""
        events, self.queue = self.queue, []
        self.room = QUEUE_SIZE
        return events

    def choke(self) -> None:
        """The queue is full: what happens until it is read is lost."""
        self.room = len(self.queue)

    def _notice(self, inode: Inode, mask: int, cookie: int, name: bytes) -> None:
        watch = self._watches.get(inode)
        if watch is not None and self._masks[watch] & mask & ~IS_DIR:
            self._put(_Event(watch, mask, cookie, name))

    def _dropped(self, inode: Inode, mask: int) -> None:
        watch = self._watches.pop(inode, None)
        if watch is None:
            return
        del self._masks[watch]
        if mask:
            self._put(_Event(watch, mask, 0, b""))
        self._put(_Event(watch, IGNORED, 0, b""))

    def _put(self, event: _Event) -> None:
        if self.queue and self.queue[-1] == event:
            return  # inotify_merge in fs/notify/inotify/inotify_fsnotify.c
        if len(self.queue) < self.room:
            self.queue.append(event)
        elif not any(queued.mask & OVERFLOW for queued in self.queue):
            self.queue.append(_Event(NO_WATCH, OVERFLOW, 0, b""))


class KernelInMemory:
    """The backend's part."""

    def __init__(self, disk: Disk, room: int = 65_536) -> None:
        """`room`: how many watches there are at the most."""
        self.inotify = Inotify(disk)
        self.limit = room
        self._owners: dict[int, list[Watchable]] = {}
        self._masks: dict[int, int] = {}
        self._noticed: list[Change] = []
        self.queued_bytes = self.drained_bytes = 0

    @property
    def watches(self) -> int:
        return self.inotify.watches

    @property
    def usage(self) -> tuple[Usage]:
        return (Usage("memory", self.watches, self.limit),)

    @property
    def has_pending(self) -> bool:
        return bool(self._noticed)

    def read_ahead(self) -> None:
        """A drain gives out everything."""

    def fileno(self) -> int:
        raise OSError(errno.EBADF, "nothing here waits")

    def close(self) -> None:
        """Nothing is held."""

    def watch(self, node: Watchable, mask: int) -> None:
        path = node.path()
        if self.watches >= self.limit and node.wd < 0:
            raise WatchLimitReached(path, self.limit)
        known = self.inotify.watch_of(path)
        if known >= 0 and self._others(known, node):
            mask |= self._masks[known]
        try:
            watch = self.inotify.add_watch(path, mask)
        except OSError:
            self.unwatch(node)
            raise
        self._masks[watch] = mask
        if watch != node.wd:
            self.unwatch(node)
            node.wd = watch
            self._owners[watch] = [*self._still_there(watch), node]

    def unwatch(self, node: Watchable) -> None:
        watch, node.wd = node.wd, NO_WATCH
        if node not in self._owners.get(watch, ()):
            return
        self._owners[watch].remove(node)
        if not self._owners[watch]:
            del self._owners[watch], self._masks[watch]
            self.inotify.remove_watch(watch)

    def drain(self) -> Sequence[Change]:
        changes, self._noticed = self._noticed, []
        halves: dict[int, int] = {}
        created: tuple[int, bytes] | None = None
        for watch, mask, cookie, name in self.inotify.read():
            if mask == CREATE:
                created = (watch, name)
            elif mask == CLOSE_WRITE and created == (watch, name):
                continue
            owners = self._owners.get(watch, ())
            if mask & MOVED_FROM and owners:
                halves[cookie] = len(changes)
            elif cookie and (not owners or halves.pop(cookie, None) is None):
                cookie = 0
            if mask & OVERFLOW:
                changes.append(Change(None, mask, 0, b""))
            changes += [Change(node, mask, cookie, name) for node in owners]
            if mask & IGNORED:
                self._dropped(watch)
        for index in halves.values():
            mask = changes[index].mask & ~MOVED_FROM | DELETE
            changes[index] = changes[index]._replace(mask=mask, cookie=0)
        return changes

    def _others(self, watch: int, node: Watchable) -> bool:
        return any(owner is not node for owner in self._owners.get(watch, ()))

    def _still_there(self, watch: int) -> list[Watchable]:
        """Those that have this watch and whose path still leads to its directory."""
        still = []
        for owner in self._owners.get(watch, ()):
            if self.inotify.watch_of(owner.path()) == watch:
                still.append(owner)
            else:
                owner.wd = NO_WATCH
                self._noticed.append(Change(owner, IGNORED, 0, b""))
        return still

    def _dropped(self, watch: int) -> None:
        for owner in self._owners.pop(watch, ()):
            owner.wd = NO_WATCH
        self._masks.pop(watch, None)

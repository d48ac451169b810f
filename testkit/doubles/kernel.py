"""inotify for the disk in memory, and a backend on it as `gamin.backends.inotify`.

It has one queue of limited length, watches that belong to inodes, and it drops an event
that equals the one before. What the real backend asks the real kernel, this one asks
the disk.
"""

import errno
import sys
from collections import deque
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
from testkit.doubles.calls import SystemCalls
from testkit.doubles.disk import Disk, Inode

QUEUE_SIZE = 16_384
"""Events, as fs.inotify.max_queued_events."""
WHOLE_QUEUE = sys.maxsize
"""Events that one drain returns at the most: all there are."""
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
        disk.on_event = self._on_event
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

    def read(self, most: int = WHOLE_QUEUE) -> list[_Event]:
        """At most so many events. A queue that was full has its usual length again when
        it is empty."""
        events, self.queue = self.queue[:most], self.queue[most:]
        if not self.queue:
            self.room = QUEUE_SIZE
        return events

    def choke(self) -> None:
        """The queue is full: what happens until it is read is lost."""
        self.room = len(self.queue)

    def _on_event(self, inode: Inode, mask: int, cookie: int, name: bytes) -> None:
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
    """The backend's part. It calls `calls.next` before each system call but the first
    read of a drain."""

    def __init__(
        self,
        disk: Disk,
        room: int = 65_536,
        calls: SystemCalls | None = None,
        piece: int = WHOLE_QUEUE,
    ) -> None:
        """`room`: how many watches there are at the most; `piece`: how many events one
        read takes and one drain returns at the most (one more ends a rename)."""
        self.inotify = Inotify(disk)
        self.limit = room
        self._calls = calls or SystemCalls()
        self._piece = piece
        self._ahead: deque[_Event] = deque()
        """Read from the queue, and not returned by a drain yet."""
        self._owners: dict[int, list[Watchable]] = {}
        self._masks: dict[int, int] = {}
        self._pending: list[Change] = []
        self.queued_bytes = self.drained_bytes = 0
        """Counted in events here."""
        self.is_detailed = False

    @property
    def watches(self) -> int:
        return self.inotify.watches

    @property
    def usage(self) -> tuple[Usage]:
        return (Usage("memory", self.watches, self.limit),)

    @property
    def has_pending(self) -> bool:
        return bool(self._pending)

    def read_ahead(self) -> None:
        """Read everything, piece by piece: while one is read, more may be queued."""
        while events := self.inotify.read(self._piece):
            self._ahead.extend(events)
            self.queued_bytes += len(events)
            if len(events) < self._piece:
                return
            self._calls.next()

    def mask(self, node: Watchable) -> int:
        """What it is watched for; 0 if it is not watched."""
        return self._masks.get(node.wd, 0)

    def fileno(self) -> int:
        raise OSError(errno.EBADF, "nothing here waits")

    def close(self) -> None:
        """There is nothing to release."""

    def watch(self, node: Watchable, mask: int) -> None:
        self._calls.next()
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
        self.read_ahead()
        changes, self._pending = self._pending, []
        halves: dict[int, int] = {}
        created: tuple[int, bytes] | None = None
        for watch, mask, cookie, name in self._take_piece():
            if mask == CREATE:
                created = (watch, name)
            elif (
                mask == CLOSE_WRITE
                and created == (watch, name)
                and not self.is_detailed
            ):
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
            mask = changes[index].mask | DELETE
            if not self.is_detailed:
                mask &= ~MOVED_FROM
            changes[index] = changes[index]._replace(mask=mask, cookie=0)
        return changes

    def _take_piece(self) -> list[_Event]:
        """The real backend waits for the second half of a rename; here a piece does
        not end between the two."""
        piece: list[_Event] = []
        while self._ahead and (len(piece) < self._piece or piece[-1].mask & MOVED_FROM):
            piece.append(self._ahead.popleft())
        self.drained_bytes += len(piece)
        return piece

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
                self._pending.append(Change(owner, IGNORED, 0, b""))
        return still

    def _dropped(self, watch: int) -> None:
        for owner in self._owners.pop(watch, ()):
            owner.wd = NO_WATCH
        self._masks.pop(watch, None)

"""inotify behind the `Backend` interface: one instance, one table of watches.

It decodes the kernel's events into changes of nodes, and handles three problems that
the raw interface leaves to its users:

*Two nodes, one watch.* A watch belongs to an inode, not to a path: watching a
directory through a second path (a bind mount) gives the number of the first watch, and
the mask of the second call. So a number can stand for several nodes; each gets every
change, and the mask is the sum of theirs.

*A number that is returned for another node* can also mean that the first node is not
where the core believes it to be: its rename is still in the queue. So its path is
probed at once: either it is the same inode (a second path), or the core must find it.

*Renames.* The kernel queues the two halves of a rename one after the other while the
renaming process holds the locks of both directories, but a reader can come in between.
A first half without its second may thus be a rename to a place that is not watched, or
a rename that was read too early. Reading an entry of the source directory takes the
lock of that directory (iterate_dir in fs/readdir.c). When that read returns, the rename
is over, and its second half, if there is one, is in the queue. Events that were read
ahead are searched first. So every batch that a drain returns is decided: halves are
pairs, or they are plain deletions and creations.
"""

import contextlib
import errno
import os
from collections.abc import Sequence

from gamin.backends.base import Usage, Watchable
from gamin.backends.close_check import MAX_KEPT, CloseCheck
from gamin.backends.read_ahead import ReadAhead
from gamin.backends.recent_events import RecentEvents
from gamin.backends.rename_check import RenameCheck
from gamin.errors import WatchLimitReached
from gamin.events import (
    CLOSE_WRITE,
    CREATE,
    DELETE,
    IGNORED,
    MODIFY,
    MOVED_FROM,
    MOVED_TO,
    OVERFLOW,
    AnyChange,
    Change,
)
from gamin.paths import join
from gamin.system import inotify, libc

RESERVED_PERCENT = 10
"""Percent of the user's watches that are left to other programs."""

MAX_ROUNDS = 16
"""How often a drain searches for second halves while new first halves arrive."""

_FLAGS = inotify.ONLYDIR | inotify.DONT_FOLLOW | inotify.EXCL_UNLINK
RENAME_WAIT_BYTES = 512 * 1024
"""Bytes of events, about as many as the queue holds, after which a drain stops waiting
for a second half although more events are queued."""

_PROBE = _FLAGS | inotify.MASK_ADD
_ALL_NAMES = CREATE | DELETE | MOVED_FROM | MOVED_TO

_Owner = Watchable | list[Watchable]


class InotifyBackend:
    def __init__(self, most: int | None = None) -> None:
        """`most` is the most watches to take; by default a large part of the user's
        quota. Raises OSError (EMFILE) if the user may have no more instances."""
        if most is None:
            quota = inotify.limit("max_user_watches")
            most = quota - quota * RESERVED_PERCENT // 100
        self._limit = most
        self._fd = inotify.open_instance()
        self.is_detailed = False
        self._backlog = ReadAhead(inotify.Reader(self._fd))
        self.queued_bytes: int = 0
        self.drained_bytes: int = 0
        self._owners: dict[int, _Owner] = {}
        self._masks: dict[int, int] = {}  # only where a watch has several owners
        self._pending: list[AnyChange] = []
        """Changes for the next drain, found by `watch`."""
        self._carried: list[AnyChange] = []
        """The changes at the end of the last piece that wait for a second half, with
        the first halves among them and their positions in the read-ahead bytes."""
        self._halves: dict[int, int] = {}
        self._since: dict[int, int] = {}
        self._close_check = CloseCheck()
        self._recent = RecentEvents()
        self._rename_check = RenameCheck()
        self._writing = -1, b""
        """Watch and name of the file that was made or written last, whose CLOSE_WRITE
        says nothing new."""
        self._moved: list[int] = []
        """Where in the changes that are being decoded the halves of renames are."""

    def fileno(self) -> int:
        return self._fd

    def close(self) -> None:
        os.close(self._fd)
        self._owners.clear()

    @property
    def usage(self) -> tuple[Usage]:
        return (Usage("inotify", len(self._owners), self._limit),)

    # -- what is watched

    def watch(self, node: Watchable, mask: int) -> None:
        path = node.path()
        before = node.wd
        if before < 0:
            if len(self._owners) >= self._limit:
                raise WatchLimitReached(path, self._limit)
        elif before in self._masks:
            mask = self._shared_mask(node, mask)
        try:
            wd = libc.inotify_add_watch(self._fd, path, mask | _FLAGS)
        except OSError as error:
            self.unwatch(node)
            if error.errno == errno.ENOSPC:
                raise WatchLimitReached(path, len(self._owners)) from None
            raise
        if wd == before:
            return
        if before >= 0:
            self.unwatch(node)
        owner = self._owners.get(wd)
        node.wd = wd
        if not self._close_check.is_group_open:
            self._close_check.watched(wd)
        if owner is None:
            self._owners[wd] = node
        else:
            self._share(wd, owner, node, mask)

    def _share(self, wd: int, owner: _Owner, node: Watchable, mask: int) -> None:
        """Another node has this watch: probe whether it is still the same directory."""
        others = owner if isinstance(owner, list) else [owner]
        still = [other for other in others if self._is_there(other, wd)]
        if not still:
            self._owners[wd] = node
            self._masks.pop(wd, None)
            return
        self._owners[wd] = [*still, node]
        self._masks[wd] = mask = self._masks.get(wd, 0) | mask | _ALL_NAMES
        libc.inotify_add_watch(self._fd, node.path(), mask | _FLAGS)

    def _is_there(self, node: Watchable, wd: int) -> bool:
        """Whether the path of `node` leads to the directory of `wd`. If not, the node
        is unwatched, and an IGNORED makes the core find it."""
        with contextlib.suppress(OSError):
            found = libc.inotify_add_watch(self._fd, node.path(), _ALL_NAMES | _PROBE)
            if found == wd:
                return True
            if found not in self._owners:
                libc.inotify_rm_watch(self._fd, found)
        node.wd = -1
        self._pending.append(Change(node, IGNORED, 0, b""))
        return False

    def _shared_mask(self, node: Watchable, mask: int) -> int:
        self._masks[node.wd] |= mask
        return self._masks[node.wd]

    def unwatch(self, node: Watchable) -> None:
        wd, node.wd = node.wd, -1
        if self._carried:
            self._drop_carried(node)
        self._rename_check.forget(node)
        if wd < 0:
            return
        owner = self._owners.get(wd)
        if isinstance(owner, list):
            owner.remove(node)
            if len(owner) > 1:
                return
            self._masks.pop(wd, None)
            self._owners[wd] = owner[0]
        elif owner is node:
            del self._owners[wd]
            with contextlib.suppress(OSError):  # the kernel dropped it already
                libc.inotify_rm_watch(self._fd, wd)

    # -- what happened

    @property
    def has_pending(self) -> bool:
        return bool(self._pending or self._rename_check.open)

    def read_ahead(self) -> None:
        self._backlog.read_ahead()
        self.queued_bytes = self._backlog.queued_bytes

    def drain(self) -> Sequence[AnyChange]:
        backlog = self._backlog
        backlog.read_ahead()
        self.queued_bytes = backlog.queued_bytes
        if self._rename_check.open:  # of the last drain, before anything is added
            return self._settle_renames()
        close_check = self._close_check
        if close_check.is_group_open or len(close_check.modified) > MAX_KEPT:
            close_check.begin()
        changes, halves = self._carried, self._halves
        self._carried, self._halves = [], {}
        before = backlog.taken
        self._decode(backlog.take(), changes, halves)
        self.drained_bytes = backlog.taken
        if not halves:
            pass
        elif backlog:
            self._carry(changes, halves, before)
        else:
            self._complete(changes, halves)
            self.drained_bytes = backlog.taken
        if self._moved or self._rename_check.postponed:
            self._observe_renames(changes)
        if self._pending:
            changes = [*self._pending, *changes]
            self._pending = []
        return changes

    def _observe_renames(self, changes: list[AnyChange]) -> None:
        """Have the sources of the renames among `changes` looked up later."""
        moved, end = self._moved, len(changes)
        self._moved = [at - end for at in moved if at >= end]  # those that are carried
        self._rename_check.observe(changes, [at for at in moved if at < end])

    def _settle_renames(self) -> list[AnyChange]:
        pending, self._pending = self._pending, []
        return [*pending, *self._rename_check.resolve(self._is_in_place)]

    def _is_in_place(self, node: Watchable) -> bool:
        """Whether the path of `node` leads to the directory that is watched for it."""
        try:
            found = libc.inotify_add_watch(self._fd, node.path(), MOVED_FROM | _PROBE)
        except OSError:
            return False
        if found not in self._owners:
            libc.inotify_rm_watch(self._fd, found)
        return found == node.wd

    def _decode(
        self, piece: bytes, changes: list[AnyChange], halves: dict[int, int]
    ) -> None:
        """Append the changes in a piece of the queue.

        `halves` are the first halves of renames without a second: the cookie, and the
        index in `changes`.

        Names of similar length often follow each other, so their records are equally
        long, and a run of them is unpacked by one loop in C.
        """
        self._recent.add(piece)
        offset, end = 0, len(piece)
        view = memoryview(piece)
        owners, append = self._owners, changes.append
        made, created = -1, b""
        writing, written = self._writing
        wd, mask, name = -1, 0, b""
        at, owner, is_one = -1, None, False
        while offset < end:
            size = inotify.HEADER.unpack_from(piece, offset)[3]
            record = inotify.RECORDS[size]
            step = record.size
            run = view[offset : end - (end - offset) % step]
            for wd, mask, cookie, length, name in record.iter_unpack(run):
                if length != size:
                    break
                offset += step
                if mask == CREATE:
                    made, created = wd, name
                elif mask == MODIFY:
                    writing, written = wd, name
                elif mask == CLOSE_WRITE:
                    if name == created and wd == made and not self.is_detailed:
                        continue  # its creation is reported, which includes the write
                    if name != written or wd != writing:
                        mask = self._closed(wd, name)
                if wd != at:
                    at, owner = wd, owners.get(wd)
                    is_one = owner is not None and owner.__class__ is not list
                if is_one and not cookie and not mask & IGNORED:
                    append((owner, mask, 0, name.rstrip(b"\0")))
                else:
                    event = wd, mask, cookie, name.rstrip(b"\0")
                    self._decode_special(event, changes, halves)
                    at = -1
        # The CLOSE_WRITE may be in the next piece.
        self._writing = (wd, name) if mask == CREATE else (writing, written)

    def _closed(self, wd: int, name: bytes) -> int:
        """The mask to report for a CLOSE_WRITE without a MODIFY right before it."""
        owner = self._owners.get(wd)
        node = owner[0] if isinstance(owner, list) else owner
        if node is None:
            return CLOSE_WRITE
        path = join(node.path(), name.rstrip(b"\0"))
        self._recent.move_to(self._close_check)
        is_changed = self._close_check.is_changed((wd, name), path, self._recent.now_ns)
        return CLOSE_WRITE | MODIFY if is_changed else CLOSE_WRITE

    def _decode_special(
        self,
        event: tuple[int, int, int, bytes],
        changes: list[AnyChange],
        halves: dict[int, int],
    ) -> None:
        """Append the changes of a rare event: half of a rename, a directory that is
        gone or has several nodes, an overflow, or a watch that has ended."""
        wd, mask, cookie, name = event
        owner = self._owners.get(wd)
        if cookie:
            if mask & MOVED_FROM:
                if owner is not None:
                    halves[cookie] = len(changes)
            elif owner is None or halves.pop(cookie, None) is None:
                cookie = 0
        if owner is None:
            if mask & OVERFLOW:
                changes.append(Change(None, mask, 0, b""))
            return
        if mask & IGNORED:
            self._dropped(wd, owner)
        nodes = owner if isinstance(owner, list) else [owner]
        if cookie:
            self._moved += range(len(changes), len(changes) + len(nodes))
        changes += [Change(node, mask, cookie, name) for node in nodes]

    def _dropped(self, wd: int, owner: _Owner) -> None:
        """The kernel ended the watch: the directory is gone, or was unmounted."""
        del self._owners[wd]
        self._masks.pop(wd, None)
        for node in owner if isinstance(owner, list) else [owner]:
            node.wd = -1

    def _carry(
        self, changes: list[AnyChange], halves: dict[int, int], position: int
    ) -> None:
        """Leave the changes from the first open half on to the next drain: its second
        half may be in the bytes that were read ahead. `position` is where the last
        piece began."""
        since = {cookie: self._since.get(cookie, position) for cookie in halves}
        for cookie in [c for c in halves if since[c] < position - RENAME_WAIT_BYTES]:
            self._give_up(changes, halves.pop(cookie))
            del since[cookie]
        self._since = since
        if halves:
            first = min(halves.values())
            self._carried = changes[first:]
            self._halves = {cookie: at - first for cookie, at in halves.items()}
            self.drained_bytes = min(since.values())
            del changes[first:]

    def _drop_carried(self, node: Watchable) -> None:
        """Drop the carried changes of `node`, which is not watched any more."""
        kept = [at for at, change in enumerate(self._carried) if change[0] is not node]
        places = {before: now for now, before in enumerate(kept)}
        self._carried = [self._carried[at] for at in kept]
        self._halves = {c: places[at] for c, at in self._halves.items() if at in places}
        self._moved = [places[at] for at in self._moved if at in places]

    def _complete(self, changes: list[AnyChange], halves: dict[int, int]) -> None:
        """Find second halves that were not read yet; turn the rest into deletions."""
        asked: set[int] = set()
        backlog = self._backlog
        for _ in range(MAX_ROUNDS):
            new = halves.keys() - asked
            if not new:
                break
            asked |= new
            for node in {changes[halves[cookie]][0] for cookie in new}:
                with contextlib.suppress(OSError), os.scandir(node.path()) as entries:
                    next(entries, None)
            backlog.read_ahead()
            while backlog:
                self._decode(backlog.take(), changes, halves)
        for index in halves.values():
            self._give_up(changes, index)

    def _give_up(self, changes: list[AnyChange], index: int) -> None:
        """Turn a first half without a second into a deletion."""
        node, mask, _, name = changes[index]
        if not self.is_detailed:
            mask &= ~MOVED_FROM
        changes[index] = (node, mask | DELETE, 0, name)

"""inotify behind the `Backend` interface: one instance, one table of watches.

It turns what the kernel writes into changes of nodes and sees to three things that the
raw interface leaves to its users:

*Two nodes, one watch.* A watch belongs to an inode, not to a path: watching a
directory through a second path (a bind mount) gives the number of the first watch, and
the mask of the second call. So a number can stand for several nodes; each gets every
change, and the mask is the sum of theirs.

*A number that comes back for another node* can also mean that the first one is not
where it is believed to be: its rename is still in the queue. So its path is asked
again, at once: either it is the same inode (a second name), or it is to be looked for.

*Renames.* The kernel queues the two halves of a rename one after the other while the
renaming process holds the locks of both directories, but a reader can come in between.
A first half whose second is missing may thus be a rename out of all we watch, or one
we read too early. Reading an entry of the source directory takes the lock of that
directory (iterate_dir in fs/readdir.c), so when that returns the rename is over, and
its second half, if there is one for us, is in the queue. So every batch is decided when
it leaves here: halves are pairs, or they are plain deletions and arrivals.
"""

import contextlib
import errno
import os
from collections.abc import Sequence

from gamin.backends.base import Share, Watchable
from gamin.errors import WatchLimitReached
from gamin.events import (
    CLOSE_WRITE,
    CREATE,
    DELETE,
    IGNORED,
    MOVED_FROM,
    MOVED_TO,
    OVERFLOW,
    Change,
)
from gamin.kernel import inotify, libc

LEFT_TO_OTHERS = 10
"""Percent of the user's watches that are never taken."""

MOST_ROUNDS = 16
"""How often a drain looks again for second halves, while new first ones come in."""

_FLAGS = inotify.ONLYDIR | inotify.DONT_FOLLOW | inotify.EXCL_UNLINK
MOST_CHANGES = 100_000
"""A drain ends here at the latest, so that clients get their turn in a flood."""

_PROBE = _FLAGS | inotify.MASK_ADD
_ALL_NAMES = CREATE | DELETE | MOVED_FROM | MOVED_TO

_Owner = Watchable | list[Watchable]


class InotifyBackend:
    def __init__(self, most: int | None = None) -> None:
        """Takes `most` watches, or the greater part of what the user may have. OSError
        (EMFILE) when the user may have no more instances."""
        self._fd = inotify.open_instance()
        self._reader = inotify.Reader(self._fd)
        self._owners: dict[int, _Owner] = {}
        self._masks: dict[int, int] = {}  # only where a watch has several owners
        if most is None:
            quota = inotify.limit("max_user_watches")
            most = quota - quota * LEFT_TO_OTHERS // 100
        self._limit = most
        self._noticed: list[Change] = []
        """What was found out while watching, for the next drain."""

    def fileno(self) -> int:
        return self._fd

    def close(self) -> None:
        os.close(self._fd)
        self._owners.clear()

    @property
    def shares(self) -> tuple[Share]:
        return (Share("inotify", len(self._owners), self._limit),)

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
        if owner is None:
            self._owners[wd] = node
        else:
            self._share(wd, owner, node, mask)

    def _share(self, wd: int, owner: _Owner, node: Watchable, mask: int) -> None:
        """Another node has this watch: ask whether it is still the same directory."""
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
        """Whether the path of `node` leads to the directory of `wd`; otherwise it is
        left unwatched, and an IGNORED tells the core to look for it."""
        with contextlib.suppress(OSError):
            found = libc.inotify_add_watch(self._fd, node.path(), _ALL_NAMES | _PROBE)
            if found == wd:
                return True
            if found not in self._owners:
                libc.inotify_rm_watch(self._fd, found)
        node.wd = -1
        self._noticed.append(Change(node, IGNORED, 0, b""))
        return False

    def _shared_mask(self, node: Watchable, mask: int) -> int:
        self._masks[node.wd] |= mask
        return self._masks[node.wd]

    def unwatch(self, node: Watchable) -> None:
        wd, node.wd = node.wd, -1
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
    def has_noticed(self) -> bool:
        """Whether `drain` has something that no readable descriptor announces."""
        return bool(self._noticed)

    def drain(self) -> Sequence[Change]:
        changes, self._noticed = self._noticed, []
        halves: dict[int, int] = {}
        while self._read(changes, halves) and len(changes) < MOST_CHANGES:
            pass
        if halves:
            self._complete(changes, halves)
        return changes

    def _read(self, changes: list[Change], halves: dict[int, int]) -> bool:
        """Append what one read gives; True if that cannot have been all.

        `halves` are first halves of renames without their second: cookie, and where
        in `changes`.
        """
        buffer = self._reader.read()
        offset, end = 0, len(buffer)
        unpack = inotify.HEADER.unpack_from
        owners = self._owners
        append = changes.append
        new = tuple.__new__
        created: tuple[int, bytes] | None = None
        while offset < end:
            wd, mask, cookie, size = unpack(buffer, offset)
            offset += 16
            if size:
                name = buffer[offset : offset + size].rstrip(b"\0")
                offset += size
            else:
                name = b""
            if mask == CREATE:
                created = (wd, name)
            elif mask == CLOSE_WRITE and created == (wd, name):
                continue  # made and closed without a write in between: says nothing
            owner = owners.get(wd)
            if cookie:
                if mask & MOVED_FROM:
                    if owner is not None:
                        halves[cookie] = len(changes)
                elif owner is None or halves.pop(cookie, None) is None:
                    cookie = 0
            if owner is None:
                if mask & OVERFLOW:
                    append(new(Change, (None, mask, 0, b"")))
                continue
            if mask & IGNORED:
                self._dropped(wd, owner)
            if owner.__class__ is list:
                changes += [new(Change, (node, mask, cookie, name)) for node in owner]
            else:
                append(new(Change, (owner, mask, cookie, name)))
        return end > inotify.BUFFER - inotify.LONGEST_EVENT

    def _dropped(self, wd: int, owner: _Owner) -> None:
        """The kernel ended the watch: the directory is gone, or was unmounted."""
        del self._owners[wd]
        self._masks.pop(wd, None)
        for node in owner if isinstance(owner, list) else [owner]:
            node.wd = -1

    def _complete(self, changes: list[Change], halves: dict[int, int]) -> None:
        """Find the second halves that were on their way; the rest are deletions."""
        asked: set[int] = set()
        for _ in range(MOST_ROUNDS):
            new = halves.keys() - asked
            if not new:
                break
            asked |= new
            for node in {changes[halves[cookie]].node for cookie in new}:
                with contextlib.suppress(OSError), os.scandir(node.path()) as entries:
                    next(entries, None)
            self._read(changes, halves)
        for index in halves.values():
            change = changes[index]
            mask = change.mask & ~MOVED_FROM | DELETE
            changes[index] = change._replace(mask=mask, cookie=0)

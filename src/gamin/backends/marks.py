"""The directories that one fanotify group has marked, by the kernel's file handles.

`fanotify` reads the group and decodes its events.

A mark belongs to an inode, so one mark can serve several nodes: one directory reached
by two paths (a bind mount). But the node that has the mark may also be misplaced,
because its rename is still in the queue. So its path is probed whenever a second node
asks for the same mark.

An event names the directory, not the mark. So when a directory is marked again, what
the queue holds of it may be from before, and what happened in between is missing.

Unlike an inotify watch, a mark can be removed only by naming its directory. A directory
that was moved to an unknown place keeps its mark until it is deleted; its events are
dropped, and if it comes back, the mark is used again.
"""

import contextlib
import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gamin.backends.base import FIRST_MARK, Watchable
from gamin.errors import WatchLimitReached
from gamin.events import IGNORED, MOVED_FROM, MOVED_TO, Change
from gamin.system import fanotify

RESERVED_PERCENT = 10
"""Percent of the user's marks that are left to other programs."""

_OPEN = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NOT_THERE = {errno.EOPNOTSUPP, errno.ENODEV, errno.EXDEV}
"""Errors of file systems that have no file handles, or no number of their own."""


class Mark:
    """One marked directory."""

    __slots__ = ("identity", "mask", "number", "owners")

    def __init__(self, identity: bytes, number: int) -> None:
        self.identity: bytes = identity
        self.number: int = number
        self.mask: int = 0  # the sum of its owners' masks, as passed to the kernel
        self.owners: tuple[Watchable, ...] = ()


class Marks:
    def __init__(self, group: int, most: int | None = None) -> None:
        self._group = group
        self._by_identity: dict[bytes, Mark] = {}
        self._by_number: dict[int, Mark] = {}
        self._next = FIRST_MARK
        if most is None:
            quota = fanotify.limit("max_user_marks")
            most = quota - quota * RESERVED_PERCENT // 100
        self.limit = most
        self._dropped: set[bytes] = set()
        """Unmarked directories of which events may still be in the queue."""
        self.remarked: set[bytes] = set()
        """Directories that were marked again while such events may be in the queue."""
        self.get: Callable[[bytes], Mark | None] = (
            self._by_identity.get
        )  # called once for each event

    def __len__(self) -> int:
        return len(self._by_identity)

    def __iter__(self) -> Iterator[Mark]:
        return iter(self._by_identity.values())

    def clear(self) -> None:
        self._by_identity.clear()
        self._by_number.clear()

    def queue_was_empty(self) -> None:
        """The queue was empty: later events are about the present marks."""
        self._dropped.clear()
        self.remarked.clear()

    def is_in_place(self, node: Watchable) -> bool:
        """Whether the path of `node` leads to the directory that is marked for it."""
        mark = self._by_number.get(node.wd)
        return mark is not None and is_at(node, mark.identity)

    # -- nodes come and go

    def add(self, node: Watchable, mask: int) -> list[Change]:
        """Mark the directory of `node`, as `Backend.watch`. Returns an IGNORED for each
        other node of the mark that turned out to be misplaced."""
        path = node.path()
        if node.wd < 0 and len(self) >= self.limit:
            raise WatchLimitReached(path, self.limit)
        try:
            with opened(path) as directory:
                return self._add(node, fanotify_mask(mask), directory)
        except OSError as error:
            self.remove(node)
            if error.errno == errno.ENOSPC:
                raise WatchLimitReached(path, len(self)) from None
            if error.errno in _NOT_THERE:
                raise WatchLimitReached(path, 0) from None
            error.filename = path
            raise

    def _add(self, node: Watchable, mask: int, directory: int) -> list[Change]:
        identity = fanotify.identity(directory)
        mark = self.get(identity)
        lost: list[Watchable] = []
        if mark is not None:
            lost = [n for n in mark.owners if n is not node and not is_at(n, identity)]
            if set(mark.owners) - {node, *lost}:
                mask |= mark.mask
        fanotify.mark(self._group, directory, mask)
        if mark is None:
            mark = self._new(identity)
        elif mark.mask & ~mask:
            fanotify.unmark(self._group, directory, mark.mask & ~mask)
        mark.mask = mask
        if node.wd != mark.number:
            self.remove(node)
            node.wd = mark.number
            mark.owners += (node,)
        return [self.drop_misplaced(mark, other) for other in lost]

    def _new(self, identity: bytes) -> Mark:
        mark = Mark(identity, self._next)
        self._next += 1
        self._by_identity[identity] = self._by_number[mark.number] = mark
        if identity in self._dropped:
            self.remarked.add(identity)
        return mark

    def remove(self, node: Watchable) -> None:
        mark = self._by_number.get(node.wd)
        node.wd = -1
        if mark is None:
            return
        self._detach(mark, node)
        if mark.owners:
            return
        self._forget(mark)
        with contextlib.suppress(OSError), opened(node.path()) as directory:
            if fanotify.identity(directory) == mark.identity:
                fanotify.unmark(self._group, directory, mark.mask)
                self._dropped.add(mark.identity)

    def drop_misplaced(self, mark: Mark, node: Watchable) -> Change:
        """Unwatch a node that is not at its path. The returned change makes the core
        find it."""
        node.wd = -1
        self._detach(mark, node)
        if not mark.owners:
            self._forget(mark)
        return Change(node, IGNORED, 0, b"")

    def on_deleted(self, mark: Mark) -> list[Change]:
        """The kernel dropped the mark: the directory is gone."""
        return [self.drop_misplaced(mark, node) for node in mark.owners]

    def _detach(self, mark: Mark, node: Watchable) -> None:
        mark.owners = tuple(other for other in mark.owners if other is not node)

    def _forget(self, mark: Mark) -> None:
        del self._by_identity[mark.identity]
        del self._by_number[mark.number]


@contextmanager
def opened(path: bytes) -> Iterator[int]:
    """A descriptor that refers to the directory `path` but cannot read it."""
    directory = os.open(path, _OPEN)
    try:
        yield directory
    finally:
        os.close(directory)


def is_at(node: Watchable, identity: bytes) -> bool:
    """Whether the path of `node` leads to that very directory."""
    return identity_at(node.path()) == identity


def identity_at(path: bytes) -> bytes | None:
    try:
        with opened(path) as directory:
            return fanotify.identity(directory)
    except OSError:
        return None


def fanotify_mask(mask: int) -> int:
    """The mask to pass to the kernel. It reports both halves of a rename or neither."""
    if mask & (MOVED_FROM | MOVED_TO):
        mask = mask & ~(MOVED_FROM | MOVED_TO) | fanotify.RENAME
    return mask | fanotify.ALWAYS

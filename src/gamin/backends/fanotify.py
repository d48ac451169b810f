"""fanotify behind the `Backend` interface: one group, one mark per directory.

`marks` knows to which node a mark belongs; `reconciler` and `subdirectories` resolve
what the events leave open. It needs Linux 5.17, and no rights beyond reading the
directories.

A rename is one event that names both places, as far as they are marked, so neither half
waits for the other. But the kernel merges events, so one change here may stand for
several, and what is in doubt after a drain is probed in the next one: call `drain`
again while `has_pending`.
"""

import errno
import os
import time
from collections.abc import Sequence
from functools import cache

from gamin.backends.base import FIRST_MARK_COOKIE, Usage, Watchable
from gamin.backends.close_check import CloseCheck
from gamin.backends.marks import Mark, Marks, fanotify_mask
from gamin.backends.reconciler import EntryType, Reconciler
from gamin.backends.rename_check import RenameCheck
from gamin.backends.subdirectories import Subdirectories
from gamin.events import (
    ATTRIB,
    CLOSE_WRITE,
    CREATE,
    DELETE,
    DELETE_SELF,
    IS_DIR,
    MODIFY,
    MOVED_FROM,
    MOVED_TO,
    OVERFLOW,
    Change,
    new_change,
)
from gamin.paths import join
from gamin.system import fanotify
from gamin.system.fanotify import RawEvent
from gamin.system.inotify import BUFFER, Reader

MAX_CHANGES = 100_000
"""The most changes that one drain returns, so that clients are served in a storm."""

_CONTENT = MODIFY | CLOSE_WRITE
_NAMES = CREATE | DELETE


class FanotifyBackend:
    def __init__(self, most: int | None = None) -> None:
        """`most` is the most marks to take; by default a large part of the user's
        quota. Raises OSError if the kernel is too old, or the user may have no more
        groups."""
        self._fd = fanotify.open_group()
        try:
            _refuse_old_kernels(self._fd)
            self._marks = Marks(self._fd, most)
            self._reconciler = Reconciler(fanotify.limit("max_queued_events"))
        except OSError:
            os.close(self._fd)
            raise
        self._reader = Reader(self._fd)
        self._subdirectories = Subdirectories()
        self._close_check = CloseCheck()
        self._rename_check = RenameCheck()
        self._moved: list[int] = []
        """Where in the changes of a drain the halves of renames are."""
        self._cookie = FIRST_MARK_COOKIE
        self.is_detailed = False
        self.queued_bytes = self.drained_bytes = 0
        self._pending: list[Change] = []
        """Changes for the next drain, found by `watch`."""

    def fileno(self) -> int:
        return self._fd

    def close(self) -> None:
        os.close(self._fd)
        self._marks.clear()

    @property
    def usage(self) -> tuple[Usage]:
        return (Usage("fanotify", len(self._marks), self._marks.limit),)

    # -- what is watched

    def watch(self, node: Watchable, mask: int) -> None:
        """As `Backend.watch`. Also raises WatchLimitReached, with a limit of 0, on file
        systems that fanotify cannot watch."""
        self._pending += self._marks.add(node, mask)
        if not self._close_check.is_group_open:
            self._close_check.watched(node.wd)

    def unwatch(self, node: Watchable) -> None:
        self._marks.remove(node)
        self._rename_check.forget(node)

    # -- what happened

    @property
    def has_pending(self) -> bool:
        return bool(
            self._pending
            or self._reconciler
            or self._subdirectories
            or self._rename_check
        )

    def read_ahead(self) -> None:
        """Nothing is read ahead: a drain returns everything, which is seldom much."""

    def drain(self) -> Sequence[Change]:
        """As `Backend.drain`. Doubts of the last drain are resolved first, and then
        nothing else is returned: so they end however fast new ones arise."""
        changes, self._pending = self._pending, []
        self._subdirectories.applied()
        if not self.has_pending:
            self._close_check.begin()
            self._read_all(changes)
            if self._moved or self._rename_check.is_waiting:
                moved, self._moved = self._moved, []
                self._rename_check.observe(changes, moved)
            if changes:  # the core applies these before doubts are resolved
                return changes
        changes += self._rename_check.resolve(self._marks.is_in_place)
        changes += self._reconciler.resolve(self._marks)
        changes += self._subdirectories.settle(self._marks)
        return changes

    def _read_all(self, changes: list[Change]) -> None:
        ended: dict[Mark, None] = {}
        while self._read(changes, ended) and len(changes) < MAX_CHANGES:
            pass
        # The event of its end may have been merged with an earlier one, and so be
        # early.
        for mark in ended:
            changes += self._marks.on_deleted(mark)

    def _read(self, changes: list[Change], ended: dict[Mark, None]) -> bool:
        """Append the changes of one read; True if more events must be queued."""
        buffer = self._reader.read()
        find = self._marks.get
        for event in fanotify.decode(buffer):
            mask, directory, name, _, _ = event
            if mask & fanotify.RENAME:
                self._renamed(event, changes)
            elif mask & OVERFLOW:
                changes.append(Change(None, OVERFLOW, 0, b""))
            elif name != fanotify.SELF:
                mark = find(directory)
                if mark is not None:
                    self._happened(mark, mask, name, changes)
            elif mask & DELETE_SELF:
                mark = find(directory)
                if mark is not None:
                    ended[mark] = None
            else:
                self._attributes_changed(directory, changes)
        if len(buffer) > BUFFER - fanotify.MAX_EVENT_BYTES:
            return True
        self._reconciler.queue_was_empty()
        self._marks.queue_was_empty()
        return False

    def _happened(
        self, mark: Mark, mask: int, name: bytes, changes: list[Change]
    ) -> None:
        """Append the changes of an event about an entry that is no rename."""
        if mask & (_CONTENT | CREATE | ATTRIB):
            mask |= self._modified(mark, mask, name)
        names = mask & _NAMES
        is_mixed = names == _NAMES
        if is_mixed:
            is_there = os.path.lexists(join(mark.owners[0].path(), name))
            steps = _steps_if_mixed(mask, is_there)
        else:
            steps = _steps(mask)
        for node in mark.owners:
            changes += [new_change((node, step, 0, name)) for step in steps]
        if names:
            there = EntryType.NOTHING if steps[-1] & DELETE else _bearer(mask)
            self._observe(mark, name, there, is_mixed=is_mixed)

    def _modified(self, mark: Mark, mask: int, name: bytes) -> int:
        """MODIFY if the content changed; 0 if the file was only closed."""
        file, now = (mark.number, name), time.time_ns()
        if mask & (MODIFY | CREATE | ATTRIB):
            self._close_check.modified[file] = now
            return mask & MODIFY
        path = join(mark.owners[0].path(), name)
        return MODIFY if self._close_check.is_changed(file, path, now) else 0

    def _renamed(self, event: RawEvent, changes: list[Change]) -> None:
        """Append both halves of a rename; a deletion or a creation if only one of the
        directories is watched."""
        is_dir = event.mask & IS_DIR
        source = self._marks.get(event.directory)
        target = self._marks.get(event.new_directory)
        leaving = () if source is None else source.owners
        arriving = () if target is None else target.owners
        is_in_doubt = self._observe_rename(event, source, target)
        start = len(changes)
        # A known directory is moved only if the event is certain: applied in a wrong
        # order, the rename might move it into itself.
        if not (is_dir and is_in_doubt):
            # A directory with two paths has two nodes, so there are several pairs.
            for one, other in zip(leaving, arriving, strict=False):
                self._cookie += 1
                halves = (
                    (one, MOVED_FROM | is_dir, self._cookie, event.name),
                    (other, MOVED_TO | is_dir, self._cookie, event.new_name),
                )
                changes += [new_change(half) for half in halves]
            leaving, arriving = leaving[len(arriving) :], arriving[len(leaving) :]
        changes += [Change(n, DELETE | is_dir, 0, event.name) for n in leaving]
        changes += [Change(n, MOVED_TO | is_dir, 0, event.new_name) for n in arriving]
        self._moved += range(start, len(changes))

    def _observe_rename(
        self, event: RawEvent, source: Mark | None, target: Mark | None
    ) -> bool:
        """Pass a rename to the reconciler; return whether a name is in doubt."""
        is_left = is_taken = False
        if source is not None:
            is_left = self._observe(source, event.name, EntryType.NOTHING)
        if target is not None:
            is_taken = self._observe(target, event.new_name, _bearer(event.mask))
        return is_left or is_taken

    def _observe(
        self, mark: Mark, name: bytes, there: EntryType, *, is_mixed: bool = False
    ) -> bool:
        """Pass what an event says to the reconciler; return whether it is in doubt."""
        is_doubtful = is_mixed or mark.identity in self._marks.remarked
        return self._reconciler.observe(
            mark.identity, name, there, is_doubtful=is_doubtful
        )

    def _attributes_changed(self, directory: bytes, changes: list[Change]) -> None:
        mark = self._marks.get(directory)
        if mark is not None and mark.mask & ATTRIB:
            changes += [Change(n, ATTRIB | IS_DIR, 0, b"") for n in mark.owners]
        changes += self._subdirectories.attributes_changed(self._marks, directory)


@cache  # there are a few dozen
def _steps(mask: int) -> tuple[int, ...]:
    """The single changes in a merged event, in an order that makes sense."""
    is_dir = mask & IS_DIR
    content = mask & _CONTENT
    if content == CLOSE_WRITE and mask & CREATE:
        content = 0  # created and closed without a write in between
    steps = (mask & CREATE, mask & ATTRIB, content, mask & DELETE)
    return tuple(step | is_dir for step in steps if step)


@cache
def _steps_if_mixed(mask: int, is_there: bool) -> tuple[int, ...]:
    """Creation and deletion in the order that fits what is there now. The guess is
    right unless the directory is elsewhere."""
    is_dir = mask & IS_DIR
    if is_there:
        return DELETE | is_dir, *_steps(mask & ~DELETE)
    return CREATE | is_dir, DELETE | is_dir


def _bearer(mask: int) -> EntryType:
    return EntryType.DIRECTORY if mask & IS_DIR else EntryType.FILE


def _refuse_old_kernels(group: int) -> None:
    """Raise OSError (EINVAL) before Linux 5.17. Later kernels fail differently: they
    get as far as to reject the descriptor."""
    try:
        fanotify.mark(group, -1, fanotify_mask(MOVED_TO))
    except OSError as error:
        if error.errno != errno.EBADF:
            raise

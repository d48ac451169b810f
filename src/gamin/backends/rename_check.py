"""Finds names that still exist although a rename took them away, by probing the disk.

A rename implies that its source's name is free. Three things make that untrue, and the
kernel reports none of them as such:

*Exchanged names* (renameat2 with RENAME_EXCHANGE, `mv --exchange`) come as two renames
in a row, from a to b and from b to a. Applied one by one they leave b without an entry,
and a with what it had before.

*A whiteout* (RENAME_WHITEOUT) leaves a character device of number 0 under the source's
name, without an event.

*A program created the name again*, and that event is still in the queue.

So after the core has applied a batch with renames, the name of each source is probed.
If it exists, and no later event of the batch explains that, it is reported as created.
It may have been exchanged, and then the target's name refers to another object than the
core believes. So the target is reported as an arrival without a source: clients learn
that it changed, and a directory is compared completely.

The probe finds the present state, as a listing would; later events that report the same
do no harm.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from stat import S_ISCHR, S_ISDIR

from gamin.backends.base import Watchable
from gamin.events import (
    CREATE,
    DELETE,
    IS_DIR,
    MOVED_FROM,
    MOVED_TO,
    AnyChange,
    Change,
)
from gamin.paths import join

_ARRIVAL = CREATE | MOVED_TO

_Entry = tuple[Watchable, bytes]
"""A directory and a name in it."""

_Rename = tuple[int, _Entry | None]
"""The index of a rename's last change in its batch, -1 if that batch is over; and its
target, None if that is not watched."""

_Sources = dict[Watchable, dict[bytes, _Rename]]
"""Renames by directory and name of the source."""

InPlace = Callable[[Watchable], bool]
"""Whether the directory is at its path."""


class RenameCheck:
    """The sources to be probed of the renames that a drain returned."""

    def __init__(self) -> None:
        self.open: _Sources = {}
        """Sources that `resolve` probes now."""
        self._batch: Sequence[AnyChange] = ()
        """What the last drain returned, while sources of it are to be probed."""
        self.postponed: _Sources = {}
        """Sources in directories that were not at their path: a rename of these, or of
        a directory above, is not applied yet."""

    def __bool__(self) -> bool:
        """Whether `resolve` has something to do now."""
        return bool(self.open)

    @property
    def is_waiting(self) -> bool:
        """Whether `observe` must be called even for a batch without renames."""
        return bool(self.postponed)

    def observe(self, batch: Sequence[AnyChange], halves: Iterable[int]) -> None:
        """Record the renames of the batch that a drain returns.

        `halves` are the indices of their halves, in order. A deletion among them is a
        rename to an unwatched directory.
        """
        if self.postponed:
            self._resume(batch)
        left, self._batch = self.open, batch
        sources: dict[int, list[_Entry]] = {}
        for at in halves:
            node, mask, cookie, name = batch[at]
            if mask & MOVED_FROM:
                sources.setdefault(cookie, []).append((node, name))
            elif mask & DELETE:
                left.setdefault(node, {})[name] = (at, None)
            else:
                if node in left:
                    left[node].pop(name, None)
                for directory, source in sources.get(cookie, ()) if cookie else ():
                    left.setdefault(directory, {})[source] = (at, (node, name))

    def _resume(self, batch: Sequence[AnyChange]) -> None:
        """Open the postponed sources, except those that the batch explains."""
        postponed, self.postponed = self.postponed, {}
        for node, mask, _, name in batch:
            if mask & _ARRIVAL and node in postponed:
                postponed[node].pop(name, None)
        self.open.update(postponed)

    def forget(self, node: Watchable) -> None:
        """The directory is not watched any more."""
        self.open.pop(node, None)
        self.postponed.pop(node, None)

    def resolve(self, is_in_place: InPlace) -> list[Change]:
        """The changes that correct what the renames said. `is_in_place` is asked once
        for each directory."""
        left, self.open = self.open, {}
        batch, self._batch = self._batch, ()
        known: dict[Watchable, bool] = {}
        changes: list[Change] = []
        for node, names in left.items():
            if not names or node.wd < 0:
                continue
            if not _is_in_place(node, known, is_in_place):
                self.postponed[node] = {
                    name: (-1, target)
                    for name, (at, target) in names.items()
                    if not _is_made_after(batch, at, node, name)
                }
                continue
            prefix = join(node.path(), b"")
            for name, (at, target) in names.items():
                # Nearly always there is no such name. To find that out without an
                # exception takes two thirds of the time.
                if not os.access(prefix + name, os.F_OK, follow_symlinks=False):
                    continue
                if _is_made_after(batch, at, node, name):
                    continue
                mode = _mode(prefix + name)
                if mode is None:
                    continue
                changes.append(Change(node, CREATE | _dir_bit(mode), 0, name))
                # With a whiteout at the source, the target is as reported.
                if target is None or S_ISCHR(mode):
                    continue
                if _is_in_place(target[0], known, is_in_place):
                    changes += _arrival(*target)
        return changes


def _is_made_after(
    batch: Sequence[AnyChange], at: int, node: Watchable, name: bytes
) -> bool:
    """Whether a later change of the batch explains that the name exists."""
    return at >= 0 and any(
        mask & _ARRIVAL and other is node and new == name
        for other, mask, _, new in batch[at + 1 :]
    )


def _is_in_place(
    node: Watchable, known: dict[Watchable, bool], is_in_place: InPlace
) -> bool:
    answer = known.get(node)
    if answer is None:
        answer = known[node] = node.wd >= 0 and is_in_place(node)
    return answer


def _arrival(node: Watchable, name: bytes) -> list[Change]:
    """The changes that report an arrival of `name`; none if it is gone by now, which an
    event will report."""
    mode = _mode(join(node.path(), name))
    return [] if mode is None else [Change(node, MOVED_TO | _dir_bit(mode), 0, name)]


def _mode(path: bytes) -> int | None:
    try:
        return os.lstat(path).st_mode
    except OSError:
        return None


def _dir_bit(mode: int) -> int:
    return IS_DIR if S_ISDIR(mode) else 0

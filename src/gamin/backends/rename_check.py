"""Finds names that still exist although a rename took them away, by probing the disk.

A rename implies that its source's name is free. Three things make that untrue, and the
kernel reports none of them as such:

*Exchanged names* (renameat2 with RENAME_EXCHANGE, `mv --exchange`) come as two renames
in a row, from a to b and from b to a. Applied one by one they leave b without an entry,
and a with what it had before.

*A whiteout* (RENAME_WHITEOUT) leaves a character device of number 0 under the source's
name, without an event.

*A program created the name again*, and that event is still in the queue.

So after the core has applied a batch with renames, each source whose name no later
event of the batch explains is probed. If it exists, it is reported as created. It may
have been exchanged, and then the target's name refers to another object than the core
believes. So the target is reported as an arrival without a source: clients learn that
it changed, and a directory is compared completely.

The probe finds the present state, as a listing would; later events that report the same
do no harm.
"""

import os
from collections.abc import Callable, Iterable
from stat import S_ISCHR, S_ISDIR

from gamin.backends.base import Watchable
from gamin.events import CREATE, DELETE, IS_DIR, MOVED_FROM, MOVED_TO, Change
from gamin.paths import join

_ARRIVAL = CREATE | MOVED_TO

_Entry = tuple[Watchable, bytes]
"""A directory and a name in it."""

_Sources = dict[Watchable, dict[bytes, _Entry | None]]
"""The targets of renames by directory and name of the source; None if the target is not
watched."""

InPlace = Callable[[Watchable], bool]
"""Whether the directory is at its path."""


class RenameCheck:
    """The sources to be probed of the renames that a drain returned."""

    def __init__(self) -> None:
        self._open: _Sources = {}
        self._postponed: _Sources = {}
        """Sources in directories that were not at their path: a rename of these, or of
        a directory above, is not applied yet."""
        self._halves: set[_Entry] = set()
        """Renames to an unwatched directory, which are returned as deletions."""

    def __bool__(self) -> bool:
        """Whether `resolve` has something to do now."""
        return bool(self._open)

    @property
    def is_waiting(self) -> bool:
        """Whether `observe` must be called even for a batch without renames."""
        return bool(self._postponed or self._halves)

    def add_half(self, node: Watchable, name: bytes) -> None:
        """Record a rename to an unwatched directory, which is returned as a
        deletion."""
        self._halves.add((node, name))

    def observe(self, changes: Iterable[Change]) -> None:
        """Record the changes that a drain returns, with both halves of each rename."""
        sources: dict[int, list[_Entry]] = {}
        left = self._open
        if self._postponed:
            left.update(self._postponed)
            self._postponed = {}
        for node, mask, cookie, name in changes:
            if mask & _ARRIVAL:
                if node in left:
                    left[node].pop(name, None)
                for directory, source in sources.get(cookie, ()) if cookie else ():
                    left.setdefault(directory, {})[source] = (node, name)
            elif cookie and mask & MOVED_FROM:
                sources.setdefault(cookie, []).append((node, name))
            elif self._halves and mask & DELETE and (node, name) in self._halves:
                self._halves.remove((node, name))
                left.setdefault(node, {})[name] = None

    def forget(self, node: Watchable) -> None:
        """The directory is not watched any more."""
        self._open.pop(node, None)
        self._postponed.pop(node, None)
        if self._halves:
            self._halves = {half for half in self._halves if half[0] is not node}

    def resolve(self, is_in_place: InPlace) -> list[Change]:
        """The changes that correct what the renames said. `is_in_place` is asked once
        for each directory."""
        left, self._open = self._open, {}
        known: dict[Watchable, bool] = {}
        changes: list[Change] = []
        for node, names in left.items():
            if not names or node.wd < 0:
                continue
            if not _is_in_place(node, known, is_in_place):
                self._postponed[node] = names
                continue
            for name, target in names.items():
                mode = _mode(node, name)
                if mode is None:
                    continue
                changes.append(Change(node, CREATE | _dir_bit(mode), 0, name))
                # With a whiteout at the source, the target is as reported.
                if target is None or S_ISCHR(mode):
                    continue
                if _is_in_place(target[0], known, is_in_place):
                    changes += _arrival(*target)
        return changes


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
    mode = _mode(node, name)
    return [] if mode is None else [Change(node, MOVED_TO | _dir_bit(mode), 0, name)]


def _mode(node: Watchable, name: bytes) -> int | None:
    """The mode of an entry; None if there is no such name, which is the usual case. To
    find that out without an exception takes two thirds of the time."""
    path = join(node.path(), name)
    if not os.access(path, os.F_OK, follow_symlinks=False):
        return None
    try:
        return os.lstat(path).st_mode
    except OSError:
        return None


def _dir_bit(mode: int) -> int:
    return IS_DIR if S_ISDIR(mode) else 0

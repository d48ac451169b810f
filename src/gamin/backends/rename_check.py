"""Names that exist although a rename took them away, settled by a look at the disk.

A rename says that its source's name is free. Three things make that untrue, and the
kernel reports none of them as such:

*Exchanged names* (renameat2 with RENAME_EXCHANGE, `mv --exchange`) come as two renames
in a row, from a to b and from b to a. Applied one by one they leave b without an entry,
and a with what it had before.

*A whiteout* (RENAME_WHITEOUT) leaves a character device of number 0 under the source's
name, without an event.

*Somebody made the name anew*, and that event is still in the queue.

So after the core has applied a batch with renames, each source whose name no later
event of the batch explains is looked up. If it exists, it is reported as created. As it
may have been exchanged, what is under the target's name may be another object than the
one that is believed to be there: it is reported as an arrival without a source, so
clients learn that it changed, and of a directory everything is compared.

What is found is the present state, as a listing would find it: later events that say
the same again do no harm.
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
"""By directory and name: where the rename led that took the name away; None if that is
not watched."""

InPlace = Callable[[Watchable], bool]
"""Whether the directory is at its path."""


class RenameCheck:
    """The sources of the renames that a drain returned and that are to be looked up."""

    def __init__(self) -> None:
        self._open: _Sources = {}
        self._postponed: _Sources = {}
        """Those in directories that were not at their path: a rename of these (or of
        one above) is still to be applied."""
        self._halves: set[_Entry] = set()
        """Renames to what is not watched, which are returned as deletions."""

    def __bool__(self) -> bool:
        """Whether `resolve` has something to do now."""
        return bool(self._open)

    @property
    def is_waiting(self) -> bool:
        """Whether `observe` is to be called for a batch without renames as well."""
        return bool(self._postponed or self._halves)

    def add_half(self, node: Watchable, name: bytes) -> None:
        """A rename leads to what is not watched: it will be returned as a deletion."""
        self._halves.add((node, name))

    def observe(self, changes: Iterable[Change]) -> None:
        """A drain returns these changes, with both halves of each rename."""
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
                # Beside a whiteout the target is what it is said to be.
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
    """Nothing if it is gone by now; an event will say so."""
    mode = _mode(node, name)
    return [] if mode is None else [Change(node, MOVED_TO | _dir_bit(mode), 0, name)]


def _mode(node: Watchable, name: bytes) -> int | None:
    """None if there is no such name. Nearly always there is none, and asking for that
    without an exception takes two thirds of the time."""
    path = join(node.path(), name)
    if not os.access(path, os.F_OK, follow_symlinks=False):
        return None
    try:
        return os.lstat(path).st_mode
    except OSError:
        return None


def _dir_bit(mode: int) -> int:
    return IS_DIR if S_ISDIR(mode) else 0

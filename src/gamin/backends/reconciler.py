"""Resolves by probing the disk what the events of fanotify leave open about names.

`fanotify` reads the events; this module keeps what they said about each name.

The kernel merges an event with one that is still in the queue if process, directory and
name are the same, wherever in the queue that one is. So the order among the events of
one name is lost: CREATE and DELETE in one event may have happened in either order, and
after "create a, rename a to b, create a" the queue holds one creation and one rename,
and a exists. A name is certain if it occurs in a single event; any other is in doubt.
This holds for as long as events could be merged: until the queue was seen empty.

Doubts are resolved after the core has applied the events, because only then are
directories where the core believes them to be. If the probe contradicts the events, a
change reports what is there. Events that are still in the queue may report the same
once more. That does no harm: the core ignores what it knows already.

Where renames of directories are in doubt, a known directory may be elsewhere, although
a directory with its name is in the expected place. So the probe also asks whether this
is the directory that is believed to be there. If it is another one, the name is
reported as deleted and created, which makes the core scan everything below it.
"""

import os
from collections.abc import Iterable, Iterator
from enum import Enum
from stat import S_ISDIR

from gamin.backends.base import Watchable
from gamin.backends.marks import Mark, Marks, identity_at, opened
from gamin.events import CREATE, DELETE, IS_DIR, Change
from gamin.paths import join
from gamin.system import fanotify


class EntryType(Enum):
    """What a name refers to."""

    NOTHING = 0
    FILE = 1
    DIRECTORY = 2


_BITS = {EntryType.NOTHING: 0, EntryType.FILE: 0, EntryType.DIRECTORY: IS_DIR}

_Entry = tuple[bytes, bytes]
"""The identity of a directory, and a name in it."""


class Reconciler:
    def __init__(self, queue: int) -> None:
        """`queue` is the number of events that the kernel's queue can hold."""
        self._observed: dict[_Entry, EntryType] = {}
        self._earlier: dict[_Entry, EntryType] = {}
        self._most = 2 * queue  # an event names at most two entries
        self._open: dict[bytes, dict[bytes, EntryType]] = {}
        """What the last event said about each name in doubt, by directory and name."""
        self._is_over = False
        """No later event can be merged with those observed so far."""
        self._later: dict[bytes, dict[bytes, EntryType]] = {}
        """Doubts about directories that were not at their path: their rename is still
        in the queue."""
        self._postponed: set[bytes] = set()
        """Directories whose doubts were postponed once."""

    def __bool__(self) -> bool:
        return bool(self._open)

    def observe(
        self, directory: bytes, name: bytes, there: EntryType, *, is_doubtful: bool
    ) -> bool:
        """Record what an event says about a name; return whether the name is in doubt.

        `is_doubtful`: the event alone is in doubt, as when it says both opposites.
        """
        entry = directory, name
        observed = self._observed
        is_in_doubt = is_doubtful or entry in observed or entry in self._earlier
        if is_in_doubt:
            self._open.setdefault(directory, {})[name] = there
        observed[entry] = there
        if len(observed) > self._most:
            # Anything older than a whole queue was read before these events happened.
            self._earlier, self._observed = observed, {}
        return is_in_doubt

    def queue_was_empty(self) -> None:
        self._is_over = True
        for directory, names in self._later.items():
            self._open[directory] = names | self._open.get(directory, {})
        self._later.clear()
        if not self._open:
            self._end()

    def _end(self) -> None:
        self._observed.clear()
        self._earlier.clear()
        self._is_over = False

    def resolve(self, marks: Marks) -> list[Change]:
        """The changes that correct what the events said."""
        reconciler, self._open = self._open, {}
        changes: list[Change] = []
        for identity, names in reconciler.items():
            mark = marks.get(identity)
            if mark is not None:
                self._settle(marks, mark, names, changes)
        self._postponed = set(self._later)
        if self._is_over:
            self._end()
        return changes

    def _settle(
        self,
        marks: Marks,
        mark: Mark,
        names: dict[bytes, EntryType],
        changes: list[Change],
    ) -> None:
        directory = mark.identity
        for node in mark.owners:
            path = node.path()
            found = _probe(path, directory, names)
            if found is None:
                if directory in self._postponed:
                    changes.append(marks.drop_misplaced(mark, node))
                else:
                    self._later[directory] = names
                continue
            for name, there in found.items():
                self._observed[directory, name] = there
                is_known = names[name] is there and (
                    there is not EntryType.DIRECTORY
                    or not _is_stranger(marks, join(path, name))
                )
                if not is_known:
                    changes += _corrections(node, name, names[name], there)


def _corrections(
    node: Watchable, name: bytes, observed: EntryType, there: EntryType
) -> Iterator[Change]:
    if observed is not EntryType.NOTHING:
        yield Change(node, DELETE | _BITS[observed], 0, name)
    if there is not EntryType.NOTHING:
        yield Change(node, CREATE | _BITS[there], 0, name)


def _probe(
    path: bytes, identity: bytes, names: Iterable[bytes]
) -> dict[bytes, EntryType] | None:
    """What the names in the directory refer to; None if another one is at `path`."""
    try:
        with opened(path) as directory:
            if fanotify.identity(directory) != identity:
                return None
            return {name: _there(directory, name) for name in names}
    except OSError:
        return None


def _there(directory: int, name: bytes) -> EntryType:
    try:
        mode = os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode
    except OSError:
        return EntryType.NOTHING
    return EntryType.DIRECTORY if S_ISDIR(mode) else EntryType.FILE


def _is_stranger(marks: Marks, path: bytes) -> bool:
    """Whether the directory at `path` is watched, but believed to be elsewhere."""
    identity = identity_at(path)
    mark = None if identity is None else marks.get(identity)
    return mark is not None and all(node.path() != path for node in mark.owners)

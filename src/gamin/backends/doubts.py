"""What the events of fanotify leave open about names, settled by a look at the disk.

Reading the events is left to `fanotify`; here is kept what they said of each name.

The kernel joins an event with one that is still in the queue if process, directory and
name are the same, wherever in the queue that one is. So the order among the events of
one name is lost: CREATE and DELETE in one event may have happened either way round,
and after "create a, rename a to b, create a" the queue holds one creation and one
rename, and a exists. What a single event says of a name that occurs only once is
certain, all else is in doubt. That goes on for as long as joining was possible: until
the queue was seen empty.

Doubts are settled after the core has applied what was said, for only then are
directories where it believes them to be. What is found is told as a change if it
contradicts what was said. Events still in the queue may then tell the same again,
which does no harm: the core does nothing about what it knows.

Where renames of directories are in doubt, a known directory may be elsewhere than
said, under names that are all there. So what is found is also asked who it is.
"""

import os
from collections.abc import Iterable
from enum import Enum
from stat import S_ISDIR

from gamin.backends.marks import Mark, Marks, identity_at, is_at, opened
from gamin.events import CREATE, DELETE, IS_DIR, Change
from gamin.kernel import fanotify
from gamin.paths import join


class There(Enum):
    """What bears a name."""

    NOTHING = 0
    FILE = 1
    DIRECTORY = 2


_BITS = {There.NOTHING: 0, There.FILE: 0, There.DIRECTORY: IS_DIR}

_Entry = tuple[bytes, bytes]
"""The identity of a directory, and a name in it."""


class Doubts:
    def __init__(self) -> None:
        self._said: dict[_Entry, There] = {}
        self._open: dict[bytes, dict[bytes, None]] = {}
        self._is_over = False
        """Nothing that is still to come can have been joined with what was said."""

    def __bool__(self) -> bool:
        return bool(self._open)

    def say(self, directory: bytes, name: bytes, there: There, is_mixed: bool) -> None:
        """An event says that; `is_mixed` if it says the opposite as well."""
        entry = directory, name
        if is_mixed or entry in self._said:
            self._open.setdefault(directory, {})[name] = None
        self._said[entry] = there

    def queue_was_empty(self) -> None:
        self._is_over = True
        if not self._open:
            self._end()

    def _end(self) -> None:
        self._said.clear()
        self._is_over = False

    def settle(self, marks: Marks) -> list[Change]:
        """The changes that turn what was said into what is."""
        doubts, self._open = self._open, {}
        changes: list[Change] = []
        for identity, names in doubts.items():
            mark = marks.get(identity)
            if mark is not None:
                self._settle(marks, mark, names, changes)
        if self._is_over:
            self._end()
        return changes

    def _settle(
        self, marks: Marks, mark: Mark, names: Iterable[bytes], changes: list[Change]
    ) -> None:
        found: dict[bytes, There] = {}
        for node in mark.owners:
            path = node.path()
            here = _look(path, mark.identity, names)
            if here is None:
                changes.append(marks.lose(mark, node))
                continue
            found = here
            for name, there in found.items():
                said = self._said[mark.identity, name]
                if said is not there and said is not There.NOTHING:
                    changes.append(Change(node, DELETE | _BITS[said], 0, name))
                if said is not there and there is not There.NOTHING:
                    changes.append(Change(node, CREATE | _BITS[there], 0, name))
                if there is There.DIRECTORY:
                    changes += _strangers(marks, join(path, name))
        for name, there in found.items():
            self._said[mark.identity, name] = there


def _look(
    path: bytes, identity: bytes, names: Iterable[bytes]
) -> dict[bytes, There] | None:
    """What bears the names in the directory; None if `path` is another one."""
    try:
        with opened(path) as directory:
            if fanotify.identity(directory) != identity:
                return None
            return {name: _there(directory, name) for name in names}
    except OSError:
        return None


def _there(directory: int, name: bytes) -> There:
    try:
        mode = os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode
    except OSError:
        return There.NOTHING
    return There.DIRECTORY if S_ISDIR(mode) else There.FILE


def _strangers(marks: Marks, path: bytes) -> list[Change]:
    """Leave those unwatched who have the directory at `path`, but are believed to be
    elsewhere where it is not."""
    identity = identity_at(path)
    mark = None if identity is None else marks.get(identity)
    if mark is None:
        return []
    return [
        marks.lose(mark, node)
        for node in mark.owners
        if node.path() != path and not is_at(node, mark.identity)
    ]

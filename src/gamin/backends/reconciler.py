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
said, under a name that is there as said. So of what is found it is also asked whether
it is the one that is believed to be there; if it is another one, the name is told as
gone and come anew, which makes the core look at all that is below.
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
    """What bears a name."""

    NOTHING = 0
    FILE = 1
    DIRECTORY = 2


_BITS = {EntryType.NOTHING: 0, EntryType.FILE: 0, EntryType.DIRECTORY: IS_DIR}

_Entry = tuple[bytes, bytes]
"""The identity of a directory, and a name in it."""


class Reconciler:
    def __init__(self, queue: int) -> None:
        """`queue` is how many events the kernel's queue can hold."""
        self._observed: dict[_Entry, EntryType] = {}
        self._earlier: dict[_Entry, EntryType] = {}
        self._most = 2 * queue  # an event says something of two names at the most
        self._open: dict[bytes, dict[bytes, EntryType]] = {}
        """What was said last of what is in doubt, by directory and name."""
        self._is_over = False
        """Nothing that is still to come can have been joined with what was said."""
        self._later: dict[bytes, dict[bytes, EntryType]] = {}
        """Doubts about directories that were not where they were believed to be: their
        rename is still in the queue."""
        self._postponed: set[bytes] = set()
        """Directories whose doubts had to wait once."""

    def __bool__(self) -> bool:
        return bool(self._open)

    def observe(
        self, directory: bytes, name: bytes, there: EntryType, *, is_doubtful: bool
    ) -> bool:
        """An event says that; `is_doubtful` by itself, as when it says the opposite as
        well. Returns whether the name is in doubt."""
        entry = directory, name
        observed = self._observed
        is_in_doubt = is_doubtful or entry in observed or entry in self._earlier
        if is_in_doubt:
            self._open.setdefault(directory, {})[name] = there
        observed[entry] = there
        if len(observed) > self._most:
            # What is older than a whole queue was read before any of this happened.
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
        """The changes that turn what was said into what is."""
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
    """What bears the names in the directory; None if `path` is another one."""
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

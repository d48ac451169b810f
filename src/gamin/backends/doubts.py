"""What the events of fanotify leave open, settled by a look at the disk.

Reading the events is left to `fanotify`; here is kept what they said of each name.

The kernel joins an event with an equal one that is still in the queue (same process,
same directory, same name), wherever in the queue that one is. So the order among the
events of one name is lost: CREATE and DELETE in one event may have happened either
way round, and after "create a, rename a to b, create a" the queue holds a creation and
a rename, and a exists. What a single event says of a name that occurs only once is
certain, all else is in doubt. Names are in doubt for as long as joining was possible:
until the queue was seen empty.

Doubts are settled after the core has applied what was said, for only then are paths
where the core believes them to be. What is found is told as a change if it contradicts
what was said. Events still in the queue may tell the same again: the core knows that
already then.

Directories are settled by identity too: where renames are in doubt, a known directory
may be elsewhere than said.
"""

from enum import Enum

from gamin.backends.marks import Marks
from gamin.events import IS_DIR, Change

_Entry = tuple[bytes, bytes]  # the identity of a directory, and a name in it


class There(Enum):
    """What bears a name."""

    NOTHING = 0
    OTHER = 1
    DIRECTORY = IS_DIR


class Doubts:
    def __init__(self) -> None:
        self._said: dict[_Entry, There] = {}
        self._open: dict[bytes, dict[bytes, None]] = {}

    def __bool__(self) -> bool:
        return bool(self._open)

    def said(self, entry: _Entry, there: There, is_mixed: bool) -> None:
        """An event said that; `is_mixed` if it said the opposite as well."""
        said = self._said
        if is_mixed or entry in said:
            self._open.setdefault(entry[0], {})[entry[1]] = None
        said[entry] = there

    def queue_was_empty(self) -> None:
        """What comes from now on cannot have been joined with what was read."""
        if not self._open:
            self._said.clear()

    def settle(self, marks: Marks) -> list[Change]:
        """The changes that make of what was said what is."""
        opened, self._open = self._open, {}
        changes: list[Change] = []
        for identity, names in opened.items():
            mark = marks.get(identity)
            if mark is not None:
                changes += self._settle(marks, mark, names)
        return changes

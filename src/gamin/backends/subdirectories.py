"""Subdirectories whose rights or times changed: in which directory, by which name?

Names that come and go are left to `reconciler`.

Of a change to a file's attributes the kernel says in which directory that is and what
it is called there; of a directory it names that one only (man 2 fanotify_init,
FAN_REPORT_NAME), even where a mark on its parent is the reason for the event. One that
is watched itself has a path, and the path a parent. One that is not is looked up in an
index of all subdirectories of watched directories, made when it is first needed and
made again when it does not know the answer.

That is done at once, so that the order of changes is kept. Where a directory is not
found because a rename is still to be applied, it is looked for again after that.
"""

import os
from contextlib import suppress

from gamin.backends.marks import Mark, Marks, identity_at
from gamin.events import ATTRIB, IS_DIR, Change
from gamin.paths import join, parent


class Subdirectories:
    def __init__(self) -> None:
        self._later: dict[bytes, None] = {}
        self._index: dict[bytes, tuple[bytes, bytes]] = {}
        """The identity of a subdirectory: that of its directory, and its name."""
        self._is_new = False
        """The index was made since the last time anything was applied."""

    def __bool__(self) -> bool:
        return bool(self._later)

    def applied(self) -> None:
        """Renames that were told are known to the core now."""
        self._is_new = False

    def attributes_changed(self, marks: Marks, identity: bytes) -> list[Change]:
        """The changes, as seen from the directories that it is in. None may be known
        yet; then `settle` is to be called."""
        changes = self._find(marks, identity)
        if changes is None:
            self._later[identity] = None
        return changes or []

    def settle(self, marks: Marks) -> list[Change]:
        """What was not known before."""
        later, self._later = self._later, {}
        return [c for identity in later for c in self._find(marks, identity) or ()]

    def _find(self, marks: Marks, identity: bytes) -> list[Change] | None:
        """None if it is not found."""
        mark = marks.get(identity)
        if mark is not None:
            return _of_watched(marks, mark)
        changes = self._of_indexed(marks, identity)
        if not changes and not self._is_new:
            self._index = _index(marks)
            self._is_new = True
            changes = self._of_indexed(marks, identity)
        return changes or None

    def _of_indexed(self, marks: Marks, identity: bytes) -> list[Change]:
        """Nothing if it is not where the index says."""
        above, name = self._index.get(identity, (b"", b""))
        mark = marks.get(above)
        return [
            Change(node, ATTRIB | IS_DIR, 0, name)
            for node in (mark.owners if mark is not None else ())
            if identity_at(join(node.path(), name)) == identity
        ]


def _of_watched(marks: Marks, mark: Mark) -> list[Change] | None:
    """None if it is not where it is believed to be."""
    changes = []
    for path in {node.path() for node in mark.owners}:
        if identity_at(path) != mark.identity:
            return None
        directory = parent(path)
        identity = identity_at(directory)
        above = None if identity is None else marks.get(identity)
        if above is None or above is mark or not above.mask & ATTRIB:
            continue
        name = path.rpartition(b"/")[2]
        changes += [
            Change(node, ATTRIB | IS_DIR, 0, name)
            for node in above.owners
            if node.path() == directory
        ]
    return changes


def _index(marks: Marks) -> dict[bytes, tuple[bytes, bytes]]:
    """Where the subdirectories are that are not watched themselves."""
    index: dict[bytes, tuple[bytes, bytes]] = {}
    watched = {node.path() for mark in marks for node in mark.owners}
    for mark in marks:
        if not mark.mask & ATTRIB:
            continue
        with suppress(OSError), os.scandir(mark.owners[0].path()) as entries:
            for entry in entries:
                if not entry.is_dir(follow_symlinks=False) or entry.path in watched:
                    continue
                identity = identity_at(entry.path)
                if identity is not None:
                    index[identity] = mark.identity, entry.name
    return index

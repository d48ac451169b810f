"""Finds the parent and the name of subdirectories whose attributes changed.

`reconciler` handles names that are created and deleted.

For a file whose attributes changed, the kernel reports its directory and its name. For
a directory it reports only that directory itself (man 2 fanotify_init,
FAN_REPORT_NAME), even if a mark on its parent causes the event. A directory that is
watched itself has a path, and so a parent. Any other is found in an index of all
subdirectories of watched directories, which is built when it is first needed, and
rebuilt if it lacks the answer.

The search runs at once, so that the order of changes is kept. If a directory is not
found because a rename is not applied yet, the search is repeated after that.
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
        """By identity of a subdirectory: the identity of its parent, and its name."""
        self._is_new = False
        """The index was built after the core last applied changes."""

    def __bool__(self) -> bool:
        return bool(self._later)

    def applied(self) -> None:
        """The core has applied all renames that were returned."""
        self._is_new = False

    def attributes_changed(self, marks: Marks, identity: bytes) -> list[Change]:
        """The changes as entries of the parent directories. There may be none yet; then
        call `settle` later."""
        changes = self._find(marks, identity)
        if changes is None:
            self._later[identity] = None
        return changes or []

    def settle(self, marks: Marks) -> list[Change]:
        """The changes of directories that were not found before."""
        later, self._later = self._later, {}
        return [c for identity in later for c in self._find(marks, identity) or ()]

    def _find(self, marks: Marks, identity: bytes) -> list[Change] | None:
        """The changes of one directory; None if it is not found."""
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
        """The change by the index; none if the directory is not where it says."""
        above, name = self._index.get(identity, (b"", b""))
        mark = marks.get(above)
        return [
            Change(node, ATTRIB | IS_DIR, 0, name)
            for node in (mark.owners if mark is not None else ())
            if identity_at(join(node.path(), name)) == identity
        ]


def _of_watched(marks: Marks, mark: Mark) -> list[Change] | None:
    """The changes of a watched directory; None if it is not at its path."""
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
    """The places of the subdirectories that are not watched themselves."""
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

"""Subdirectories whose rights or times changed: in which directory, by which name?

Names that come and go are left to `doubts`.

Of a change to a file's attributes the kernel says in which directory that is and what
it is called there; of a directory it names that one only (man 2 fanotify_init,
FAN_REPORT_NAME), even where a mark on its parent is the reason for the event. One that
is watched itself has a path, and the path a parent. One that is not is looked up in an
index of all subdirectories of watched directories, made when it is first needed and
made again when it does not know the answer.
"""

import os
from contextlib import suppress

from gamin.backends.marks import Mark, Marks, identity_at
from gamin.events import ATTRIB, IS_DIR, Change
from gamin.paths import join, parent


class Subdirectories:
    def __init__(self) -> None:
        self._changed: dict[bytes, None] = {}
        self._index: dict[bytes, tuple[bytes, bytes]] = {}
        """The identity of a subdirectory: that of its directory, and its name."""

    def __bool__(self) -> bool:
        return bool(self._changed)

    def attributes_changed(self, identity: bytes) -> None:
        self._changed[identity] = None

    def settle(self, marks: Marks) -> list[Change]:
        """The changes, as seen from the directories that they are in."""
        changed, self._changed = self._changed, {}
        changes: list[Change] = []
        unknown = []
        for identity in changed:
            mark = marks.get(identity)
            if mark is not None:
                changes += _of_watched(marks, mark)
            elif not self._of_indexed(marks, identity, changes):
                unknown.append(identity)
        if unknown:
            self._index = _index(marks)
            for identity in unknown:
                self._of_indexed(marks, identity, changes)
        return changes

    def _of_indexed(self, marks: Marks, identity: bytes, changes: list[Change]) -> bool:
        """Append the changes; False if it is not where the index says."""
        above, name = self._index.get(identity, (b"", b""))
        mark = marks.get(above)
        if mark is None:
            return False
        nodes = [
            node
            for node in mark.owners
            if identity_at(join(node.path(), name)) == identity
        ]
        changes += [Change(node, ATTRIB | IS_DIR, 0, name) for node in nodes]
        return bool(nodes)


def _of_watched(marks: Marks, mark: Mark) -> list[Change]:
    changes = []
    for path in {node.path() for node in mark.owners}:
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

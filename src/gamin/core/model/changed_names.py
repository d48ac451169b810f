"""Computes the difference between a tick and now by the directory.

As `difference.tree_since`, whose rows say the same. Here most changes come without an
object for each: as the names in one directory to which the same happened.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from gamin.core.model.difference import (
    CoversDirectory,
    Past,
    everywhere,
    recent_history,
    touched_since,
    walk_since,
)
from gamin.core.model.history import History, unpack_recent
from gamin.core.model.node import FILE, Node
from gamin.events import Row


class Group(NamedTuple):
    """What happened to names, as the row of each says it."""

    exists: bool
    is_new: bool
    is_dir: bool


Groups = dict[Group, list[bytes]]
"""Names in one directory. One may be in two groups: of what was deleted, and of what
was created in its place."""

DELETED = Group(False, False, False), Group(False, False, True)
"""The groups of what was deleted: of files, and of directories."""
CHANGED = Group(True, False, False), Group(True, False, True)
CREATED = Group(True, True, False), Group(True, True, True)

FEW = 8
"""Names up to which they are searched for in packed names, which takes 0.2 µs for each;
for more, all are split, which takes 2 µs for a hundred."""


class ChangedNames(NamedTuple):
    prefix: bytes
    """The path of the directory with a slash."""
    groups: Groups


def names_since(
    node: Node, since: int, covers_directory: CoversDirectory = everywhere
) -> Iterator[Row | ChangedNames]:
    """What changed below `node` after the tick `since`, in the order of `tree_since`.
    Rows have what is not as simple."""
    return walk_since(node, since, _names_touched, covers_directory)


def _names_touched(
    node: Node, since: int, prefix: bytes, until: int, past: Past | None
) -> Iterable[Row | ChangedNames]:
    if node.deferred:
        return touched_since(node, since, prefix, until, past)
    if past is None and node.packed_history is not None:
        recent = unpack_recent(node.packed_history, since)
    else:
        recent = recent_history(node.past if past is None else past, since)
    if not recent:
        return ()
    return (ChangedNames(prefix, _sorted(recent, since, _known(node, len(recent)))),)


def _sorted(
    recent: list[tuple[bytes, History]],
    since: int,
    known: Callable[[bytes], object],
) -> Groups:
    """As `difference._entry_since` says it of each name; `known` returns None for what
    is not there."""
    groups: Groups = {}
    last: Group | None = None
    names: list[bytes] = []
    for name, (_, born, died, first, was_dir) in recent:
        there = known(name)
        if there is None:
            if first > since:
                continue
            group = DELETED[was_dir]
        elif born <= since:
            group = CHANGED[there is not FILE]
        else:
            group = CREATED[there is not FILE]
            if died > since and first <= since:
                groups.setdefault(DELETED[was_dir], []).append(name)
        if group is not last:
            last = group
            names = groups.setdefault(group, [])
        names.append(name)
    return groups


def _known(node: Node, count: int) -> Callable[[bytes], object]:
    """Looks an entry up, so many times."""
    if not node.is_packed or count > FEW:
        return node.entries.get
    all_names = b"/%b/" % node.packed
    return lambda name: FILE if b"/%b/" % name in all_names else None

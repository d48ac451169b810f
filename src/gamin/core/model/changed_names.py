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
    touched_since,
    walk_since,
)
from gamin.core.model.history import unpack_recent
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

SHORT = 4096
"""Bytes of packed names up to which each name is searched for in them, in less than
half a microsecond; longer ones are split first."""


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
        past = dict(unpack_recent(node.packed_history, since))
    elif past is None:
        past = node.live_history
    groups = _groups(past, since, _known(node)) if past else None
    return (ChangedNames(prefix, groups),) if groups else ()


def _groups(past: Past, since: int, known: Callable[[bytes], object]) -> Groups:
    """As `difference._entry_since` says it of each name; `known` returns None for what
    is not there."""
    groups: Groups = {}
    last: Group | None = None
    names: list[bytes] = []
    for name, (tick, born, died, first, was_dir) in reversed(past.items()):
        if tick <= since:
            break
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
    for names in groups.values():
        names.reverse()  # oldest change first
    return groups


def _known(node: Node) -> Callable[[bytes], object]:
    """Looks an entry up."""
    if not node.is_packed:
        return node.entries.get
    packed = node.packed
    if len(packed) > SHORT:
        return node.entries.get
    all_names = b"/%b/" % packed
    return lambda name: FILE if b"/%b/" % name in all_names else None

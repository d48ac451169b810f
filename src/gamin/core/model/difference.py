"""Computes the difference between a tick and now.

A query's `since`, a slow client's backlog, what a busy directory did in the last second
and what a returning client missed are all this one question. The functions only read
the tree; the caller decides who may see which row.

A caller that takes turns with others reads while the tree changes. It asks for what was
there at the tick `until`, the one at which it begins, and afterwards for what happened
since. What came after `until` is left out of the first answer: if it is gone before the
second one, that has nothing of it. What went after `until` is in the first answer or in
the second one, or deleted in both."""

import sys
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import Final, TypeVar

from gamin.core.model.history import History
from gamin.core.model.node import FILE, Node
from gamin.events import Kind, Row

CoversDirectory = Callable[[bytes], bool]
"""Whether the caller's scope includes a subdirectory (absolute path)."""


T = TypeVar("T")

Past = dict[bytes, History]
Touched = Callable[[Node, int, bytes, int, Past | None], Iterable[T]]
"""What changed in a directory that was there before: takes the node, `since`, its
prefix, `until`, and its past if that is unpacked already."""

NOW: Final = sys.maxsize
"""A tick `until` that no tree reaches: the answer is read before anything changes."""


def everywhere(_path: bytes) -> bool:
    """A scope that includes every subdirectory."""
    return True


def entries_since(
    node: Node, since: int, prefix: bytes | None = None, until: int = NOW
) -> Iterator[Row]:
    """Rows for the entries of one directory that changed after the tick `since`, oldest
    change first.

    An entry that was created and deleted since then gives no row; one that was deleted
    and created gives both, in that order.
    """
    prefix = node.path_prefix() if prefix is None else prefix
    if node.created_tick > since:
        return _as_new(node, since, prefix, until)
    return touched_since(node, since, prefix, until)


def recent_history(past: Past, since: int) -> list[tuple[bytes, History]]:
    """The names that changed after the tick, oldest change first."""
    recent: list[tuple[bytes, History]] = []
    for item in reversed(past.items()):
        if item[1][0] <= since:
            break
        recent.append(item)
    recent.reverse()
    return recent


def touched_since(
    node: Node, since: int, prefix: bytes, until: int, past: Past | None = None
) -> Iterator[Row]:
    """As `entries_since`, of a directory that was there before."""
    # What is there now, because a caller that takes turns with others may go on later.
    recent = recent_history(node.past if past is None else past, since)
    if not recent:
        return
    deferred, find = node.deferred or {}, node.entries.get
    for name, touch, known in [(n, t, find(n)) for n, t in recent]:
        path = prefix + name
        if name in deferred:  # a report will follow, for those who know the baseline
            before = deferred[name]
            if before.history is not None and before.history[0] > since:
                yield from _entry_since(
                    before.was_dir, before.history, since, path, until
                )
            continue
        is_dir = None if known is None else known is not FILE
        yield from _entry_since(is_dir, touch, since, path, until)


def _entry_since(
    there: bool | None, touch: History, since: int, path: bytes, until: int
) -> Iterator[Row]:
    """Rows for one entry that changed after `since`. `there` says whether it is a
    directory; None that it is gone."""
    _, born, died, first, was_dir = touch
    if there is None:
        if first <= since:
            yield Row(Kind.DELETED, path, was_dir)
    elif born <= since:
        yield Row(Kind.CHANGED, path, there)
    else:
        if died > since and first <= since:
            yield Row(Kind.DELETED, path, was_dir)
        if born <= until:
            yield Row(Kind.CREATED, path, there, None, True)


def _born_after(node: Node, tick: int) -> AbstractSet[bytes]:
    """The names that appeared in the directory after the tick, and perhaps went."""
    return frozenset() if node.latest_tick <= tick else _born(node.past, tick)


def _born(past: Past, tick: int) -> AbstractSet[bytes]:
    found: set[bytes] = set()
    for name, touch in reversed(past.items()):
        if touch[0] <= tick:
            break
        if touch[1] > tick:
            found.add(name)
    return found


def _as_new(node: Node, since: int, prefix: bytes, until: int) -> Iterator[Row]:
    """The directory itself came after `since`: all that was at its path is gone, and
    all in it is new."""
    # Copies, because a caller that takes turns with others may go on later.
    for name, (last, _, died, first, is_dir) in list(node.past.items()):
        if died > since >= first and last > since:
            yield Row(Kind.DELETED, prefix + name, is_dir)
    if node.listed:
        for name, known in present_at(node, until):
            yield Row(Kind.CREATED, prefix + name, known is not FILE, None, True)


def gone_after(node: Node, tick: int) -> list[tuple[bytes, bool]]:
    """The names that were in the directory at the tick and went, also if they came
    again after it; whether each is, or was last, that of a directory."""
    if node.latest_tick <= tick:
        return []
    found: list[tuple[bytes, bool]] = []
    entries = node.entries
    for name, (last, born, died, first, is_dir) in reversed(node.past.items()):
        if last <= tick:
            break
        if died > tick >= first and (born > tick or name not in entries):
            found.append((name, is_dir))
    return found


def present_at(node: Node, until: int) -> list[tuple[bytes, Node | bool]]:
    """The entries as clients know them, without those that came after `until`."""
    entries = node.published_entries()
    later = _born_after(node, until)
    if not later:
        return list(entries.items())
    return [(name, known) for name, known in entries.items() if name not in later]


def tree_since(
    node: Node,
    since: int,
    covers_directory: CoversDirectory = everywhere,
    prefix: bytes | None = None,
    until: int = NOW,
) -> Iterator[Row]:
    """Rows for everything below `node` that changed after the tick `since`: deletions
    first, then parents before children.

    Descends only where something changed.
    """
    return walk_since(node, since, touched_since, covers_directory, prefix, until)


def walk_since(
    node: Node,
    since: int,
    touched: Touched[T],
    covers_directory: CoversDirectory = everywhere,
    prefix: bytes | None = None,
    until: int = NOW,
) -> Iterator[Row | T]:
    """As `tree_since`. What changed in a directory that was there before, which most of
    it is, comes as `touched` has it."""
    prefix = node.path_prefix() if prefix is None else prefix
    # A loop and not recursion: trees may be deep.
    stack: list[tuple[Node, bytes, bool, Node | None]] = [(node, prefix, False, None)]
    while stack:
        node, prefix, is_new, above = stack.pop()
        if node.created_tick > until:  # it was renamed since it was found here
            if above is not None:
                yield from _vanished_at(above, since, prefix)
            continue
        is_new = is_new or node.created_tick > since
        # Before the next row is taken a directory may go, come again, or be renamed.
        children = node.child_nodes()
        past = node.past if children else None  # once: it is unpacked for that
        changed = _changed(children, since, None if is_new else past)
        if node.tombstones or node.moved_away:
            yield from _vanished_below(node, since, covers_directory, prefix)
        if is_new:
            yield from _as_new(node, since, prefix, until)
        else:
            yield from touched(node, since, prefix, until, past)
        for name, child, came in changed:
            path = prefix + name
            if not covers_directory(path):
                continue
            if child.created_tick > until:
                yield from _vanished_at(node, since, path + b"/")
            else:
                stack.append((child, path + b"/", came, node))


def _changed(
    children: list[Node], since: int, past: Past | None
) -> list[tuple[bytes, Node, bool]]:
    """The subdirectories at or below which something changed after the tick; whether
    each came then. `past` is that of the directory above; None if it is new."""
    if past is None:
        return [(child.name, child, True) for child in children]
    born = _born(past, since)
    if not born:  # as nearly always
        return [
            (child.name, child, False)
            for child in children
            if child.latest_tick > since or child.created_tick > since
        ]
    return [
        (child.name, child, child.name in born)
        for child in children
        if child.latest_tick > since or child.created_tick > since or child.name in born
    ]


def _vanished_at(above: Node, since: int, prefix: bytes) -> Iterator[Row]:
    """As `_vanished`, of the place in a directory with this path."""
    name = prefix[:-1].rpartition(b"/")[2]
    place = above.child(name) or (above.tombstones or {}).get(name)
    if place is not None:
        yield from _vanished(place, since, prefix)


def _vanished_below(
    node: Node, since: int, covers_directory: CoversDirectory, prefix: bytes
) -> Iterator[Row]:
    former = _former_occupants(node, since)
    for tombstone in list((node.tombstones or {}).values()):
        path = prefix + tombstone.name
        if tombstone.latest_tick > since and covers_directory(path):
            yield from _vanished(tombstone, since, path + b"/")
    for gone in former:
        yield from _deletions(gone, since, prefix)


def _vanished(place: Node, since: int, prefix: bytes) -> Iterator[Row]:
    """Deletions of everything that was below `prefix`, the path of a place, at the tick
    `since`; children before parents. What is there now is reported after this."""
    for gone in _occupants(place, since):
        yield from _deletions(gone, since, prefix)


def _occupants(place: Node, since: int) -> list[Node]:
    """The directories that were at a place at the tick `since`: one at the most, save
    that what a directory was before it went and came again counts as another one.

    A place is known by the node that is there now, or was there last. A directory may
    have been at several places, one after the other, and each place may have had
    several directories; but at one tick it is at one place. So the way from there leads
    to each directory once.
    """
    former = _former_occupants(place, since)
    return [place, *former] if place.placed_tick <= since else former


def _former_occupants(place: Node, since: int) -> list[Node]:
    """Those that were renamed since then, perhaps to there again."""
    return [
        gone
        for left_tick, gone, placed_tick in place.moved_away or ()
        if placed_tick <= since < left_tick
    ]


def _deletions(top: Node, since: int, prefix: bytes) -> Iterator[Row]:
    """Deletions of everything that was in a directory, by the paths of then."""
    seen = {top}  # a store that was saved may say anything
    # The way to the directory at hand. From below, and without a list of all of them:
    # that takes 30 ms for 20,000, before the first row.
    way = [(top, prefix, _below_then(top, since, prefix))]
    while way:
        node, prefix, below = way[-1]
        for child, path in below:
            if child not in seen:
                seen.add(child)
                way.append((child, path, _below_then(child, since, path)))
                break
        else:
            way.pop()
            yield from _deletions_in(node, since, prefix)


def _below_then(node: Node, since: int, prefix: bytes) -> Iterator[tuple[Node, bytes]]:
    """The directories that were in one at the tick `since`, with their paths."""
    places = (*(node.tombstones or {}).values(), *node.children())
    # A list, because a caller that takes turns with others may go on later, and where
    # a directory was is not known any more of one that is renamed meanwhile.
    return iter(
        [
            (gone, prefix + place.name + b"/")
            for place in places
            for gone in _occupants(place, since)
        ]
    )


def _deletions_in(node: Node, since: int, prefix: bytes) -> Iterator[Row]:
    """Deletions of everything that was an entry of a directory."""
    # Copies, because a caller that takes turns with others may go on later.
    names = node.entries
    for name, known in reversed(list(names.items())):
        yield Row(Kind.DELETED, prefix + name, known is not FILE)
    for name, touch in reversed(list(node.past.items())):
        _, _, died, first, is_dir = touch
        if name not in names and died > since >= first:
            yield Row(Kind.DELETED, prefix + name, is_dir)


def listing(
    node: Node,
    covers_directory: CoversDirectory | None = None,
    until: int = NOW,
) -> Iterator[Row]:
    """An EXISTS row for every entry; of the whole tree with `covers_directory`."""
    stack = [(node, node.path_prefix())]
    while stack:
        node, prefix = stack.pop()
        if not node.listed or node.created_tick > until:
            continue
        # A copy, because the caller may pause and continue after later changes.
        for name, known in present_at(node, until):
            path = prefix + name
            yield Row(Kind.EXISTS, path, known is not FILE, None, True)
            if (
                covers_directory is not None
                and isinstance(known, Node)
                and covers_directory(path)
            ):
                stack.append((known, path + b"/"))

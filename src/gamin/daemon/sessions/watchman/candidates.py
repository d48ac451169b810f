"""Finds the candidates of a query's generators without walking the whole tree.

A glob or a path leads to the directories that it names. A suffix leads everywhere, but
only names with that ending become rows.
"""

from collections.abc import Iterable, Iterator, Sequence

from gamin.core.model.node import FILE, Node
from gamin.core.model.subscription import Subscription
from gamin.daemon.sessions.watchman.results import admitted
from gamin.daemon.sessions.watchman.root import Root
from gamin.events import Kind, Row
from gamin.patterns.wildmatch import wildmatch
from gamin.protocol.watchman.errors import QueryFailed
from gamin.protocol.watchman.names import to_text
from gamin.protocol.watchman.query.query import Query
from gamin.protocol.watchman.query.selection import (
    ALL_LEVELS,
    PathFilter,
    Selection,
)

MAX_RANGES = 10_000
"""Directories that are looked up for globs; for more, the tree is walked."""
_UNSPLITTABLE = frozenset(b"[]\\{}")
"""Characters with which a slash in a glob may not divide names."""

Entry = tuple[bytes, "Node | bool"]


def candidates(root: Root, query: Query) -> Iterable[Row]:
    """EXISTS rows that include everything the generators other than `since` find, each
    once."""
    subscription, selection = root.subscription, query.selection
    if selection is None or subscription.bound_directory is None:
        return root.listing()
    rows = _walk(subscription, ranges(root, query), selection.endings)
    return admitted(subscription, rows)


def ranges(root: Root, query: Query) -> list[PathFilter]:
    """Where all is that the generators of a query other than `since` find; paths are
    relative to the root."""
    inner, selection = query.relative_root, query.selection
    if selection is None:
        return [PathFilter(inner)]
    return [
        PathFilter(b"/".join(filter(None, (inner, one.path))), one.depth)
        for one in _narrowed(root.subscription, inner, selection)
    ]


def check_relative_root(root: Root, query: Query) -> None:
    """Raises QueryFailed for globs in a directory that is not there."""
    inner, selection = query.relative_root, query.selection
    if not inner or selection is None or selection.globs is None:
        return
    holder, name = _holder(root.subscription, inner)
    if holder is None or name:
        path = to_text(root.path + b"/" + inner)
        raise QueryFailed(
            f"glob_generator could not resolve {path}, check your relative_root "
            "parameter!"
        )


def _narrowed(
    subscription: Subscription, inner: bytes, selection: Selection
) -> Sequence[PathFilter]:
    """The ranges of the selection; where a glob has wildcards in the names of
    directories, the ranges in all that match, and not the one above them."""
    globs = selection.globs
    if globs is None or selection.suffixes is not None or selection.fold:
        return selection.ranges()
    top, name = _holder(subscription, inner)
    if top is None or name or any(set(glob) & _UNSPLITTABLE for glob in globs):
        return selection.ranges()
    ranges = list(selection.paths or ())
    for glob in globs:
        ranges += _expanded(subscription, top, glob, selection.dotfiles)
        if len(ranges) > MAX_RANGES:
            return selection.ranges()
    return list(dict.fromkeys(ranges))


def _expanded(
    subscription: Subscription, top: Node, glob: bytes, dotfiles: bool
) -> list[PathFilter]:
    parts = [part for part in glob.split(b"/") if part]
    found = [(top, b"")]
    fixed = 0
    for part in parts[:-1]:
        if b"**" in part or part in (b".", b".."):
            break
        matches = wildmatch(part, pathname=True, dotfiles=dotfiles)
        is_literal = b"*" not in part and b"?" not in part
        below: list[tuple[Node, bytes]] = []
        for node, path in found:
            known = node.child(part) if is_literal else None
            children = [known] if known is not None else []
            for child in children if is_literal else node.children():
                is_wanted = is_literal or matches(child.name)
                if is_wanted and subscription.covers_directory(child.path()):
                    below.append((child, path + child.name + b"/"))
        found = below
        fixed += 1
    rest = parts[fixed:]
    is_deep = any(b"**" in part for part in rest)
    depth = ALL_LEVELS if is_deep else max(0, len(rest) - 1)
    return [PathFilter(path[:-1], depth) for _, path in found]


def _walk(
    subscription: Subscription,
    ranges: Sequence[PathFilter],
    endings: tuple[bytes, ...] | None,
) -> Iterator[Row]:
    listed: set[Node] = set()
    single: dict[bytes, tuple[Node, bytes]] = {}
    for node in directories(subscription, ranges, single):
        listed.add(node)
        prefix = node.path_prefix()
        for name, known in _entries(node, endings):
            yield Row(Kind.EXISTS, prefix + name, known is not FILE, None, True)
    for holder, name in single.values():
        found = holder.published_entries().get(name)
        if found is not None and holder.listed and holder not in listed:
            path = holder.path_prefix() + name
            yield Row(Kind.EXISTS, path, found is not FILE, None, True)


def directories(
    subscription: Subscription,
    ranges: Sequence[PathFilter],
    single: dict[bytes, tuple[Node, bytes]],
) -> Iterator[Node]:
    """The listed directories in the ranges, each once. What is no directory is put into
    `single`: who may have it, and its name there."""
    found: set[Node] = set()
    for one in ranges:
        holder, name = _holder(subscription, one.path)
        if holder is None:
            continue
        if name:
            single[one.path] = holder, name
            continue
        stack = [(holder, one.depth)]
        while stack:
            node, left = stack.pop()
            if not node.listed:
                continue
            if node not in found:
                found.add(node)
                yield node
            if left and not node.is_packed:
                prefix = node.path_prefix()
                stack += [
                    (child, left - 1)
                    for child in node.children()
                    if subscription.covers_directory(prefix + child.name)
                ]


def _entries(node: Node, endings: tuple[bytes, ...] | None) -> list[Entry]:
    if (
        node.is_packed and not node.deferred
    ):  # stays so: that takes a tenth of the memory
        packed = node.packed
        names = packed.split(b"/") if packed else []
        if endings is None:
            return [(name, FILE) for name in names]
        lower = packed.lower().split(b"/")
        return [
            (name, FILE)
            for name, ending in zip(names, lower, strict=False)
            if ending.endswith(endings)
        ]
    entries = node.published_entries().items()
    if endings is None:
        return list(entries)
    return [entry for entry in entries if entry[0].lower().endswith(endings)]


def _holder(subscription: Subscription, path: bytes) -> tuple[Node | None, bytes]:
    """The directory at the path below the root, and an empty name; else the one that
    has the entry, and its name. None if there is neither."""
    node = subscription.bound_directory
    parts = path.split(b"/") if path else []
    for count, name in enumerate(parts, 1):
        if node is None:
            break
        child = node.child(name)
        if child is None:
            return (node, name) if count == len(parts) else (None, b"")
        if not subscription.covers_directory(node.path_prefix() + name):
            return None, b""
        node = child
    return node, b""

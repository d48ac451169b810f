"""What a client believes after all it was told, and how wrong it is.

Pure: how each watcher says things is known in `bench.peers`.
"""

from collections.abc import Iterable, Iterator
from enum import Enum
from typing import NamedTuple


class Told(Enum):
    """What one line of a watcher says. The values are those of `bench/c/report.h`."""

    CREATED = b"+"  # or is there
    DELETED = b"-"  # with everything below it
    CHANGED = b"~"
    MOVED = b">"
    LOST = b"!"  # something may have been missed
    RESET = b"="  # forget everything; a full listing follows


class Report(NamedTuple):
    told: Told
    path: bytes = b""
    """Relative to the root; empty for the root itself."""
    dest: bytes = b""


class Wrong(NamedTuple):
    missing: int
    """Paths that are there, but the client does not know."""
    stale: int
    """Paths that the client believes in, but are gone."""


_Node = dict[bytes, "_Node"]  # name -> what is below it; a file is an empty one


def believed(start: Iterable[bytes], reports: Iterable[Report]) -> set[bytes]:
    """The paths a client believes in that knew `start` and took each report in turn."""
    tree: _Node = {}
    for path in start:
        _put(tree, path, {})
    for report in reports:
        match report.told:
            case Told.CREATED:
                _put(tree, report.path, {})
            case Told.DELETED:
                _take(tree, report.path)
            case Told.MOVED:
                _move(tree, report.path, report.dest)
            case Told.RESET:
                tree.clear()
            case Told.CHANGED | Told.LOST:
                pass
    return set(_paths(tree, b""))


def _put(tree: _Node, path: bytes, node: _Node) -> None:
    """Add `node` at `path` unless something is there already."""
    parent, _, name = path.rpartition(b"/")
    _directory(tree, parent).setdefault(name, node)


def _move(tree: _Node, path: bytes, dest: bytes) -> None:
    node = _take(tree, path)
    if node is None:  # never heard of, but now there
        _put(tree, dest, {})
        return
    parent, _, name = dest.rpartition(b"/")
    _directory(tree, parent)[name] = node


def _take(tree: _Node, path: bytes) -> _Node | None:
    parent, _, name = path.rpartition(b"/")
    for part in parent.split(b"/") if parent else ():
        if part not in tree:
            return None
        tree = tree[part]
    return tree.pop(name, None)


def _directory(tree: _Node, path: bytes) -> _Node:
    for part in path.split(b"/") if path else ():
        tree = tree.setdefault(part, {})
    return tree


def _paths(tree: _Node, prefix: bytes) -> Iterator[bytes]:
    for name, below in tree.items():
        yield prefix + name
        yield from _paths(below, prefix + name + b"/")


def compare(client: set[bytes], disk: set[bytes]) -> Wrong:
    return Wrong(missing=len(disk - client), stale=len(client - disk))

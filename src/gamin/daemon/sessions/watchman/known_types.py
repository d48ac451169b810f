"""Which entries of directories are neither files nor directories: symlinks, pipes, ….

The tree of the core does not know. An entry cannot become something else without its
name being made again, which every watch reports, so what was seen in a directory holds
until something happens in it.
"""

import os
import stat
from collections.abc import Mapping

from gamin.core.model.node import Node

MAX_KNOWN = 100_000
"""Directories of one root, some 150 bytes each. When there are more, all of it is
forgotten."""

_NONE: Mapping[bytes, int] = {}


class KnownTypes:
    """Of one root."""

    def __init__(self) -> None:
        self._others: dict[Node, tuple[int, Mapping[bytes, int]]] = {}
        """With the tick at which it was seen."""

    def others(self, node: Node, now: int) -> Mapping[bytes, int]:
        """The names of such entries in a directory, with their types (`stat.S_IFMT`).
        All that happened there up to the tick `now` is known. Raises OSError."""
        known = self._others.get(node)
        if known is not None and node.latest_tick <= known[0] and not node.deferred:
            return known[1]
        found = _read(node.path_prefix()) or _NONE
        if len(self._others) >= MAX_KNOWN:
            self._others.clear()
        self._others[node] = now, found
        return found


def _read(directory: bytes) -> dict[bytes, int]:
    with os.scandir(directory) as entries:
        others = [each for each in entries if not each.is_file(follow_symlinks=False)]
    types = {}
    for each in others:
        if not each.is_dir(follow_symlinks=False):
            mode = each.stat(follow_symlinks=False).st_mode
            types[each.name] = stat.S_IFMT(mode)
    return types

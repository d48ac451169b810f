"""Which entries of directories are neither files nor directories: symlinks, pipes, ….

The tree of the core does not know. An entry cannot become something else without its
name being made again, which every watch reports, so what was seen in a directory holds
until something happens in it.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from itertools import islice

from gamin.core.model.node import Node
from gamin.daemon.io.errands import Steps

MAX_KNOWN = 100_000
"""Directories of one root, some 150 bytes each. When there are more, all of it is
forgotten."""
MIN_NEW = 64
"""Directories that are read, at the least, before removed ones are looked for."""
PER_STEP = 2048
"""Entries or directories that are looked at before others get their turn: 2 ms."""

_NONE: Mapping[bytes, int] = {}


class KnownTypes:
    """Of one root."""

    def __init__(self) -> None:
        self._others: dict[Node, tuple[int, Mapping[bytes, int]]] = {}
        """With the tick at which it was seen."""
        self._new = 0
        """Directories that were read since removed ones were last forgotten."""

    def others(self, node: Node, now: int) -> Steps[Mapping[bytes, int]]:
        """The names of such entries in a directory, with their types (`stat.S_IFMT`).
        All that happened there up to the tick `now` is known. Yields where others may
        get their turn. Raises OSError."""
        known = self._others.get(node)
        if known is not None and node.latest_tick <= known[0] and not node.deferred:
            return known[1]
        found = (yield from _read(node.path_prefix())) or _NONE
        if len(self._others) >= MAX_KNOWN:
            self._others.clear()
        # What happened during the reading has a later tick than `now`.
        self._others[node] = now, found
        self._new += 1
        if self._new >= max(MIN_NEW, len(self._others) // 2):
            self._new = 0
            yield from self._forget_removed()
        return found

    def _forget_removed(self) -> Steps[None]:
        all_known = iter(list(self._others))
        while some := list(islice(all_known, PER_STEP)):
            for node in some:
                if not node.is_linked:
                    self._others.pop(node, None)
            yield None


def _read(directory: bytes) -> Steps[dict[bytes, int]]:
    types: dict[bytes, int] = {}
    with os.scandir(directory) as entries:
        while some := list(islice(entries, PER_STEP)):
            types.update(_others(some))
            yield None
    return types


def _others(entries: list[os.DirEntry[bytes]]) -> Iterator[tuple[bytes, int]]:
    for each in entries:
        if not (
            each.is_file(follow_symlinks=False) or each.is_dir(follow_symlinks=False)
        ):
            mode = each.stat(follow_symlinks=False).st_mode
            yield each.name, stat.S_IFMT(mode)

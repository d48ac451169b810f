"""A directory: what is known of it, who needs it, and how it is watched.

One slotted object, for memory and speed. Each slot is assigned by one module, which
`tests/conventions/test_node_slots.py` lists; `tree` assigns what is known of the disk.
"""

import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from typing import Any, Final, NamedTuple, cast

from gamin.core.model.history import (
    History,
    PackedHistory,
    forget_packed,
    forget_unpacked,
    pack_history,
    unpack_history,
)

FILE: Final = False
"""In `Node.names`: an entry that is not a directory."""
SUBDIR: Final = True
"""In `Node.names`: a directory without a node, because no subscription covers it."""


class Baseline(NamedTuple):
    """What subscribers believe of an entry while reports of it are deferred."""

    was_dir: bool | None
    """Whether they believe it to be a directory; None: no such entry."""
    was_deleted: bool
    """It was deleted since then, so the name refers to another object now."""
    since: int
    """All that happened to it after this tick is not reported yet."""
    history: History | None
    """What had happened to it until then."""


new_baseline: Final = cast(
    Callable[[tuple[bool | None, bool, int, History | None]], Baseline],
    partial(tuple.__new__, Baseline),
)
"""`Baseline` from a tuple of all its fields, in a third of the class's time."""


MovedAway = tuple[int, "Node", int]
"""A directory that was somewhere: the tick at which it left, the directory, and the
`Node.placed_tick` that it had there."""

Names = dict[bytes, "Node | bool"]
"""The entries of a directory: a Node, SUBDIR or FILE each."""


class Node:
    """A directory, by its real path (no symlink in it)."""

    __slots__ = (
        "_names",
        "audience",
        "created_tick",
        "decision",
        "deferred",
        "files",
        "interval",
        "kernel_mask",
        "latest_tick",
        "listed",
        "live_history",
        "mask",
        "moved_away",
        "name",
        "number",
        "packed",
        "packed_history",
        "parent",
        "path_waiters",
        "placed_tick",
        "poll_mask",
        "prefix",
        "subscriptions",
        "tombstones",
        "uniform",
        "unreadable",
        "watches_named_entries_only",
        "wd",
        "wd_poll",
    )

    def __init__(self, parent: "Node | None", name: bytes, born: int = 0) -> None:
        # Belief: what is known of the disk (`model.belief` exports it).
        self.parent: Node | None = parent
        self.name: bytes = name
        self.created_tick: int = born
        """The tick since which this very directory is at this path (0: always)."""
        self.placed_tick: int = 0
        """The tick at which it was renamed to here; 0: it never was somewhere else."""
        self.packed: bytes = b""
        """The names of its entries joined by "/", a tenth of the memory of `names`."""
        self._names: Names | None = None
        self.listed: bool = False
        """`names` has all entries."""
        self.live_history: dict[bytes, History] | None = None  # while not packed
        self.packed_history: PackedHistory | None = None
        """All of `history`, while it is packed."""
        self.latest_tick: int = 0
        """The latest tick of a change at or below it."""
        self.tombstones: dict[bytes, Node] | None = None
        """Subdirectories that went away."""
        self.moved_away: list[MovedAway] | None = None
        """Directories that were at this place before."""
        self.deferred: dict[bytes, Baseline] | None = None
        """Entries with a creation or deletion to be reported later."""
        self.number: int = 0
        """What it is exported as (`model.belief`); 0: not yet."""
        self.prefix: bytes | None = None
        """Its path with a slash; None: to be computed."""

        # Wiring: who needs it.
        self.path_waiters: dict[bytes, dict[Any, int]] | None = None
        """Subscriptions whose path leads through an entry, and how often it does."""
        self.subscriptions: dict[Any, None] | None = None
        """Subscriptions bound to this directory itself, and not to an entry of it."""
        self.files: int = 0
        """How many subscriptions are bound to entries of it."""
        self.audience: Any = None
        """The `Audience` of its entries; None: to be computed."""

        # Wiring: how it is watched (`coverage` decides, the executor carries it out).
        self.mask: int = 0
        """What is to be detected (a mask of `gamin.events`); 0: nothing."""
        self.decision: Any = None
        """The policy's `Decision`; None: to be looked up."""
        self.uniform: bool = False
        """Everything below shares the decision."""
        self.kernel_mask: int = 0
        """The kernel's part of `mask`."""
        self.poll_mask: int = 0
        """Polling's part of `mask`."""
        self.watches_named_entries_only: bool = False
        """Only the entries in `path_waiters` matter."""
        self.interval: float = 0.0
        """Seconds between two polls."""
        self.unreadable: bool = False
        """It must not be listed, so no backend detects changes of its entries."""
        self.wd: int = -1
        """The kernel backend's number for its watch; -1: none."""
        self.wd_poll: int = -1
        """The polling backend's number for it; -1: not polled."""

    @classmethod
    def alike(cls, parent: "Node", name: bytes, audience: Any) -> "Node":
        """A subdirectory for which everything is as it was decided for its parent."""
        node = cls(parent, name)
        node.audience = audience
        node.decision = parent.decision
        node.uniform = True
        node.mask = parent.mask
        node.kernel_mask = parent.kernel_mask
        node.poll_mask = parent.poll_mask
        node.interval = parent.interval
        return node

    @classmethod
    def restored(
        cls,
        parent: "Node | None",
        name: bytes,
        created_tick: int,
        latest_tick: int,
        listed: bool,
        history: dict[bytes, History] | None,
        tombstones: "dict[bytes, Node] | None",
        moved_away: "list[MovedAway] | None",
        placed_tick: int,
    ) -> "Node":
        """A directory of which this was known earlier; nobody needs it yet."""
        node = cls(parent, name, created_tick)
        node.latest_tick = latest_tick
        node.listed = listed
        node.history = history
        node.tombstones = tombstones
        node.moved_away = moved_away
        node.placed_tick = placed_tick
        return node

    def __repr__(self) -> str:
        return f"<Node {self.path()!r} wd={self.wd} names={len(self.entries)}>"

    def path(self) -> bytes:
        """Its absolute path, as far as is known."""
        if self.prefix is None and self.parent is not None:
            return self.parent.path_prefix() + self.name
        return self.path_prefix()[:-1] or b"/"

    def path_prefix(self) -> bytes:
        """The path with a slash at the end: what an entry's name is appended to."""
        if self.prefix is not None:
            return self.prefix
        unknown = [self]  # a loop and not recursion: trees may be 2,000 deep
        while (above := unknown[-1].parent) is not None and above.prefix is None:
            unknown.append(above)
        prefix = b"/" if above is None else above.prefix or b"/"
        for node in reversed(unknown):
            if node.parent is not None:
                prefix = prefix + node.name + b"/"
            node.prefix = prefix
        return prefix

    def forget_path(self) -> None:
        """The directory or one above it was renamed: `prefix` is computed again."""
        self.prefix = None

    @property
    def names(self) -> Names:
        """Entries: a Node, SUBDIR or FILE. Only Nodes while `listed` is False."""
        names = self._names
        if names is None:
            files = self.packed.split(b"/") if self.packed else ()
            names = self._names = dict.fromkeys(files, FILE)
            self.packed = b""
        return names

    @names.setter
    def names(self, names: Names) -> None:
        self._names = names
        self.packed = b""

    def pack(self, files: Collection[bytes]) -> None:
        """Set the names of the entries; none was known, and none is a directory."""
        self.packed = b"/".join(files)

    @property
    def is_packed(self) -> bool:
        """Whether `packed` has all names."""
        return self._names is None

    def has_just(self, files: Collection[bytes]) -> bool:
        """Whether exactly these files, in this order, are known."""
        return self._names is None and self.packed == b"/".join(files)

    def has(self, name: bytes) -> bool:
        """Whether there is such an entry; packed names stay packed."""
        if self._names is not None:
            return name in self._names
        return b"/%b/" % name in b"/%b/" % self.packed

    @property
    def history(self) -> dict[bytes, History] | None:
        """What happened to entries, ordered by the last change."""
        packed = self.packed_history
        if packed is not None:
            self.live_history, self.packed_history = unpack_history(packed), None
        return self.live_history

    @history.setter
    def history(self, history: dict[bytes, History] | None) -> None:
        self.live_history, self.packed_history = history, None

    @property
    def past(self) -> dict[bytes, History]:
        """`history` for whoever only reads it: what is packed stays packed."""
        if self.packed_history is not None:
            return unpack_history(self.packed_history)
        return self.live_history or {}

    @property
    def entries(self) -> "Mapping[bytes, Node | bool]":
        """`names` for whoever only reads them: what is packed stays packed."""
        if self._names is not None:
            return self._names
        return dict.fromkeys(self.packed.split(b"/") if self.packed else (), FILE)

    @property
    def has_history(self) -> bool:
        """Whether anything is known to have happened to entries."""
        return self.packed_history is not None or bool(self.live_history)

    def pack_history(self, most: int = sys.maxsize) -> int:
        """Pack the history if it is not yet, and has at most so many entries. Returns
        how many were packed."""
        history = self.live_history
        if not history or len(history) > most:
            return 0
        self.live_history, self.packed_history = None, pack_history(history)
        return len(history)

    def forget_history(self, until: int, most: int) -> tuple[int, int]:
        """Forget what happened to entries in the tick `until` or earlier; of a history
        that is not packed, at most so many. Return how many entries that were, and how
        many have a history now."""
        packed, live = self.packed_history, self.live_history
        if packed is not None:
            self.packed_history, forgotten, left = forget_packed(packed, until)
            return forgotten, left
        if live is None:
            return 0, 0
        forgotten = forget_unpacked(live, until, most)
        if not live:
            self.live_history = None
        return forgotten, len(live)

    def pack_names(self, most: int = sys.maxsize) -> int:
        """As `pack_history` for the names, if all are known and all are files."""
        names = self._names
        if not self.listed or not names or len(names) > most or any(names.values()):
            return 0
        self._names, self.packed = None, b"/".join(names)
        return len(names)

    @property
    def is_watched(self) -> bool:
        """Whether a backend watches it now."""
        return self.wd >= 0 or self.wd_poll >= 0

    def published_entries(self) -> "Mapping[bytes, Node | bool]":
        """The entries as clients know them: `names` without deferred changes."""
        if not self.deferred:
            return self.entries
        published = {n: k for n, k in self.names.items() if n not in self.deferred}
        for name, deferred in self.deferred.items():
            if deferred.was_dir is not None:
                published[name] = self.child(name) or deferred.was_dir
        return published

    def awaited_names(self) -> "Collection[bytes]":
        """The entries that matter if `watches_named_entries_only`."""
        return self.path_waiters.keys() if self.path_waiters else ()

    def child(self, name: bytes) -> "Node | None":
        """The node of a subdirectory, if it has one."""
        known = self._names.get(name) if self._names is not None else None
        return known if isinstance(known, Node) else None

    @property
    def is_linked(self) -> bool:
        """Whether the way from the root leads to it: it was not removed."""
        node = self
        while (above := node.parent) is not None:
            if above.child(node.name) is not node:
                return False
            node = above
        return True

    def contains(self, node: "Node") -> bool:
        """Whether `node` is this directory or below it."""
        above: Node | None = node
        while above is not None and above is not self:
            above = above.parent
        return above is self

    def children(self) -> Iterator["Node"]:
        """The nodes of its subdirectories that have one."""
        return iter(self.child_nodes())

    def child_nodes(self) -> "list[Node]":
        """As `children`, in a list."""
        if self._names is None:
            return []
        # Nearly all are files, and they are False.
        known = filter(None, self._names.values())
        return [each for each in known if isinstance(each, Node)]

    def subtree(self) -> Iterator["Node"]:
        """This node and every node below it, parents first."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(node.children())

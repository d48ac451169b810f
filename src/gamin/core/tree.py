"""The tree of directories that somebody cares for, the names in them, and ticks.

It holds what is believed of the disk and since when; who is told, and how changes are
noticed, is `monitor`'s affair.

Every drained batch advances one *tick*. A name that was touched since the start has a
`Touch` in its directory's `touched`, kept in order of the last touch; all other names
share the constant that says what they are, so they cost one dictionary entry. A name
that went away keeps its touch as a tombstone. Each directory carries the latest tick
at or below it, so "what changed since clock c" descends only where something did.

A directory that went away stays in its parent's `ghosts`, with its tombstones, and is
revived when the name comes back. One that was renamed is linked anew, with all that is
below it, in one step; the place it left remembers it in `left`, because for a clock
from before the rename everything below is gone from there.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

FILE = False
"""In `Node.names`: an entry that is not a directory."""
SUBDIR = True
"""In `Node.names`: a directory that has no node, because nobody looks into it."""

Touch = tuple[int, int, int, int, bool]
"""What happened to a name, as ticks: last touch, birth of its last life, last death,
birth of its first life; 0 means before the start for a birth, never for a death. The
last item says whether it is, or was, a directory."""


class Untold(NamedTuple):
    """What is believed of a name by those who are not told of it for the moment."""

    was: bool | None
    """Whether it is a directory; None: there is no such entry."""
    has_died: bool
    """It went away since then, so what bears the name now is another."""
    since: int
    """All that happened to it after this tick is untold."""
    touch: Touch | None
    """What had happened to it until then."""


TOUCH_LIMIT = 200_000
"""Touches (some 250 bytes each) that may gather before the older half is dropped."""


class Node:
    """A directory, by its real path (no symlink in it)."""

    __slots__ = (
        "audience",
        "blind",
        "born",
        "decision",
        "files",
        "ghosts",
        "hooks",
        "interval",
        "kernel",
        "latest",
        "left",
        "listed",
        "name",
        "names",
        "narrow",
        "parent",
        "poll",
        "prefix",
        "subscriptions",
        "touched",
        "uniform",
        "untold",
        "wanted",
        "wd",
        "wd_poll",
    )

    def __init__(self, parent: "Node | None", name: bytes, born: int = 0) -> None:
        # What is believed of the disk.
        self.parent = parent
        self.name = name
        self.born = born
        """Tick since which this very directory is at this path (0: always)."""
        self.names: dict[bytes, Node | bool] = {}
        """Entries: a Node, SUBDIR or FILE. Only Nodes while `listed` is False."""
        self.listed = False
        self.touched: dict[bytes, Touch] | None = None
        self.latest = 0
        self.ghosts: dict[bytes, Node] | None = None
        self.left: list[tuple[int, Node]] | None = None
        self.untold: dict[bytes, Untold] | None = None
        """Entries whose coming or going is withheld (`core.withheld`)."""
        self.prefix: bytes | None = None

        # Who cares (kept by `binding` and `coverage`).
        self.hooks: dict[bytes, dict[Any, int]] | None = None
        """Subscriptions whose way passes through an entry, or waits for it, and how
        often it does."""
        self.subscriptions: dict[Any, None] | None = None
        """Subscriptions bound to this directory itself, and not to an entry of it."""
        self.files = 0
        """How many subscriptions are bound to entries of it."""
        self.audience: Any = None
        """Who is told of its entries; None when it must be computed anew."""

        # How it is noticed (decided by `coverage`, carried out by the shell).
        self.wanted = 0
        """What is to be noticed (a mask of `gamin.events`); 0: nothing."""
        self.decision: Any = None
        self.uniform = False
        """Everything below shares the decision."""
        self.kernel = 0
        """The kernel's share of `wanted`."""
        self.poll = 0
        """Polling's share of `wanted`."""
        self.narrow = False
        """Nobody cares for entries without a hook."""
        self.interval = 0.0
        """Seconds between two looks, where it is polled."""
        self.blind = False
        """Neither tells of its entries: nobody may list it."""
        self.wd = -1
        """The kernel backend's number of the watch; -1: none."""
        self.wd_poll = -1
        """The polling backend's."""

    def __repr__(self) -> str:
        return f"<Node {self.path()!r} wd={self.wd} names={len(self.names)}>"

    def path(self) -> bytes:
        """Where it is believed to be, absolute."""
        return self.slashed()[:-1] or b"/"

    def slashed(self) -> bytes:
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

    @property
    def is_noticed(self) -> bool:
        """Some backend watches it now."""
        return self.wd >= 0 or self.wd_poll >= 0

    def told(self) -> "Mapping[bytes, Node | bool]":
        """The entries as clients know them: `names`, but for what is withheld."""
        if not self.untold:
            return self.names
        told = {n: known for n, known in self.names.items() if n not in self.untold}
        for name, untold in self.untold.items():
            if untold.was is not None:
                told[name] = self.child(name) or untold.was
        return told

    def hooked(self) -> "Collection[bytes]":
        """The entries that matter where `narrow` is true."""
        return self.hooks.keys() if self.hooks else ()

    def child(self, name: bytes) -> "Node | None":
        known = self.names.get(name)
        return known if isinstance(known, Node) else None

    def holds(self, node: "Node") -> bool:
        """Whether `node` is this directory or below it."""
        above: Node | None = node
        while above is not None and above is not self:
            above = above.parent
        return above is self

    def children(self) -> Iterator["Node"]:
        return (known for known in self.names.values() if isinstance(known, Node))

    def subtree(self) -> Iterator["Node"]:
        """This node and every node below it, parents first."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(node.children())

    def listed_subtree(self) -> Iterator["Node"]:
        """As `subtree`, but only as far down as directories are listed."""
        stack = [self]
        while stack:
            node = stack.pop()
            if node.listed:
                yield node
                stack.extend(node.children())


class Tree:
    """All nodes, and the tick. Changes of names go through here, so ticks hold."""

    def __init__(self) -> None:
        self.root = Node(None, b"")
        self.tick = 1
        self.floor = 0
        """Clocks older than this tick cannot be answered: tombstones were dropped."""
        self._touches = 0
        self._half = 1

    def find(self, path: bytes) -> Node | None:
        """The node of a directory by its real path, if there is one."""
        node: Node | None = self.root
        for name in filter(None, path.split(b"/")):
            node = None if node is None else node.child(name)
        return node

    def touch(self, node: Node, name: bytes) -> None:
        """An existing entry changed."""
        touched = node.touched
        if touched is None:
            touched = node.touched = {}
        before = touched.pop(name, None)
        if before is None:
            self._touches += 1
            is_dir = node.names[name] is not FILE
            touched[name] = (self.tick, 0, 0, 0, is_dir)
        else:
            touched[name] = (self.tick, *before[1:])
        if node.latest < self.tick:
            self._raise_latest(node)

    def add(self, node: Node, name: bytes, known: Node | bool) -> None:
        """An entry came into being."""
        tick = self.tick
        node.names[name] = known
        touched = node.touched
        if touched is None:
            touched = node.touched = {}
        before = touched.pop(name, None)
        if before is None:
            self._touches += 1
            touched[name] = (tick, tick, 0, tick, known is not FILE)
        else:
            touched[name] = (tick, tick, before[2], before[3], known is not FILE)
        if node.latest < tick:
            self._raise_latest(node)

    def remove(self, node: Node, name: bytes) -> None:
        """An entry went away; its tombstone stays."""
        tick = self.tick
        known = node.names.pop(name)
        touched = node.touched
        if touched is None:
            touched = node.touched = {}
        before = touched.pop(name, None)
        if before is None:
            self._touches += 1
            touched[name] = (tick, 0, tick, 0, known is not FILE)
        else:
            touched[name] = (tick, before[1], tick, before[3], known is not FILE)
        if node.latest < tick:
            self._raise_latest(node)

    def restate(self, node: Node, name: bytes, since: int) -> None:
        """What happened to the entry after `since` is told only now.

        Whoever is behind asks for a later tick than that of the change itself, so
        the ticks of the change become those of the telling.
        """
        if node.touched is None or name not in node.touched:
            return
        tick = self.tick
        _, born, died, first, is_dir = node.touched.pop(name)
        born, died, first = (tick if t > since else t for t in (born, died, first))
        node.touched[name] = (tick, born, died, first, is_dir)
        if node.latest < tick:
            self._raise_latest(node)

    def _raise_latest(self, node: Node) -> None:
        tick = self.tick
        above: Node | None = node
        while above is not None and above.latest < tick:
            above.latest = tick
            above = above.parent

    def make_child(self, node: Node, name: bytes, born: int) -> Node:
        """The node of a subdirectory, revived from its ghost where there is one."""
        ghost = node.ghosts.pop(name, None) if node.ghosts else None
        if ghost is not None:
            ghost.born = born
            ghost.parent = node
            ghost.prefix = ghost.audience = ghost.decision = None
            ghost.uniform = False
            return ghost
        return Node(node, name, born)

    def bury(self, node: Node) -> None:
        """Keep a directory that went away, for the tombstones in it."""
        parent = node.parent
        if parent is None or (node.touched is None and not node.ghosts):
            return
        if parent.ghosts is None:
            parent.ghosts = {}
        parent.ghosts[node.name] = node

    def relink(self, node: Node, parent: Node, name: bytes) -> None:
        """A directory was renamed: it and all below it is now at parent/name.

        The entries of both parents are the caller's affair (`remove`, `add`).
        """
        old, place = node.parent, node.name
        if old is not None:
            ghost = old.ghosts.get(place) if old.ghosts else None
            if ghost is None:
                ghost = Node(old, place)
                if old.ghosts is None:
                    old.ghosts = {}
                old.ghosts[place] = ghost
            if ghost.left is None:
                ghost.left = []
            ghost.left.append((self.tick, node))
            ghost.latest = self.tick
            self._touches += 1
        if parent.ghosts:
            replaced = parent.ghosts.pop(name, None)
            if replaced is not None:
                node.left = (node.left or []) + [(self.tick, replaced)]
        node.parent, node.name, node.born = parent, name, self.tick
        for below in node.subtree():
            below.prefix = None
        self._raise_latest(node)

    def age_out(self) -> None:
        """Drop old tombstones once there are many; clocks before `floor` are void.

        Called between batches. The cost is the tree's size once in `TOUCH_LIMIT`
        touches, so it does not grow per change.
        """
        if self._touches < TOUCH_LIMIT:
            if self._touches < TOUCH_LIMIT // 2:
                self._half = self.tick
            return
        self.floor = self._half
        self._half = self.tick
        self._touches = _forget(self.root, self.floor)


def _forget(root: Node, floor: int) -> int:
    """Forget touches up to `floor` everywhere; how many are left."""
    left = 0
    stack = [root]
    while stack:
        node = stack.pop()
        if node.touched:
            kept = {n: t for n, t in node.touched.items() if t[0] > floor}
            node.touched = kept or None
            left += len(kept)
        if node.left:
            node.left = [gone for gone in node.left if gone[0] > floor] or None
        if node.ghosts:
            node.ghosts = {
                n: ghost for n, ghost in node.ghosts.items() if ghost.latest > floor
            } or None
            stack.extend((node.ghosts or {}).values())
        stack.extend(node.children())
    return left

"""What a client asked for, and who is told of what: subscriptions, and their audiences.

Knows nothing of how a path is found on the disk (`binding`) or noticed (`coverage`).
"""

from enum import Enum
from typing import Protocol
from weakref import WeakValueDictionary

from gamin.core.model.audience import Audience
from gamin.core.model.node import Node

Place = tuple[Node | None, bytes | None, int]
"""Where a path leads: a directory, or a directory and an entry of it that is none, or
nowhere; and the tick since which that very directory is there."""


class Scope(Enum):
    """How far down a subscription reaches."""

    FILE = "the path itself"
    DIRECTORY = "the path and its entries"
    TREE = "the path and everything below it"


class Ignore(Protocol):
    """Rules that prune a tree; `path` is relative to the subscription's root."""

    @property
    def is_empty(self) -> bool: ...

    def ignored(self, path: bytes, is_dir: bool) -> bool: ...


class Subscription:
    """One thing one client wants to be told of.

    `path` is as the client wrote it, absolute. Where that leads on the disk is in
    `node` (a directory) or in `node` and `entry`; `node` None says there is nothing.
    """

    __slots__ = (
        "behind",
        "blocked",
        "client",
        "client_key",
        "cross_mounts",
        "current_target",
        "directory_events_only",
        "entry",
        "excluded_mounts",
        "ignore",
        "last_change",
        "node",
        "own_audience",
        "path",
        "pending_scans",
        "prefix",
        "ready",
        "resolve_path",
        "resolved",
        "scope",
        "sent_target",
        "since",
        "steps",
        "target_replaced",
        "target_tick",
    )

    def __init__(
        self,
        client: int,
        number: int | str,
        path: bytes,
        scope: Scope,
        *,
        directory_events_only: bool = False,
        ignore: Ignore | None = None,
        cross_mounts: bool = False,
        way: bytes | None = None,
    ) -> None:
        self.client = client
        self.client_key = number
        """The client's own name for it: a request number, or a subscription's name."""
        self.path = path
        self.resolve_path = path if way is None else way
        """The absolute path to follow, where the client's own is relative."""
        self.scope = scope
        self.directory_events_only = directory_events_only
        """As version 1 of the protocol wants it: a directory that went away says it
        all, its entries are not told one by one; and a file is no directory."""
        self.ignore = ignore
        self.cross_mounts = cross_mounts
        self.excluded_mounts: frozenset[bytes] = frozenset()
        """Mount points below it, which a tree does not enter unless asked to."""

        # Where it leads (kept by `binding`).
        self.steps: list[tuple[Node, bytes]] = []
        """Directories and names on the way; a change of one means to look again."""
        self.node: Node | None = None
        self.entry: bytes | None = None
        """The name in `node`, when what is there is not a directory."""
        self.prefix = b""
        """The path of the directory it leads to, or led to last, with a slash."""
        self.target_tick = 0
        """`node.created_tick` when it was bound: another one is another directory, or a
        file in another directory."""
        self.blocked = False
        """The way leads through a directory that no kernel watch covers."""
        self.resolved = False
        """The first look is over."""

        # What its client knows (kept by `monitor` and `outbox`).
        self.pending_scans = 0
        """Directories of a tree that are still to be listed before it is ready."""
        self.ready = False
        self.behind = True
        """Not told live: its client gets the difference when it reads again."""
        self.since = 0
        """The tick up to which it was told, while it is waiting."""
        self.sent_target: Place | None = None
        """Where the client believes it leads; None before the first telling."""
        self.current_target: Place | None = None
        """Where it led when its audience was last told; `told` lags behind it."""
        self.target_replaced = False
        """Another object came to bear the name it is bound to."""
        self.last_change = 0
        """The tick at which the entry it is bound to last changed."""
        self.own_audience: Audience = Audience((self,))

    def __repr__(self) -> str:
        return (
            f"<Subscription {self.client}:{self.client_key} {self.path!r} {self.scope}>"
        )

    @property
    def target(self) -> Place:
        """Where it leads now, comparable with `told`."""
        return self.node, self.entry, self.target_tick

    @property
    def exists_for_client(self) -> bool:
        """Its client was told that there is something, or is told that next."""
        return self.current_target is not None and self.current_target[0] is not None

    @property
    def bound_directory(self) -> Node | None:
        """The directory whose entries it is about, if there is one."""
        return self.node if self.entry is None else None

    @property
    def is_unfiltered(self) -> bool:
        """Whether everything below it belongs to it."""
        return not self.excluded_mounts and (
            self.ignore is None or self.ignore.is_empty
        )

    def covers_directory(self, path: bytes) -> bool:
        """Whether the subdirectory `path` of its tree belongs to it."""
        if path in self.excluded_mounts:
            return False
        ignore = self.ignore
        if ignore is None or ignore.is_empty:
            return True
        return not ignore.ignored(path[len(self.prefix) :], True)

    def covers_entry(self, path: bytes, is_dir: bool) -> bool:
        """Whether an entry of a directory of its scope is told."""
        ignore = self.ignore
        if ignore is None or ignore.is_empty:
            return True
        return not ignore.ignored(path[len(self.prefix) :], is_dir)


class Audiences:
    """Makes each audience once, so that equality is identity.

    It keeps none alive: of the thousands that a directory has while it gets thousands
    of subscriptions, each as long as its number, only the last is of use.
    """

    def __init__(self) -> None:
        self._known: WeakValueDictionary[
            tuple[tuple[Subscription, ...], tuple[Subscription, ...]], Audience
        ] = WeakValueDictionary()
        self.nobody = self.of((), ())

    def of(
        self, subscriptions: tuple[Subscription, ...], deep: tuple[Subscription, ...]
    ) -> Audience:
        key = (subscriptions, deep)
        audience = self._known.get(key)
        if audience is None:
            audience = self._known[key] = Audience(subscriptions, deep)
        return audience

    def forget(self, node: Node) -> None:
        """Have the audience of a directory computed again when it is needed."""
        node.audience = None

    def forget_below(self, node: Node) -> None:
        """`forget` the directory and all below it."""
        for below in node.subtree():
            below.audience = None

    def has_any(self, node: Node) -> bool:
        """Whether anybody is told of the entries of `node`, without computing who."""
        audience: Audience | None = node.audience
        if audience is None:
            for subscription in node.subscriptions or ():
                if subscription.scope is not Scope.FILE:
                    return True
            audience = self.on(node)
        return bool(audience.subscriptions)

    def on(self, node: Node) -> Audience:
        """Who is told of the entries of `node`; computed once and kept there."""
        audience: Audience | None = node.audience
        if audience is not None:
            return audience
        unknown = [node]  # a loop and not recursion: trees may be 2,000 deep
        while (above := unknown[-1].parent) is not None and above.audience is None:
            unknown.append(above)
        for lower in reversed(unknown):
            lower.audience = self._compute(lower)
        computed: Audience = node.audience
        return computed

    def _compute(self, node: Node) -> Audience:
        own = node.subscriptions or ()
        deep = [s for s in own if s.scope is Scope.TREE]
        # A tree reaches as far as directories are listed: whoever was not told of a
        # directory is not told of what is in it.
        parent = node.parent
        if (
            parent is not None
            and parent.listed
            and (above := parent.audience.recursive)
        ):
            path = node.path()
            deep += [s for s in above if s.covers_directory(path)]
        told = [s for s in own if s.scope is Scope.DIRECTORY]
        return self.of((*told, *deep), tuple(deep))

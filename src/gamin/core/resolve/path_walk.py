"""Finds what a subscription's path leads to, and detects when that changes.

A path is followed as the kernel does it, one name after the other, through symlinks.
Each directory on the path is watched before its entry is probed, and the subscription
is registered for that name (`Node.path_waiters`): when the name comes, goes or is
renamed, the path is walked again. So a path that does not exist waits at its nearest
existing ancestor without polling, a parent that is renamed away is detected at any
depth, and a re-pointed symlink leads to the new place. Only real directories have
nodes, so two paths to one directory share it.

`apply.target_change` reports what a changed target means to subscribers.
"""

from collections.abc import Iterable

from gamin.core.coverage.need import Coverage
from gamin.core.effects import DENIED, Effect, Probe, Scan, Watch
from gamin.core.model.node import Node
from gamin.core.model.subscription import Scope, Subscription
from gamin.core.model.tree import Tree

_NEVER = 1 << 63
"""Ns of real time that no ctime reaches, in the year 2262."""

MAX_LINKS = 40
"""Symlinks followed on one path: the kernel's MAXSYMLINKS (man 7 path_resolution)."""

Found = bool | bytes | None
"""What a `Probe` found: None for nothing, bytes for the target of a symlink, else
whether it is a directory."""


class _Walk:
    """One walk along a subscription's path, waiting for the answer to a `Probe`."""

    __slots__ = ("at", "links", "old", "rest")

    def __init__(self, root: Node, path: bytes, old: list[tuple[Node, bytes]]) -> None:
        self.at = root
        self.rest = _names(path)
        self.links = 0
        self.old = old
        """The steps of earlier walks, which are released when this one is over."""


def _names(path: bytes) -> list[bytes]:
    """The names of a path, last one first, so that `pop` takes the next."""
    return [name for name in reversed(path.split(b"/")) if name not in (b"", b".")]


class PathResolver:
    """The walks under way, and the subscriptions whose path must be walked again."""

    def __init__(self, tree: Tree, coverage: Coverage, effects: list[Effect]) -> None:
        self._tree = tree
        self._effects = effects
        self._coverage = coverage
        self._walks: dict[Subscription, _Walk] = {}
        self.pending: dict[Subscription, None] = {}
        """Subscriptions whose path must be walked again in this operation."""
        self._invalidated: dict[Subscription, int] = {}
        """Those whose next walk probes every name; with the ctime (ns) from which on
        what is found counts as replaced."""
        self.blocked: dict[Subscription, int] = {}
        """Those whose path leads through a directory that nothing can watch, or to
        where an error keeps us from looking: walked again every second. With the ctime
        (ns) from which on what is found then counts as replaced."""

    def changed_at(self, node: Node, name: bytes, *, is_creation: bool = False) -> None:
        """The entry came, went or may now be passable: walk the paths again that lead
        through it or to it.

        A plain creation replaces nothing: an entry that is known was probed and
        reported before its event was read."""
        if node.path_waiters is not None:
            for subscription in node.path_waiters.get(name, ()):
                self.pending[subscription] = None
                if subscription.steps[-1] == (node, name) and not is_creation:
                    subscription.resolution.mark_replaced()

    def scan_place_of(self, node: Node) -> None:
        """Find out what is now in the place of a directory that is not there."""
        parent = node.parent
        if parent is not None and parent.listed:
            self._effects.append(Scan(parent, None))
        elif parent is not None:
            self.changed_at(parent, node.name)

    def resolve_again(self, subscription: Subscription) -> None:
        """Walk its path again at the end of this operation."""
        self.pending[subscription] = None

    def invalidate(self, subscription: Subscription, changed_since_ns: int) -> None:
        """Events were lost: walk its path again and probe every name.

        What the path leads to counts as replaced if its ctime (ns) is at or after
        `changed_since_ns`.
        """
        self.pending[subscription] = None
        self._invalidated[subscription] = changed_since_ns

    def block(self, subscriptions: Iterable[Subscription]) -> None:
        """Their paths lead through a directory that nothing can watch."""
        for subscription in subscriptions:
            subscription.resolution.block()
            self.blocked.setdefault(subscription, _NEVER)

    def retry_blocked(self) -> None:
        """Walk the paths again that could not be walked to their end, save for those
        whose walk is under way."""
        self.retry([each for each in self.blocked if each not in self._walks])

    def retry(self, subscriptions: Iterable[Subscription]) -> None:
        """Walk paths again that lead through an unreadable directory.

        Behind it there may be another directory by now, so what is there is watched
        again.
        """
        for subscription in subscriptions:
            self.invalidate(subscription, self.blocked.get(subscription, _NEVER))
            is_behind = False
            walk = self._walks.get(subscription)
            # A walk that is under way has few steps yet, and none behind the directory.
            earlier = [] if walk is None else walk.old
            for node, _ in earlier + subscription.steps:
                if is_behind:
                    self._effects.append(Watch(node))
                is_behind = is_behind or node.unreadable
            if is_behind and subscription.bound_directory is not None:
                self._effects.append(Watch(subscription.bound_directory))

    def take_pending(self) -> list[Subscription]:
        """The subscriptions whose paths must be walked again; none is pending then."""
        pending, self.pending = list(self.pending), {}
        return pending

    def start(self, subscription: Subscription) -> None:
        """Walk the path from the start. `is_settled` says when the walk is over."""
        old = self._abandon(subscription)
        subscription.resolution.start_walk()
        walk = _Walk(self._tree.root, subscription.request.resolve_path, old)
        self._walks[subscription] = walk
        self._go_on(subscription)

    def probed(
        self,
        subscription: Subscription,
        node: Node,
        name: bytes,
        found: Found,
        error: int = 0,
    ) -> None:
        """The answer to a `Probe`; ignored if that walk was abandoned meanwhile. An
        `error` says nothing of what is at the name."""
        walk = self._walks.get(subscription)
        if walk is None or walk.at is not node or not walk.rest:
            return
        if walk.rest[-1] != name:
            return
        walk.rest.pop()
        if error:
            self._cannot_look(subscription, error)
            return
        if isinstance(found, bytes):
            walk.links += 1
            if walk.links > MAX_LINKS or not found:
                self._finish_walk(subscription, None, None)
                return
            walk.rest += _names(found)
            if found.startswith(b"/"):
                walk.at = self._tree.root
        elif found is None:
            self._finish_walk(subscription, None, None)
            return
        elif found:
            walk.at = self._coverage.ensure_child(node, name)
        else:
            path = subscription.request.resolve_path
            if walk.rest or path.endswith(b"/"):
                self._finish_walk(subscription, None, None)
            else:
                self._finish_walk(subscription, node, name)
            return
        self._go_on(subscription)

    def _cannot_look(self, subscription: Subscription, error: int) -> None:
        """End the walk; what the path is known to lead to is neither gone nor there for
        certain. Where nothing is known, nothing is there as far as one can see."""
        if subscription.node is None:
            if error not in DENIED:
                subscription.resolution.block()
            self._finish_walk(subscription, None, None)
            return
        walk = self._walks.pop(subscription)
        begun = subscription.resolution.take_steps()
        subscription.resolution.restore_steps(walk.old)
        self._release(subscription, begun)
        since = self._invalidated.pop(subscription, _NEVER)
        if subscription.resolution.take_replaced():
            since = 1  # the walk that comes to the end is to say so
        self.blocked[subscription] = min(self.blocked.get(subscription, _NEVER), since)

    def is_settled(self, subscription: Subscription) -> bool:
        """Whether no walk of its path is under way."""
        return subscription not in self._walks

    def end(self, subscription: Subscription) -> None:
        """The subscription ends: nothing waits for names on its path any more."""
        self.pending.pop(subscription, None)
        self._invalidated.pop(subscription, None)
        self.blocked.pop(subscription, None)
        self._release(subscription, self._abandon(subscription))

    def _abandon(self, subscription: Subscription) -> list[tuple[Node, bytes]]:
        """All its steps, also those of an abandoned walk; it has none afterwards."""
        walk = self._walks.pop(subscription, None)
        old = subscription.resolution.take_steps()
        return old if walk is None else old + walk.old

    def _go_on(self, subscription: Subscription) -> None:
        walk = self._walks[subscription]
        while walk.rest:
            node, name = walk.at, walk.rest[-1]
            if name == b"..":
                walk.at = node.parent or node
                walk.rest.pop()
                continue
            self._add_step(subscription, node, name)
            child = node.child(name)
            changed_since_ns = self._invalidated.get(subscription, 0)
            if child is None or not child.is_watched or changed_since_ns:
                self._effects.append(Probe(subscription, node, name, changed_since_ns))
                return
            walk.at = child
            walk.rest.pop()
        self._finish_walk(subscription, walk.at, None)

    def _add_step(self, subscription: Subscription, node: Node, name: bytes) -> None:
        subscription.steps.append((node, name))
        if node.path_waiters is None:
            node.path_waiters = {}
        awaited_names = node.path_waiters.setdefault(name, {})
        awaited_names[subscription] = awaited_names.get(subscription, 0) + 1
        self._coverage.refresh(node)
        if node.unreadable:
            subscription.resolution.block()

    def _release(
        self, subscription: Subscription, steps: list[tuple[Node, bytes]]
    ) -> None:
        for node, name in steps:
            if node.path_waiters is None or name not in node.path_waiters:
                continue
            awaited_names = node.path_waiters[name]
            awaited_names[subscription] -= 1
            if not awaited_names[subscription]:
                del awaited_names[subscription]
            if not awaited_names:
                del node.path_waiters[name]
                node.path_waiters = node.path_waiters or None
            self._coverage.mark_for_release(node)

    def _finish_walk(
        self, subscription: Subscription, node: Node | None, entry: bytes | None
    ) -> None:
        """The walk is over: bind the subscription to what it found."""
        self._release(subscription, self._walks.pop(subscription).old)
        self._invalidated.pop(subscription, None)
        if subscription.resolution.blocked:
            self.blocked[subscription] = _NEVER
        else:
            self.blocked.pop(subscription, None)
        only_directory = (
            subscription.directory_events_only and subscription.scope is not Scope.FILE
        )
        if only_directory and entry is not None:
            node = entry = None  # a file in its place: not there
        born = node.created_tick if node is not None else 0
        is_same = (node, entry, born) == subscription.target.place
        if not (is_same and subscription.resolution.is_resolved):
            subscription.resolution.finish()
            self._coverage.bind(subscription, node, entry)

    def mark_replaced(self, subscription: Subscription) -> None:
        """A probe found another object at the name that the path leads to."""
        subscription.resolution.mark_replaced()

    def take_replaced(self, subscription: Subscription) -> bool:
        """Whether another object took that name since this was asked last."""
        return subscription.resolution.take_replaced()

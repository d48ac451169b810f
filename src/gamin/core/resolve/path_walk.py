"""Finding what a subscription's path leads to, and noticing when that changes.

A path is followed the way the kernel does it, one name after the other, through
symlinks. Every directory on the way is watched before its entry is looked at, and the
entry is hooked: when that name comes, goes or is renamed, the way is walked again. So
a path that does not exist waits at its nearest existing ancestor without polling, a
parent that is renamed away is noticed at any depth, and a re-pointed symlink leads to
the new place. Only real directories have nodes, so two ways to one directory share it.

What the change of a binding means to a client is `monitor`'s affair.
"""

from collections.abc import Iterable

from gamin.core.coverage.need import Coverage
from gamin.core.effects import Effect, Look, Watch
from gamin.core.model.node import Node
from gamin.core.model.subscription import Scope, Subscription
from gamin.core.model.tree import Tree

_NEVER = 1 << 63  # nanoseconds of real time, in the year 2262

MAX_LINKS = 40  # as the kernel's MAXSYMLINKS (man 7 path_resolution)

Found = bool | bytes | None
"""What `Look` found: None nothing, bytes a symlink's target, else whether it is a
directory."""


class _Walk:
    """One walk along a subscription's path, waiting for the answer to a `Look`."""

    __slots__ = ("at", "links", "old", "rest")

    def __init__(self, root: Node, path: bytes, old: list[tuple[Node, bytes]]) -> None:
        self.at = root
        self.rest = _names(path)
        self.links = 0
        self.old = old
        """The hops of earlier walks, which are let go of when this one is over."""


def _names(path: bytes) -> list[bytes]:
    """The names of a path, last one first, so that `pop` takes the next."""
    return [name for name in reversed(path.split(b"/")) if name not in (b"", b".")]


class Bindings:
    """Walks, hooks, and the subscriptions whose way must be walked again."""

    def __init__(self, tree: Tree, coverage: Coverage, effects: list[Effect]) -> None:
        self._tree = tree
        self._effects = effects
        self._coverage = coverage
        self._walks: dict[Subscription, _Walk] = {}
        self.dirty_ones: dict[Subscription, None] = {}
        self._distrusted: dict[Subscription, int] = {}
        self.blocked: set[Subscription] = set()
        """Those whose way no kernel watch covers: to be walked again every second."""

    def changed_at(self, node: Node, name: bytes, *, is_creation: bool = False) -> None:
        """The entry came, went or may now be passable; its hooks are to be walked.

        A plain creation replaces nothing: one whose entry is known was looked at, and
        told, before its event came.
        """
        if node.hooks is not None:
            for subscription in node.hooks.get(name, ()):
                self.dirty_ones[subscription] = None
                if subscription.hops[-1] == (node, name) and not is_creation:
                    subscription.replaced = True

    def dirty(self, subscription: Subscription) -> None:
        self.dirty_ones[subscription] = None

    def distrust(self, subscription: Subscription, verify: int) -> None:
        """Events were lost: its next walk believes nothing that is not looked at.

        What it is bound to counts as replaced if its ctime is `verify` (ns) or later.
        """
        self.dirty_ones[subscription] = None
        self._distrusted[subscription] = verify

    def block(self, subscriptions: Iterable[Subscription]) -> None:
        """Their ways lead through a directory that nothing can watch."""
        for subscription in subscriptions:
            subscription.blocked = True
            self.blocked.add(subscription)

    def look_again(self, subscriptions: Iterable[Subscription]) -> None:
        """Walk the ways again that lead through what may not be read.

        What is behind it is perhaps another directory by now, so it is watched anew.
        """
        for subscription in subscriptions:
            self.distrust(subscription, _NEVER)
            is_behind = False
            for node, _ in subscription.hops:
                if is_behind:
                    self._effects.append(Watch(node))
                is_behind = is_behind or node.blind
            if is_behind and subscription.bound_directory is not None:
                self._effects.append(Watch(subscription.bound_directory))

    def take_dirty(self) -> list[Subscription]:
        dirty, self.dirty_ones = list(self.dirty_ones), {}
        return dirty

    def start(self, subscription: Subscription) -> None:
        """Walk the path from the start. `is_settled` says when the walk is over."""
        old = self._given_up(subscription)
        subscription.blocked = False
        walk = _Walk(self._tree.root, subscription.way, old)
        self._walks[subscription] = walk
        self._go_on(subscription)

    def looked(
        self, subscription: Subscription, node: Node, name: bytes, found: Found
    ) -> None:
        """The answer to a `Look`; answers to a walk given up meanwhile are void."""
        walk = self._walks.get(subscription)
        if walk is None or walk.at is not node or not walk.rest:
            return
        if walk.rest[-1] != name:
            return
        walk.rest.pop()
        if isinstance(found, bytes):
            walk.links += 1
            if walk.links > MAX_LINKS or not found:
                self._arrive(subscription, None, None)
                return
            walk.rest += _names(found)
            if found.startswith(b"/"):
                walk.at = self._tree.root
        elif found is None:
            self._arrive(subscription, None, None)
            return
        elif found:
            walk.at = self._coverage.step_into(node, name)
        else:
            ends = not walk.rest and not subscription.way.endswith(b"/")
            self._arrive(subscription, node if ends else None, name if ends else None)
            return
        self._go_on(subscription)

    def is_settled(self, subscription: Subscription) -> bool:
        return subscription not in self._walks

    def end(self, subscription: Subscription) -> None:
        """The subscription is cancelled: take its hooks away."""
        self.dirty_ones.pop(subscription, None)
        self._distrusted.pop(subscription, None)
        self.blocked.discard(subscription)
        self._release(subscription, self._given_up(subscription))

    def _given_up(self, subscription: Subscription) -> list[tuple[Node, bytes]]:
        """All its hops, also those of a walk that is not over; it has none then."""
        walk = self._walks.pop(subscription, None)
        old, subscription.hops = subscription.hops, []
        return old if walk is None else old + walk.old

    def _go_on(self, subscription: Subscription) -> None:
        walk = self._walks[subscription]
        while walk.rest:
            node, name = walk.at, walk.rest[-1]
            if name == b"..":
                walk.at = node.parent or node
                walk.rest.pop()
                continue
            self._hook(subscription, node, name)
            child = node.child(name)
            verify = self._distrusted.get(subscription, 0)
            if child is None or not child.is_noticed or verify:
                self._effects.append(Look(subscription, node, name, verify))
                return
            walk.at = child
            walk.rest.pop()
        self._arrive(subscription, walk.at, None)

    def _hook(self, subscription: Subscription, node: Node, name: bytes) -> None:
        subscription.hops.append((node, name))
        if node.hooks is None:
            node.hooks = {}
        hooked = node.hooks.setdefault(name, {})
        hooked[subscription] = hooked.get(subscription, 0) + 1
        self._coverage.refresh(node)
        if node.blind:
            subscription.blocked = True

    def _release(
        self, subscription: Subscription, hops: list[tuple[Node, bytes]]
    ) -> None:
        for node, name in hops:
            if node.hooks is None or name not in node.hooks:
                continue
            hooked = node.hooks[name]
            hooked[subscription] -= 1
            if not hooked[subscription]:
                del hooked[subscription]
            if not hooked:
                del node.hooks[name]
                node.hooks = node.hooks or None
            self._coverage.check(node)

    def _arrive(
        self, subscription: Subscription, node: Node | None, entry: bytes | None
    ) -> None:
        """The walk is over; the old binding is replaced by the new one."""
        self._release(subscription, self._walks.pop(subscription).old)
        self._distrusted.pop(subscription, None)
        if subscription.blocked:
            self.blocked.add(subscription)
        else:
            self.blocked.discard(subscription)
        only_directory = subscription.terse and subscription.scope is not Scope.FILE
        if only_directory and entry is not None:
            node = entry = None  # a file in its place: not there
        born = node.born if node is not None else 0
        if (node, entry, born) == subscription.place and subscription.resolved:
            return
        self._coverage.detach(subscription)
        subscription.resolved = True
        subscription.node, subscription.entry = node, entry
        subscription.incarnation = born
        self._coverage.attach(subscription)

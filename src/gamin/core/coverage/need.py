"""Decides which directories have a node, and what each must be watched for.

A directory is needed while a subscription is bound to it, has its path lead through it,
or reaches it as part of a tree. The mask follows from that; `method` says how it is
watched.
"""

from gamin.config.policy import Policy
from gamin.core.coverage.method import FULL, NAMES, WatchMethod
from gamin.core.coverage.registers import Registers
from gamin.core.effects import Cover, Effect, Scan, Unwatch, Watch
from gamin.core.model.audiences import Audiences
from gamin.core.model.node import SUBDIR, Node
from gamin.core.model.subscription import Scope, Subscription
from gamin.core.model.tree import Tree
from gamin.paths import is_within

COVER_BATCH = 128
"""Directories of a watched tree that a subscription covers before others get a turn."""
RELEASE_BATCH = 128
"""Directories that are looked at for a release before others get a turn."""


class Coverage:
    def __init__(
        self, tree: Tree, audiences: Audiences, policy: Policy, effects: list[Effect]
    ) -> None:
        self._tree = tree
        self._audiences = audiences
        self._effects = effects
        self.registers: Registers = Registers()
        self.method: WatchMethod = WatchMethod(tree, self.registers, policy, effects)
        self.release_candidates: dict[Node, None] = {}
        self._left: list[Node] = []
        """Directories of trees whose subscription has ended, still to be looked at."""

    # -- nodes

    def ensure_child(self, node: Node, name: bytes) -> Node:
        """The node of a subdirectory that is known to exist."""
        child = node.child(name)
        if child is None:
            child = self.make_child(node, name, self._born(node, name))
            node.names[name] = child
        return child

    def make_child(self, node: Node, name: bytes, born: int) -> Node:
        """The node of a subdirectory that has none, which the caller adds to the names.

        It may be one that went away and came back: all that was decided for it is
        decided again.
        """
        child = self._tree.make_child(node, name, born)
        self._audiences.forget(child)
        self.method.forget_decision(child)
        return child

    def _born(self, node: Node, name: bytes) -> int:
        if not node.listed:
            return self._tree.tick  # what is known of the name is not recent
        touch = (node.history or {}).get(name)
        return 0 if touch is None else touch[1]

    def mark_for_release(self, node: Node) -> None:
        """Check at the end of this operation whether the node is still needed."""
        self.release_candidates[node] = None

    def release_unneeded(self) -> None:
        """Remove marked nodes that nobody needs any more, and parents that only had
        these: some at a time, for a large tree has many."""
        left = RELEASE_BATCH
        if self._left:
            left -= self._leave_some(left)
        while self.release_candidates and left:
            left -= 1
            node = self.release_candidates.popitem()[0]
            if node.parent is not None and node.parent.child(node.name) is not node:
                continue  # its directory is gone
            self.refresh(node)
            if node.mask or node.parent is None or any(node.children()):
                continue
            parent = node.parent
            if parent.listed:
                parent.names[node.name] = SUBDIR
            else:
                del parent.names[node.name]
                if self._audiences.has_any(parent):  # what was in it may be asked for
                    self._tree.keep_tombstone(node)
            self.release_candidates[parent] = None

    def _leave_some(self, most: int) -> int:
        """Take an ended subscription out of the audiences of so many directories at
        most, and mark them; return how many there were.

        From above, for an audience is computed from the one above it. Until then rows
        are made for the subscription as well, and nobody takes them.
        """
        done = 0
        while self._left and done < most:
            done += 1
            node = self._left.pop()
            self._audiences.forget(node)
            self.release_candidates[node] = None
            self._left.extend(node.children())
        return done

    # -- who is bound where

    def bind(
        self, subscription: Subscription, node: Node | None, entry: bytes | None
    ) -> None:
        """The subscription's path leads there now, and not where it led before."""
        self.detach(subscription)
        subscription.target.bind(node, entry)
        self._attach(subscription)

    def _attach(self, subscription: Subscription) -> None:
        node = subscription.node
        if node is None:
            return
        if subscription.entry is not None:
            # `Node.path_waiters` finds it. One directory may have 65,000 of these, and
            # whatever happens in it must not ask each of them.
            node.files += 1
            self.refresh(node)
            return
        if node.subscriptions is None:
            node.subscriptions = {}
        node.subscriptions[subscription] = None
        subscription.target.set_prefix(node.path_prefix())
        if subscription.scope is Scope.FILE:
            self.refresh(node)
        else:
            self.stop_at_mounts(subscription)
            if subscription.ready:  # what happens from now on is reported to it
                self._forget_audiences(node, subscription.scope)
            self.cover(node, subscription)

    def stop_at_mounts(self, subscription: Subscription) -> None:
        """Exclude other file systems from a tree; if its request includes them, only
        those that the kernel makes up."""
        if subscription.bound_directory is not None:
            subscription.target.exclude_mounts(self.mounts_within(subscription))

    def mounts_within(self, subscription: Subscription) -> frozenset[bytes]:
        """The mount points at which a tree ends."""
        node = subscription.bound_directory
        if node is None:
            return frozenset()
        policy = self.method.policy
        crosses = subscription.request.cross_mounts
        points = policy.pseudo_points() if crosses else policy.mount_points()
        below = (point for point in points if is_within(point, node.path()))
        return frozenset(below) - {node.path()}

    def end(self, subscription: Subscription) -> None:
        """The subscription ends."""
        top = subscription.bound_directory
        if top is None or subscription.scope is not Scope.TREE:
            self.detach(subscription)
            return
        subscription.target.release()
        if top.subscriptions is not None:
            top.subscriptions.pop(subscription, None)
            top.subscriptions = top.subscriptions or None
        self._left.append(top)
        self.release_candidates[top] = None

    def detach(self, subscription: Subscription) -> None:
        """Undo `bind`: the path leads elsewhere."""
        node = subscription.node
        if node is None:
            return
        subscription.target.release()
        if node.subscriptions is not None and subscription in node.subscriptions:
            del node.subscriptions[subscription]
            node.subscriptions = node.subscriptions or None
        if subscription.entry is not None:
            node.files -= 1
            self.mark_for_release(node)
        else:
            self._forget_audiences(node, subscription.scope)
            if subscription.scope is Scope.TREE:
                self.release_candidates.update(dict.fromkeys(node.subtree()))
            self.mark_for_release(node)

    def suspend(self, subscription: Subscription) -> None:
        """The directory that the path led to has another path now. If a walk leads to
        it again, what happened meanwhile is to be reported then."""
        self.detach(subscription)
        subscription.progress.suspend(self._tree.tick)
        # What happens from now on has a later tick, in the same operation, too.
        self._tree.tick += 1

    def bound(self, node: Node) -> list[Subscription]:
        """All subscriptions bound to the directory, or to an entry of it."""
        found: dict[Subscription, None] = dict(node.subscriptions or {})
        if node.files:
            for awaited_names in (node.path_waiters or {}).values():
                found |= {s: None for s in awaited_names if s.node is node}
        return list(found)

    def _forget_audiences(self, node: Node, scope: Scope) -> None:
        if scope is Scope.TREE:
            self._audiences.forget_below(node)
        elif scope is Scope.DIRECTORY:
            self._audiences.forget(node)

    def cover(self, node: Node, subscription: Subscription) -> None:
        """Watch and list what the subscription covers from `node` downwards.

        Directories that are listed already make no effect, so a second subscription to
        a watched tree only reads it: in parts, each asked for by a `Cover`.
        """
        self.cover_more(Cover(subscription, [node]))

    def cover_more(self, effect: Cover) -> None:
        """Go on with a part of what `cover` began; what is gone, or not covered any
        more, is left out."""
        subscription, stack = effect
        top, left = subscription.bound_directory, COVER_BATCH
        while stack and left:
            left -= 1
            node = stack.pop()
            if top is None or not (top.contains(node) and node.is_linked):
                continue
            if not subscription.ready:
                self._audiences.forget(node)
            self.refresh(node)
            if not node.listed:
                subscription.progress.expect_scans(1)
                self._effects.append(Scan(node, subscription))
            elif subscription.scope is Scope.TREE:
                for name, known in list(node.entries.items()):
                    path = node.path_prefix() + name
                    if known and subscription.covers_directory(path):
                        stack.append(self.ensure_child(node, name))
        if stack:
            subscription.progress.expect_scans(1)
            self._effects.append(effect)

    # -- what each is watched for

    def refresh(self, node: Node) -> None:
        """Set the masks to what the node is needed for, and have the watch changed if
        they differ."""
        if node.listed and not self._audiences.has_any(node):
            self._tree.forget_entries(node)
        named_only_before = node.watches_named_entries_only
        node.watches_named_entries_only = not (
            node.subscriptions or self._audiences.has_any(node)
        )
        needed = self._needed_mask(node)
        if needed == node.mask:
            if (
                node.poll_mask
                and node.watches_named_entries_only
                and not named_only_before
            ):
                self._effects.append(Watch(node))
            return
        if needed:
            self.method.decide(node)
        node.mask = needed
        self.method.split(node)
        self._effects.append(Watch(node) if needed else Unwatch(node))

    def _needed_mask(self, node: Node) -> int:
        if node.files or self._audiences.has_any(node):
            return FULL
        return NAMES if node.path_waiters or node.subscriptions else 0

    def watch_fully(self, node: Node) -> None:
        """`refresh` for a directory that a tree is known to cover: the quick way."""
        if node.mask != FULL:
            self.method.decide(node)
            node.mask = FULL
            self.method.split(node)

    def drop(self, node: Node) -> None:
        """The directory is gone: end its watch and forget what was special about it."""
        if node.mask:
            node.mask = 0
            self.method.split(node)
            self._effects.append(Unwatch(node))
        self.registers.forget(node)

    def wants_entries(self, node: Node) -> bool:
        """Whether a subscription needs to know what is in the directory."""
        return node.mask != 0 and self._audiences.has_any(node)

    # -- directories that are not where they should be

    def unwatchable(self, effect: Watch | Scan, number: int) -> bool:
        """A watch or a scan failed with the errno `number`. Return whether what is in
        the directory's place must be found out now, because no event of its parent is
        sure to say so."""
        self.method.unwatchable(effect, number)
        node = effect.node
        parent = node.parent
        if parent is None or self.registers.misplaced.get(node) != 1:
            return False
        return parent.unreadable or not parent.kernel_mask

    def retry_misplaced(self) -> None:
        """Scan misplaced directories again.

        Usually their DELETE or rename was still in the queue. For one that is missing
        the second time its parent is scanned, which settles it.
        """
        for node, times in self.registers.take_misplaced().items():
            if not node.mask or node.parent is None:
                continue
            if times < 2:
                self.registers.suspect(node, times)
                self._effects.append(Scan(node, None))
            elif node.parent.listed:
                self._effects.append(Scan(node.parent, None))

"""Which directories have a node, what each is watched for, and by which means.

A node is needed while somebody is bound to it, passes through it, or reaches it as
part of a tree. The mask follows from that, the means from the policy. Decides only;
the shell watches.
"""

import errno

from gamin.config.gaminrc import Method
from gamin.config.policy import Decision, Policy
from gamin.core.effects import Effect, Scan, Trace, TraceKind, Unwatch, Watch
from gamin.core.model.node import SUBDIR, Node
from gamin.core.model.subscription import Audiences, Scope, Subscription
from gamin.core.model.tree import Tree
from gamin.events import (
    ATTRIB,
    CLOSE_WRITE,
    CREATE,
    DELETE,
    MODIFY,
    MOVED_FROM,
    MOVED_TO,
)
from gamin.paths import is_within

NAMES = CREATE | DELETE | MOVED_FROM | MOVED_TO | ATTRIB
"""For a directory that is only passed through. ATTRIB because an entry may become
passable by a chmod."""
CONTENT = MODIFY | CLOSE_WRITE
FULL = NAMES | CONTENT
CONTENT_AND_ATTRIB = CONTENT | ATTRIB
"""What a hammered file makes many of."""

_NO_ROOM = {errno.ENOSPC, errno.ENOMEM, errno.EMFILE, errno.ENFILE}
_NOT_ALLOWED = {errno.EACCES, errno.EPERM}


class Coverage:
    """Nodes by need, and the effects that follow from a change of need."""

    def __init__(
        self, tree: Tree, audiences: Audiences, policy: Policy, effects: list[Effect]
    ) -> None:
        self._tree = tree
        self._audiences = audiences
        self._effects = effects
        self.release_candidates: dict[Node, None] = {}
        self.policy = policy
        self.over_quota: set[Node] = set()
        """Polled only because the kernel has no more watches for us."""
        self._tried_again: list[Node] = []
        self.longest_interval = 0.0
        """Seconds between two looks, at the most, of all that was ever polled."""
        self.misplaced: dict[Node, int] = {}
        """Not where they were believed to be, and how often that was found; to be
        tried again after a batch."""
        self.unreadable: set[Node] = set()
        self.unwatched_unreadable: set[Node] = set()
        """Those of them whose parent is only polled, where a right that was missing for
        less than a second has left no trace, or may not be read itself."""
        self.polled_for_churn: set[Node] = set()
        """Polled only, because of the coming and going in them."""
        self.polled_for_writes: set[Node] = set()
        """Their entries' content is polled, because one of them is hammered."""
        self.handed_to_polling: dict[Node, None] = {}
        """Given from the kernel to polling since its queue was last known to have lost
        nothing (`recovery` says when that is): polling takes what it finds for known,
        and so nobody would be told what was lost just before."""

    # -- nodes

    def ensure_child(self, node: Node, name: bytes) -> Node:
        """The node of a subdirectory that is known to exist."""
        child = node.child(name)
        if child is None:
            child = self._tree.make_child(node, name, self._born(node, name))
            node.names[name] = child
        return child

    def _born(self, node: Node, name: bytes) -> int:
        if not node.listed:
            return self._tree.tick  # whatever is known of the name is from the past
        touch = (node.history or {}).get(name)
        return 0 if touch is None else touch[1]

    def mark_for_release(self, node: Node) -> None:
        """Look at the end of this operation whether the node is still needed."""
        self.release_candidates[node] = None

    def release_unneeded(self) -> None:
        """Let go of what nobody needs any more, upwards."""
        while self.release_candidates:
            node = self.release_candidates.popitem()[0]
            if node.parent is not None and node.parent.child(node.name) is not node:
                continue  # buried already
            self.refresh(node)
            if node.mask or node.parent is None or any(node.children()):
                continue
            parent = node.parent
            if parent.listed:
                parent.names[node.name] = SUBDIR
            else:
                del parent.names[node.name]
            self.release_candidates[parent] = None

    # -- who is bound where

    def attach(self, subscription: Subscription) -> None:
        node = subscription.node
        if node is None:
            return
        if subscription.entry is not None:
            # Its hook finds it. One directory may have 65,000 such, and whatever
            # happens in it must not ask each of them.
            node.files += 1
            self.refresh(node)
            return
        if node.subscriptions is None:
            node.subscriptions = {}
        node.subscriptions[subscription] = None
        subscription.prefix = node.path_prefix()
        if subscription.scope is Scope.FILE:
            self.refresh(node)
        else:
            self.stop_at_mounts(subscription)
            self._invalidate(node, subscription.scope)
            self.cover(node, subscription)

    def stop_at_mounts(self, subscription: Subscription) -> None:
        """A tree does not enter other file systems unless asked to."""
        node = subscription.bound_directory
        if node is None or subscription.cross_mounts:
            return
        below = (p for p in self.policy.mount_points() if is_within(p, node.path()))
        subscription.excluded_mounts = frozenset(below) - {node.path()}

    def detach(self, subscription: Subscription) -> None:
        node = subscription.node
        if node is None:
            return
        subscription.node = None
        if node.subscriptions is not None and subscription in node.subscriptions:
            del node.subscriptions[subscription]
            node.subscriptions = node.subscriptions or None
        if subscription.entry is not None:
            node.files -= 1
            self.mark_for_release(node)
        else:
            self._invalidate(node, subscription.scope)
            if subscription.scope is Scope.TREE:
                self.release_candidates.update(dict.fromkeys(node.subtree()))
            self.mark_for_release(node)

    def bound(self, node: Node) -> list[Subscription]:
        """All that are bound to the directory, or to an entry of it."""
        found: dict[Subscription, None] = dict(node.subscriptions or {})
        if node.files:
            for awaited_names in (node.path_waiters or {}).values():
                found |= {s: None for s in awaited_names if s.node is node}
        return list(found)

    def _invalidate(self, node: Node, scope: Scope) -> None:
        if scope is Scope.TREE:
            for below in node.subtree():
                below.audience = None
        elif scope is Scope.DIRECTORY:
            node.audience = None

    def cover(self, node: Node, subscription: Subscription) -> None:
        """Watch and list what the subscription reaches from `node` downwards.

        Directories that are listed already cost no effect, so a second subscription
        on a watched tree only reads it.
        """
        stack = [node]
        deep = subscription.scope is Scope.TREE
        while stack:
            node = stack.pop()
            self.refresh(node)
            if not node.listed:
                subscription.pending_scans += 1
                self._effects.append(Scan(node, subscription))
                continue
            if not deep:
                return
            for name, known in list(node.names.items()):
                if known and subscription.covers_directory(node.path_prefix() + name):
                    stack.append(self.ensure_child(node, name))

    # -- what each is watched for

    def refresh(self, node: Node) -> None:
        """Bring the masks in line with who needs the node."""
        if node.listed and not self._audiences.has_any(node):
            self.forget_entries(node)
        was_narrow, node.watches_named_entries_only = (
            node.watches_named_entries_only,
            self._is_narrow(node),
        )
        wanted = self._need(node)
        if wanted == node.mask:
            if node.poll_mask and node.watches_named_entries_only and not was_narrow:
                self._effects.append(Watch(node))
            return
        if wanted and node.decision is None:
            self._decide(node)
        node.mask = wanted
        self.split_mask(node)
        self._effects.append(Watch(node) if wanted else Unwatch(node))

    def split_mask(self, node: Node) -> None:
        """Split what is wanted between the kernel and polling, by the decision."""
        decision: Decision = node.decision
        if not node.mask:
            node.kernel_mask = node.poll_mask = 0
            self._lost_interest(node)
            return
        kernel = poll = 0
        if decision.method is Method.KERNEL or decision.also_kernel:
            kernel = node.mask
        if decision.method is Method.POLL:
            poll = node.mask
            if poll == NAMES and self.policy.kernel_tells_names(node.path()):
                kernel, poll = poll, 0
        if node in self.over_quota or node in self.polled_for_churn:
            kernel, poll = 0, node.mask
        elif node in self.polled_for_writes:
            kernel, poll = (
                kernel & ~CONTENT_AND_ATTRIB,
                poll | node.mask & CONTENT_AND_ATTRIB,
            )
        if node.kernel_mask and not kernel:
            self.handed_to_polling[node] = None
        node.kernel_mask, node.poll_mask = kernel, poll
        node.interval = decision.interval if decision.method is Method.POLL else 1.0
        if poll and node.interval > self.longest_interval:
            self.longest_interval = node.interval

    def _is_narrow(self, node: Node) -> bool:
        """Whether all that are bound here are bound to entries."""
        return not node.subscriptions and not self._audiences.has_any(node)

    def _need(self, node: Node) -> int:
        if node.files or self._audiences.has_any(node):
            return FULL
        return NAMES if node.path_waiters or node.subscriptions else 0

    def _decide(self, node: Node) -> None:
        parent = node.parent
        if parent is not None and parent.uniform:
            node.decision, node.uniform = parent.decision, True
            return
        path = node.path()
        node.decision = self.policy.decide(path)
        node.uniform = self.policy.is_uniform_below(path)

    def forget_entries(self, node: Node) -> None:
        """Forget the names nobody needs; child nodes stay."""
        node.names = {child.name: child for child in node.children()}
        node.listed = False
        node.deferred = None
        node.history = None
        node.tombstones = None

    def _lost_interest(self, node: Node) -> None:
        self.over_quota.discard(node)
        self.unreadable.discard(node)
        self.unwatched_unreadable.discard(node)
        self.polled_for_churn.discard(node)
        self.polled_for_writes.discard(node)
        self.misplaced.pop(node, None)
        node.unreadable = False

    def has_default_method(self, node: Node) -> bool:
        """Whether nothing but its decision says how it is noticed."""
        return not (
            node in self.over_quota
            or node in self.polled_for_churn
            or node in self.polled_for_writes
        )

    def watch_fully(self, node: Node) -> None:
        """`refresh` for a directory that a tree is known to reach: the quick way."""
        if node.mask != FULL:
            if node.decision is None:
                self._decide(node)
            node.mask = FULL
            self.split_mask(node)

    # -- what became of it

    def confirm_present(self, node: Node) -> None:
        """It was where it should be, and could be listed."""
        if self.misplaced:
            self.misplaced.pop(node, None)
        if node.unreadable:
            self.unreadable.discard(node)
            self.unwatched_unreadable.discard(node)
            node.unreadable = False

    def unwatchable(self, node: Node, number: int) -> None:
        """The kernel (or the file system) refused; find another way, or wait."""
        if not node.mask:
            return
        if number in _NO_ROOM and node not in self.over_quota:
            # One line says it for all that follow, and for what is tried again.
            if not (self.over_quota or node in self._tried_again):
                self._effects.append(Trace(TraceKind.NO_ROOM, node))
            self.over_quota.add(node)
            self.split_mask(node)
            self._effects.append(Watch(node))
        elif number in _NOT_ALLOWED:
            self.unreadable.add(node)
            node.unreadable = True
            parent = node.parent
            if parent is not None and (parent.unreadable or not parent.kernel_mask):
                self.unwatched_unreadable.add(node)
        else:
            self.misplaced[node] = self.misplaced.get(node, 0) + 1

    def is_missed(self, node: Node) -> bool:
        """It is not where it was believed to be, and no event of a parent that is
        only polled is sure to come and tell."""
        parent = node.parent
        if parent is None or self.misplaced.get(node) != 1:
            return False
        return parent.unreadable or not parent.kernel_mask

    def retry_adrift(self) -> None:
        """Look again for directories that were not where they were believed to be.

        Their DELETE or rename was still in the queue then, as a rule. One that is
        missing a second time has its parent listed, which settles it.
        """
        misplaced, self.misplaced = self.misplaced, {}
        for node, times in misplaced.items():
            if not node.mask or node.parent is None:
                continue
            if times < 2:
                self.misplaced[node] = times
                self._effects.append(Scan(node, None))
            elif node.parent.listed:
                self._effects.append(Scan(node.parent, None))

    def set_polling(self, node: Node, hot: set[Node], is_hot: bool) -> None:
        """A directory (or its content) became too hot for the kernel, or cooled down.

        Nothing is lost at either switch: the shell starts the new way before it ends
        the old one, and looks once more before it ends polling.
        """
        if is_hot is (node in hot) or not node.mask:
            return
        (hot.add if is_hot else hot.discard)(node)
        self.split_mask(node)
        self._effects.append(Watch(node))
        self._effects.append(
            Trace(TraceKind.FLOW_ON if is_hot else TraceKind.FLOW_OFF, node)
        )

    def poll_content(self, node: Node) -> None:
        self.set_polling(node, self.polled_for_writes, True)

    def poll_only(self, node: Node) -> None:
        self.set_polling(node, self.polled_for_churn, True)

    def room_again(self, count: int) -> list[Node]:
        """The kernel may have room for `count` more: try with these of those polled."""
        tried = self._tried_again = list(self.over_quota)[:count]
        for node in tried:
            self.over_quota.discard(node)
            self.split_mask(node)
            self._effects.append(Watch(node))
        return tried

    def reapply_policy(self, policy: Policy) -> None:
        """The rules or the mounts changed: decide anew for every directory."""
        self.policy = policy
        for node in self._tree.root.subtree():
            node.decision, node.uniform = None, False
        for node in self._tree.root.subtree():
            if not node.mask:
                continue
            before = (node.kernel_mask, node.poll_mask, node.interval)
            self._decide(node)
            self.split_mask(node)
            if (node.kernel_mask, node.poll_mask, node.interval) != before:
                self._effects.append(Watch(node))

    def drop(self, node: Node) -> None:
        """The directory is gone: whatever noticed it is over."""
        if node.mask:
            node.mask = node.kernel_mask = node.poll_mask = 0
            self._effects.append(Unwatch(node))
        self._lost_interest(node)

"""Decides how each directory is watched: by the kernel, by polling, or by both.

The policy decides; a full quota, missing rights and too many events override it.
"""

import errno
from typing import Final

from gamin.config.gaminrc import Method
from gamin.config.policy import Decision, Policy
from gamin.core.coverage.registers import Registers
from gamin.core.effects import Effect, Scan, Trace, TraceKind, Watch
from gamin.core.model.node import Node
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

NAMES: Final = CREATE | DELETE | MOVED_FROM | MOVED_TO | ATTRIB
"""Mask for a directory that a path only leads through. ATTRIB, because a chmod may make
an entry passable."""
CONTENT: Final = MODIFY | CLOSE_WRITE
"""Mask for changes of the content of entries."""
FULL: Final = NAMES | CONTENT
"""Mask for a directory of which everything is reported."""
CONTENT_AND_ATTRIB: Final = CONTENT | ATTRIB
"""Mask for what a constantly written file produces."""

_NO_ROOM = {errno.ENOSPC, errno.ENOMEM, errno.EMFILE, errno.ENFILE}
_NOT_ALLOWED = {errno.EACCES, errno.EPERM}
_NOT_THERE = {
    errno.ENOENT,
    errno.ENOTDIR,
    errno.ELOOP,
    errno.ENAMETOOLONG,
}
"""What the kernel answers where no such directory is. Any other error says nothing
about the directory, and passes."""


class WatchMethod:
    def __init__(
        self, tree: Tree, registers: Registers, policy: Policy, effects: list[Effect]
    ) -> None:
        self._tree = tree
        self._registers = registers
        self._effects = effects
        self.policy: Policy = policy
        self.longest_interval: float = 0.0
        """The longest interval (seconds) at which anything was polled so far."""

    # -- the policy

    def decide(self, node: Node) -> None:
        """Look up the policy's decision, if the directory has none yet."""
        if node.decision is not None:
            return
        parent = node.parent
        if parent is not None and parent.uniform:
            node.decision, node.uniform = parent.decision, True
            return
        path = node.path()
        node.decision = self.policy.decide(path)
        node.uniform = self.policy.is_uniform_below(path)

    def forget_decision(self, node: Node) -> None:
        """Another directory may have this place now."""
        node.decision, node.uniform = None, False

    def reapply_policy(self, policy: Policy) -> None:
        """The rules or the mounts changed: decide again for every directory."""
        self.policy = policy
        self._decide_again(self._tree.root)

    def on_moved(self, node: Node) -> None:
        """Another path may have another decision."""
        above = node.parent
        if (
            above is None
            or not (above.uniform and node.uniform)
            or above.decision != node.decision
        ):
            self._decide_again(node)

    def _decide_again(self, top: Node) -> None:
        """Decide again for a directory and for all below it, save for what is below a
        directory that is watched as before, as is all below it: most of a large
        tree."""
        stack = [top]
        while stack:
            node = stack.pop()
            before = node.decision, node.uniform
            self.forget_decision(node)
            if node.mask:
                masks = node.kernel_mask, node.poll_mask, node.interval
                self.decide(node)
                self.split(node)
                if (node.kernel_mask, node.poll_mask, node.interval) != masks:
                    self._effects.append(Watch(node))
            is_same = node.uniform and before == (node.decision, node.uniform)
            # How names are polled also depends on the mount.
            if not is_same or node.decision.method is Method.POLL:
                stack.extend(node.children())

    # -- the split

    def split(self, node: Node) -> None:
        """Split `node.mask` between the kernel and polling."""
        if not node.mask:
            node.kernel_mask = node.poll_mask = 0
            self._registers.forget(node)
            return
        decision: Decision = node.decision
        registers = self._registers
        kernel = poll = 0
        if decision.method is Method.KERNEL or decision.also_kernel:
            kernel = node.mask
        if decision.method is Method.POLL:
            poll = node.mask
            if poll == NAMES and self.policy.kernel_reports_names(node.path()):
                kernel, poll = poll, 0
        if node in registers.over_quota or node in registers.polled_for_churn:
            kernel, poll = 0, node.mask
        elif node in registers.polled_for_writes:
            kernel, poll = (
                kernel & ~CONTENT_AND_ATTRIB,
                poll | node.mask & CONTENT_AND_ATTRIB,
            )
        if node.kernel_mask and not kernel:
            registers.hand_to_polling(node)
        node.kernel_mask, node.poll_mask = kernel, poll
        node.interval = decision.interval if decision.method is Method.POLL else 1.0
        if poll and node.interval > self.longest_interval:
            self.longest_interval = node.interval

    def _split_again(self, node: Node) -> None:
        self.split(node)
        self._effects.append(Watch(node))

    # -- what overrides the policy

    def unwatchable(self, effect: Watch | Scan, number: int) -> None:
        """The kernel or the file system refused with the errno `number`: watch the
        directory in another way, or wait."""
        node = effect.node
        if not node.mask:
            return
        registers = self._registers
        is_watch = isinstance(effect, Watch)
        if is_watch and number in _NO_ROOM and node not in registers.over_quota:
            if registers.exceed_quota(node):
                self._effects.append(Trace(TraceKind.NO_ROOM, node))
            self._split_again(node)
        elif number in _NOT_ALLOWED:
            registers.become_unreadable(node)
        elif number in _NOT_THERE:
            registers.not_found(node)
        else:
            since = 0 if isinstance(effect, Watch) else effect.changed_since_ns
            registers.postpone_listing(node, since)

    def retry_quota(self, count: int) -> list[Node]:
        """The kernel may have room again: try it for `count` of those over quota."""
        retried = self._registers.retry_quota(count)
        for node in retried:
            self._split_again(node)
        return retried

    # Nothing is lost at a switch between kernel and polling: the executor starts the
    # new method before it ends the old one, and polls once more before polling ends.

    def poll_for_churn(self, node: Node) -> None:
        """Too many entries come and go: poll the directory, without the kernel."""
        if node.mask and node not in self._registers.polled_for_churn:
            self._registers.poll_for_churn(node)
            self._switched(node, TraceKind.FLOW_ON)

    def poll_for_writes(self, node: Node) -> None:
        """An entry is constantly written: poll content, and have the kernel watch only
        names."""
        if node.mask and node not in self._registers.polled_for_writes:
            self._registers.poll_for_writes(node)
            self._switched(node, TraceKind.FLOW_ON)

    def churn_calmed(self, node: Node) -> None:
        """End what `poll_for_churn` began."""
        if node.mask and node in self._registers.polled_for_churn:
            self._registers.calm_churn(node)
            self._switched(node, TraceKind.FLOW_OFF)

    def writes_calmed(self, node: Node) -> None:
        """End what `poll_for_writes` began."""
        if node.mask and node in self._registers.polled_for_writes:
            self._registers.calm_writes(node)
            self._switched(node, TraceKind.FLOW_OFF)

    def _switched(self, node: Node, trace: TraceKind) -> None:
        self._split_again(node)
        self._effects.append(Trace(trace, node))

"""Hands directories over between the kernel and polling without losing a change.

The core decides which of the two detects what (`Node.kernel_mask`, `Node.poll_mask`).
The executor applies the changes that are found on the way.
"""

from collections.abc import Callable, Sequence

from gamin.backends.base import KernelBackend
from gamin.core.coverage.method import CONTENT_AND_ATTRIB
from gamin.core.model.node import Node
from gamin.engine.ports import Poller
from gamin.events import (
    IS_DIR,
    MOVED_TO,
    AnyChange,
    Change,
)


class Handover:
    """Brings the kernel's watch and the poller in line with what the core wants."""

    def __init__(
        self,
        kernel: KernelBackend | None,
        polling: Poller,
        apply: Callable[[Sequence[AnyChange]], None],
    ) -> None:
        """`apply` gives changes that the kernel reported to the core."""
        self.observed: list[AnyChange] = []
        """Changes found on the way; the executor gives them to the core."""
        self._kernel = kernel
        self._polling = polling
        self._apply = apply
        self._has_polled = False
        """Whether anything was ever polled."""

    def watch(self, node: Node) -> None:
        """Watch and poll `node` for exactly what the core wants.

        The new way begins before the old one ends, and the old one reports once more
        before it ends, so nothing falls in between. That holds for each part of what
        is wanted: names may go back to the kernel while content is still polled.
        Raises WatchLimitReached and OSError as `Backend.watch` does.
        """
        polled = self._polling.mask(node)
        if node.poll_mask:
            self._poll(node, polled | node.poll_mask)
        kernel = self._kernel
        if kernel is not None:
            if node.kernel_mask:
                before = node.wd
                kernel.watch(node, node.kernel_mask)
                if before not in (-1, node.wd):
                    self._report_replacement(node)
            elif node.wd >= 0:
                self._drain_completely(kernel)
                kernel.unwatch(node)
        if polled & ~node.poll_mask:
            self.observed += self._polling.final_poll(node)
            if node.poll_mask:
                self._poll(node, node.poll_mask)
            else:
                self._polling.unwatch(node)

    def rewatch(self, node: Node) -> bool:
        """As `watch`; returns whether the directory at the path may be another one than
        the one that was listed."""
        if node.listed and node.wd < 0:
            is_known = self._polling.is_known(node)
            self.watch(node)
            if not is_known and not node.poll_mask:  # else `_poll` has reported it
                self._report_replacement(node)
            return not is_known
        before = node.wd
        self.watch(node)
        return node.kernel_mask != 0 and before not in (-1, node.wd)

    def unwatch(self, node: Node) -> None:
        """Stop watching and polling `node`, unless the core wants it again by now."""
        if not node.mask:
            self.release(node)

    def release(self, node: Node) -> None:
        """Stop watching and polling `node`, whatever the core wants."""
        if self._kernel is not None:
            self._kernel.unwatch(node)
        self._polling.unwatch(node)

    def absorb_kernel_events(self, changes: Sequence[AnyChange]) -> None:
        """Have the poller not report again what the kernel reported.

        To be called before these changes are applied: what follows from them may end
        the kernel's watch. Content and attributes that the kernel is not asked for any
        more are left to the poller.
        """
        if not self._has_polled:
            return
        for node, mask, _, name in changes:
            if not name or node is None or node.wd_poll < 0:
                continue
            if not mask & CONTENT_AND_ATTRIB or mask & node.kernel_mask:
                self._polling.absorb_kernel_event(node, mask, name)

    def _drain_completely(self, kernel: KernelBackend) -> None:
        """Apply what the kernel has queued, before one of its watches ends."""
        goal: int | None = None
        while goal is None or kernel.drained_bytes < goal:
            self._apply(kernel.drain())
            goal = kernel.queued_bytes if goal is None else goal

    def _poll(self, node: Node, mask: int) -> None:
        self._has_polled = True
        # The poller takes the state of a new directory as known, so it would never
        # report that the directory is a new one.
        is_other = node.wd_poll >= 0 and not self._polling.is_known(node)
        names = node.awaited_names if node.watches_named_entries_only else None
        self.observed += self._polling.watch(node, mask, node.interval, names)
        if is_other:
            self._report_replacement(node)

    def _report_replacement(self, node: Node) -> None:
        """Another directory has the path now: report that as the kernel would."""
        if node.parent is not None:
            # The parent's next look must not report it again.
            self._polling.absorb_kernel_event(node.parent, 0, node.name)
            mask = MOVED_TO | IS_DIR
            self.observed.append(Change(node.parent, mask, 0, node.name))

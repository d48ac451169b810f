"""The two ways of noticing, the kernel and polling, as the core wants them for each
directory: how one takes over from the other without anything falling in between.

What happened is taken in by `watcher`; which way it shall be is said by the core.
"""

from collections.abc import Callable, Sequence

from gamin.backends.base import KernelBackend
from gamin.backends.polling import PollingBackend
from gamin.core.coverage.method import CONTENT_AND_ATTRIB
from gamin.core.model.node import Node
from gamin.events import IS_DIR, MOVED_TO, Change


class Handover:
    def __init__(
        self,
        kernel: KernelBackend | None,
        polling: PollingBackend,
        apply: Callable[[Sequence[Change]], None],
    ) -> None:
        """`apply` takes in what the kernel told."""
        self.kernel = kernel
        self.polling = polling
        self.observed: list[Change] = []
        """What was noticed on the way, for the core."""
        self._apply = apply
        self._polls = False  # whether something was polled since the start

    def watch(self, node: Node) -> None:
        """Bring both in line with what the core wants; raises what `Backend.watch`
        does.

        The new way begins before the old one ends, and the old one is asked once more
        before it ends, so nothing falls in between. That holds for each part of what
        is wanted: names may go back to the kernel while content is still polled.
        """
        polled = self.polling.mask(node)
        if node.poll_mask:
            self._poll(node, polled | node.poll_mask)
        if self.kernel is not None:
            if node.kernel_mask:
                before = node.wd
                self.kernel.watch(node, node.kernel_mask)
                if before not in (-1, node.wd):
                    self._report_replacement(node)
            elif node.wd >= 0:
                self._take_in_all(self.kernel)
                self.kernel.unwatch(node)
        if polled & ~node.poll_mask:
            self.observed += self.polling.final_look(node)
            if node.poll_mask:
                self._poll(node, node.poll_mask)
            else:
                self.polling.unwatch(node)

    def rewatch(self, node: Node) -> bool:
        """`watch`, and whether there is another directory now than was listed, or
        nobody noticed of late which one was there."""
        if node.listed and node.wd < 0:
            is_known = self.polling.is_known(node)
            self.watch(node)
            if not is_known:
                self._report_replacement(node)
            return not is_known
        before = node.wd
        self.watch(node)
        return node.kernel_mask != 0 and before not in (-1, node.wd)

    def unwatch(self, node: Node) -> None:
        if node.mask:
            return  # wanted again since
        if self.kernel is not None:
            self.kernel.unwatch(node)
        self.polling.unwatch(node)

    def absorb_kernel_events(self, changes: Sequence[Change]) -> None:
        """What the kernel told of a polled directory is not to be told again.

        Before anything follows from it: then the kernel may be silent already. What
        it does not tell of any more, an entry's content, is left to polling.
        """
        if not self._polls:
            return
        for node, mask, _, name in changes:
            if not name or node is None or node.wd_poll < 0:
                continue
            if not mask & CONTENT_AND_ATTRIB or mask & node.kernel_mask:
                self.polling.absorb_kernel_event(node, mask, name)

    def _take_in_all(self, kernel: KernelBackend) -> None:
        """What the kernel told so far, before it is not asked any more."""
        goal: int | None = None
        while goal is None or kernel.drained_bytes < goal:
            self._apply(kernel.drain())
            goal = kernel.queued_bytes if goal is None else goal

    def _poll(self, node: Node, mask: int) -> None:
        self._polls = True
        names = node.awaited_names if node.watches_named_entries_only else None
        self.polling.watch(node, mask, node.interval, names)

    def _report_replacement(self, node: Node) -> None:
        """Another directory is there than the one that was watched."""
        if node.parent is not None:
            self.polling.absorb_kernel_event(
                node.parent, 0, node.name
            )  # it need not be told again
            mask = MOVED_TO | IS_DIR
            self.observed.append(Change(node.parent, mask, 0, node.name))

"""The directories that are not watched as usual, each kind in a register.

Only the named transitions below change a register: what others see is read-only.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from gamin.core.model.node import Node


class Registers:
    def __init__(self) -> None:
        self._over_quota: dict[Node, None] = {}
        self._retried: list[Node] = []
        self._unreadable: set[Node] = set()
        self._unwatched_unreadable: set[Node] = set()
        self._polled_for_churn: set[Node] = set()
        self._polled_for_writes: set[Node] = set()
        self._handed_to_polling: dict[Node, None] = {}
        self._misplaced: dict[Node, int] = {}
        self._unlisted: dict[Node, int] = {}

        self.over_quota: AbstractSet[Node] = self._over_quota.keys()
        """Polled only because the kernel has no more watches for us."""
        self.unreadable: AbstractSet[Node] = self._unreadable
        """Neither backend can detect changes of their entries: nobody may list them."""
        self.unwatched_unreadable: AbstractSet[Node] = self._unwatched_unreadable
        """Unreadable ones whose parent is only polled, or is unreadable too. A right
        that was missing for less than a second leaves no trace there, so these are
        scanned again every second."""
        self.polled_for_churn: AbstractSet[Node] = self._polled_for_churn
        """Polled only because too many entries come and go."""
        self.polled_for_writes: AbstractSet[Node] = self._polled_for_writes
        """Content is polled because an entry is constantly written."""
        self.handed_to_polling: AbstractSet[Node] = self._handed_to_polling.keys()
        """Handed from the kernel to polling since the kernel's queue was last known
        complete. Polling takes their present state as its baseline, so a change lost
        just before the handover would never be reported; a rescan must include them."""
        self.misplaced: Mapping[Node, int] = self._misplaced
        """Not found where they are believed to be, and how often; to be scanned again
        after the batch."""

        self.unlisted: Mapping[Node, int] = self._unlisted
        """Could not be listed for a reason that passes (no descriptor or memory left,
        an input error), and the `changed_since_ns` of the scan; scanned again every
        second."""

    # -- the quota

    def exceed_quota(self, node: Node) -> bool:
        """The kernel has no watch for the directory. Return whether that is news: not
        if others are over quota already, or if this one was just tried again."""
        is_news = not (self._over_quota or node in self._retried)
        self._over_quota[node] = None
        return is_news

    def retry_quota(self, count: int) -> list[Node]:
        """Take `count` of those over quota out of the register, to be tried again."""
        self._retried = list(self._over_quota)[:count]
        for node in self._retried:
            del self._over_quota[node]
        return self._retried

    # -- rights and places

    def become_unreadable(self, node: Node) -> None:
        """The directory must not be listed or watched."""
        self._unreadable.add(node)
        node.unreadable = True
        parent = node.parent
        if parent is not None and (parent.unreadable or not parent.kernel_mask):
            self._unwatched_unreadable.add(node)

    def confirm_present(self, node: Node, changed_since_ns: int) -> None:
        """The directory was where it should be, and could be listed. A scan that failed
        before and was to report earlier changes than this one is still repeated."""
        if self._misplaced:
            self._misplaced.pop(node, None)
        if self._unlisted:
            wanted = self._unlisted.get(node, 0)
            if not wanted or 0 < changed_since_ns <= wanted:
                self._unlisted.pop(node, None)
        if node.unreadable:
            self._become_readable(node)

    def postpone_listing(self, node: Node, changed_since_ns: int) -> None:
        """The directory could not be listed now."""
        before = self._unlisted.get(node, 0)
        times = [time for time in (before, changed_since_ns) if time]
        self._unlisted[node] = min(times, default=0)

    def take_late(self) -> dict[Node, int]:
        """The directories that are to be scanned again every second, and the
        `changed_since_ns` of these scans. They are in no register until a scan
        fails."""
        late = dict.fromkeys(self._unwatched_unreadable, 0)
        late.update(self._unlisted)
        self._unwatched_unreadable.clear()
        self._unlisted.clear()
        return late

    def _become_readable(self, node: Node) -> None:
        self._unreadable.discard(node)
        self._unwatched_unreadable.discard(node)
        node.unreadable = False

    def suspect(self, node: Node, times: int = 0) -> None:
        """The directory may not be where it is believed to be; `times` is how often it
        was not found there, if it is not suspected already."""
        self._misplaced.setdefault(node, times)

    def not_found(self, node: Node) -> None:
        """The directory was not where it is believed to be."""
        self._misplaced[node] = self._misplaced.get(node, 0) + 1

    def take_misplaced(self) -> dict[Node, int]:
        """Empty that register, and return what was in it."""
        taken = dict(self._misplaced)
        self._misplaced.clear()
        return taken

    # -- polling instead of the kernel

    def poll_for_churn(self, node: Node) -> None:
        self._polled_for_churn.add(node)

    def poll_for_writes(self, node: Node) -> None:
        self._polled_for_writes.add(node)

    def calm_churn(self, node: Node) -> None:
        self._polled_for_churn.discard(node)

    def calm_writes(self, node: Node) -> None:
        self._polled_for_writes.discard(node)

    def hand_to_polling(self, node: Node) -> None:
        self._handed_to_polling[node] = None

    def queue_was_complete(self) -> None:
        """The kernel's queue is known to have lost nothing until now."""
        self._handed_to_polling.clear()

    # -- all of them

    def is_usual(self, node: Node) -> bool:
        """Whether only the policy's decision says how the directory is watched."""
        return not (
            node in self._over_quota
            or node in self._polled_for_churn
            or node in self._polled_for_writes
        )

    def forget(self, node: Node) -> None:
        """The directory is gone, or no longer needed."""
        self._over_quota.pop(node, None)
        self._become_readable(node)
        self._polled_for_churn.discard(node)
        self._polled_for_writes.discard(node)
        self._misplaced.pop(node, None)
        self._unlisted.pop(node, None)

"""Remembers the directories scanned since the last complete drain of the queue.

A scan finds a directory by its path. If another directory took that path just before,
the listing is of that other one, and the rename that says so is still queued. When it
is applied, the directory that moved has the wrong listing and must be scanned again.
"""

from gamin.core.model.node import Node


class RecentScans:
    def __init__(self) -> None:
        self._before: set[Node] = set()
        """Scanned before the present drain started."""
        self._since: set[Node] = set()

    def add(self, node: Node) -> None:
        """It was scanned just now."""
        self._since.add(node)

    def on_drain_started(self) -> None:
        """What this drain returns includes every event from before earlier scans."""
        if self._since:
            self._before |= self._since
            self._since.clear()

    def on_drained(self) -> None:
        """The drain is complete: no such event is queued any more."""
        if self._before:
            self._before.clear()

    def within(self, moved: Node) -> list[Node]:
        """Those that a directory which moved contains, itself included."""
        recent = self._before | self._since
        return [node for node in recent if moved.contains(node)]

"""When something last happened to an entry, reported or not.

A client that waits until a file is complete must not take it for silence that flow
control defers reports, or that polling has not been there yet.
"""

from typing import NamedTuple

from gamin.core.model.node import Node
from gamin.core.model.tree import Tree
from gamin.core.throttle.debounce import WriteDebouncer
from gamin.core.throttle.flow_control import FlowControl, Resource


class Activity(NamedTuple):
    """What a report about an entry does not say."""

    last_change: float | None
    """When it last changed (monotonic seconds); None: when it was last reported."""
    is_unreported: bool
    """It changed since it was last reported."""
    interval: float
    """Seconds for which a change may be undetected: those between two polls, or 0."""


class Activities:
    def __init__(
        self, tree: Tree, flow: FlowControl, debouncer: WriteDebouncer
    ) -> None:
        self._tree = tree
        self._flow = flow
        self._debouncer = debouncer

    def of(self, path: bytes, now: float) -> Activity | None:
        """Return the activity of the entry at a real path.

        None if it was reported when it last changed, and would be reported if it
        changed again.
        """
        directory, _, name = path.rpartition(b"/")
        node = self._tree.find(directory)
        if node is None:
            return None
        interval = node.interval if node.poll_mask else 0.0
        changes: list[float] = []
        is_unreported = False
        if (node, name) in self._debouncer.held:
            changes.append(now)
            is_unreported = True
        for resource in _resources(node, name):
            busy = self._flow.busy.get(resource)
            if busy is not None:
                changes.append(busy.last)
                is_unreported = is_unreported or busy.dirty
        if not changes and not interval:
            return None
        return Activity(max(changes, default=None), is_unreported, interval)

    def is_held_below(self, prefix: bytes) -> bool:
        """Whether a change of a file below a directory, given with its slash, is about
        to be reported: its writer may go on. Not one that is deferred for longer."""
        busy = self._flow.busy
        return any(
            node.path_prefix().startswith(prefix)
            for node, name in self._debouncer.held
            if node not in busy and (node, name) not in busy
        )


def _resources(node: Node, name: bytes) -> list[Resource]:
    """What may defer reports about the entry."""
    resources: list[Resource] = [(node, name), (node, name, None)]
    if name in (node.deferred or ()):
        resources.append(node)
    return resources

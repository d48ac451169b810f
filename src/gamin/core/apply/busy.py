"""Carries out what flow control makes due: periodic reports, and the end of polling.

`FlowControl` says when; this module says what follows.
"""

from gamin.core.apply.target_change import TargetChanges
from gamin.core.coverage.need import Coverage
from gamin.core.model.moment import Moment
from gamin.core.model.node import Node
from gamin.core.model.tree import Tree
from gamin.core.throttle.deferred import Deferred
from gamin.core.throttle.flow_control import FlowControl, Resource


class BusyResources:
    def __init__(
        self,
        *,
        tree: Tree,
        moment: Moment,
        coverage: Coverage,
        flow: FlowControl,
        deferred: Deferred,
        target_changes: TargetChanges,
    ) -> None:
        self._tree = tree
        self._moment = moment
        self._coverage = coverage
        self._flow = flow
        self._deferred = deferred
        self._target_changes = target_changes

    def due(self) -> None:
        """Report what is due, and return to the kernel what has calmed down."""
        reports, calmed = self._flow.due(self._tree.tick, self._moment.now)
        for resource, since in reports:
            self._report(resource, since)
        for resource, was_polled in calmed:
            if was_polled:
                self._return_to_kernel(resource)

    def _report(self, resource: Resource, since: int) -> None:
        """Report what a busy resource did after the tick `since`."""
        if isinstance(resource, Node):
            self._deferred.flush(resource)
            return
        node, name = resource[:2]
        if len(resource) == 2:
            self._deferred.report_content(node, name, since)
        self._target_changes.report_busy((node, name), since)

    def _return_to_kernel(self, resource: Resource) -> None:
        """Have the kernel watch again what was polled because it was too busy."""
        if isinstance(resource, Node):
            self._coverage.method.churn_calmed(resource)
            return
        node = resource[0]
        others = (r for r in self._flow.of(node) if isinstance(r, tuple))
        if not any(self._flow.busy[r].is_polled for r in others):
            self._coverage.method.writes_calmed(node)

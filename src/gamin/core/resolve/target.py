"""What it means to a client that its path leads somewhere else now, or nowhere.

Also the difference for a client that was not told for a while, and for what was too
busy to be told at once.
"""

from collections.abc import Iterable

from gamin.core.effects import Ready
from gamin.core.model.difference import entries_since, listing, tree_since
from gamin.core.model.node import Node
from gamin.core.model.subscription import Scope, Subscription
from gamin.core.scene import Scene
from gamin.core.throttle.flow_control import Entry, Resource
from gamin.events import Kind, Row

Place = tuple[Node | None, bytes | None, int]


class Targets:
    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def target_resolved(self, subscription: Subscription) -> None:
        """Its walk may be over: tell what the place it led to means."""
        if not self._scene.resolver.is_settled(subscription):
            return
        if not subscription.ready:
            if subscription.pending_scans == 0:
                self._become_ready(subscription)
        elif subscription.scope is Scope.FILE:
            self._settle_file(subscription)
        else:
            self._settle_directory(subscription)

    def scan_finished(self, subscription: Subscription) -> None:
        """One of the directories it waited for is listed, or cannot be."""
        if subscription.pending_scans > 0:
            subscription.pending_scans -= 1
            if subscription.pending_scans == 0 and not subscription.ready:
                self.target_resolved(subscription)

    def _become_ready(self, subscription: Subscription) -> None:
        subscription.ready = True
        subscription.target_replaced = False
        subscription.current_target = subscription.target
        subscription.since = self._scene.tree.tick
        self._scene.effects.append(Ready(subscription))

    def _settle_directory(self, subscription: Subscription) -> None:
        tell, own_audience = self._scene.reporter.tell, subscription.own_audience
        replaced, subscription.target_replaced = subscription.target_replaced, False
        before, now = subscription.current_target, subscription.target
        if before == now:
            if replaced and now[1] is not None:
                subscription.last_change = self._scene.tree.tick
                tell(own_audience, Row(Kind.CHANGED, b"", False))
            return
        if before is not None and before[0] is not None:
            tell(own_audience, Row(Kind.DELETED, b"", before[1] is None))
        subscription.current_target = now
        if now[0] is None:
            return
        node = subscription.bound_directory
        tell(own_audience, Row(Kind.CREATED, b"", node is not None))
        if node is not None and node.listed:  # by others: no listing of it is to come
            for row in self.listing(subscription, node):
                tell(own_audience, row._replace(kind=Kind.CREATED))

    def _settle_file(self, subscription: Subscription) -> None:
        scene = self._scene
        replaced, subscription.target_replaced = subscription.target_replaced, False
        is_same = subscription.current_target == subscription.target
        if is_same and not (replaced and subscription.node is not None):
            return
        subscription.last_change = scene.tree.tick
        resource: Resource = scene.tree.root
        if subscription.steps:
            resource = subscription.steps[-1]
            if _exists(subscription.current_target) is not _exists(subscription.target):
                resource = (*resource, None)
        if not scene.flow.record_report(resource, scene.tree.tick, scene.now):
            self._tell_file(subscription, True)

    def _tell_file(self, subscription: Subscription, changed: bool) -> None:
        before, place = subscription.current_target, subscription.target
        subscription.current_target = place
        if before is not None:
            for row in _file_difference(before, place, changed):
                self._scene.reporter.tell(subscription.own_audience, row)

    def report(self, resource: Resource, since: int) -> None:
        """Tell what a busy resource did since it was last reported."""
        withheld = self._scene.deferred
        if isinstance(resource, Node):
            withheld.flush(resource)
            return
        node, name = resource[:2]
        if len(resource) == 2:
            withheld.tell_content(node, name, since)
        for subscription in list((node.path_waiters or {}).get(name, ())):
            is_file = subscription.scope is Scope.FILE or subscription.entry is not None
            if is_file and subscription.ready:
                self._report_file(subscription, (node, name), since)

    def _report_file(
        self, subscription: Subscription, entry: Entry, since: int
    ) -> None:
        if subscription.steps[-1] == entry:
            changed = subscription.last_change > since
            subscription.last_change = self._scene.tree.tick
            self._tell_file(subscription, changed)

    def rows_to_send(self, subscription: Subscription) -> list[Row]:
        """Everything from what its client knows to what is; then it is up to date."""
        told, place = subscription.sent_target, subscription.target
        if told is None:
            rows = self._initial_rows(subscription)
        elif subscription.scope is Scope.FILE:
            changed = subscription.last_change > subscription.since
            rows = _file_difference(told, place, changed)
        elif told != place or subscription.since < self._scene.tree.floor:
            rows = self._full_relisting(subscription, told)
        else:
            rows = self.rows_since(subscription, subscription.since)
        subscription.sent_target = subscription.current_target = place
        subscription.since = self._scene.tree.tick
        subscription.behind = False
        return rows

    def _initial_rows(self, subscription: Subscription) -> list[Row]:
        node = subscription.bound_directory
        there = subscription.node is not None
        kind = Kind.EXISTS if there else Kind.DELETED
        rows = [Row(kind, b"", node is not None)]
        if node is not None and subscription.scope is not Scope.FILE:
            rows += self.listing(subscription, node)
        return rows

    def _full_relisting(self, subscription: Subscription, told: Place) -> list[Row]:
        """Another directory, or too much was forgotten: all that is, from scratch."""
        node = subscription.bound_directory
        rows = []
        if told[0] is not None:
            rows.append(Row(Kind.DELETED, b"", True))
        if node is not None:
            rows.append(Row(Kind.CREATED, b"", True))
            rows += (
                row._replace(kind=Kind.CREATED)
                for row in self.listing(subscription, node)
            )
        return rows

    def rows_since(self, subscription: Subscription, since: int) -> list[Row]:
        """What happened after the tick `since`, as long as it led where it does now."""
        node = subscription.bound_directory
        if node is None:
            changed = subscription.node is not None and subscription.last_change > since
            return [Row(Kind.CHANGED, b"", False)] if changed else []
        if subscription.scope is Scope.DIRECTORY:
            return list(entries_since(node, since))
        return list(tree_since(node, since, subscription.covers_directory))

    def listing(self, subscription: Subscription, node: Node) -> Iterable[Row]:
        """Everything it covers, as EXISTS rows."""
        is_tree = subscription.scope is Scope.TREE
        return listing(node, subscription.covers_directory if is_tree else None)


def _exists(place: Place | None) -> bool:
    return place is not None and place[0] is not None


def _file_difference(before: Place, now: Place, changed: bool) -> list[Row]:
    """What happened to a single path, from where it led before and where it leads."""
    was, is_ = before[0] is not None, now[0] is not None
    is_dir = is_ and now[1] is None
    if was and not is_:
        return [Row(Kind.DELETED, b"", before[1] is None)]
    if is_ and not was:
        return [Row(Kind.CREATED, b"", is_dir)]
    if is_ and (changed or before != now):
        return [Row(Kind.CHANGED, b"", is_dir)]
    return []

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


class Places:
    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def settle(self, subscription: Subscription) -> None:
        """Its walk may be over: tell what the place it led to means."""
        if not self._scene.bindings.is_settled(subscription):
            return
        if not subscription.ready:
            if subscription.crawl == 0:
                self._become_ready(subscription)
        elif subscription.scope is Scope.FILE:
            self._settle_file(subscription)
        else:
            self._settle_directory(subscription)

    def explored(self, subscription: Subscription) -> None:
        """One of the directories it waited for is listed, or cannot be."""
        if subscription.crawl > 0:
            subscription.crawl -= 1
            if subscription.crawl == 0 and not subscription.ready:
                self.settle(subscription)

    def _become_ready(self, subscription: Subscription) -> None:
        subscription.ready = True
        subscription.replaced = False
        subscription.announced = subscription.place
        subscription.since = self._scene.tree.tick
        self._scene.effects.append(Ready(subscription))

    def _settle_directory(self, subscription: Subscription) -> None:
        tell, solo = self._scene.reporter.tell, subscription.solo
        replaced, subscription.replaced = subscription.replaced, False
        before, now = subscription.announced, subscription.place
        if before == now:
            if replaced and now[1] is not None:
                subscription.last_change = self._scene.tree.tick
                tell(solo, Row(Kind.CHANGED, b"", False))
            return
        if before is not None and before[0] is not None:
            tell(solo, Row(Kind.DELETED, b"", before[1] is None))
        subscription.announced = now
        if now[0] is None:
            return
        node = subscription.bound_directory
        tell(solo, Row(Kind.CREATED, b"", node is not None))
        if node is not None and node.listed:  # by others: no listing of it is to come
            for row in self.listing(subscription, node):
                tell(solo, row._replace(kind=Kind.CREATED))

    def _settle_file(self, subscription: Subscription) -> None:
        scene = self._scene
        replaced, subscription.replaced = subscription.replaced, False
        is_same = subscription.announced == subscription.place
        if is_same and not (replaced and subscription.node is not None):
            return
        subscription.last_change = scene.tree.tick
        resource: Resource = scene.tree.root
        if subscription.hops:
            resource = subscription.hops[-1]
            if _exists(subscription.announced) is not _exists(subscription.place):
                resource = (*resource, None)
        if not scene.flow.withholds(resource, scene.tree.tick, scene.now):
            self._tell_file(subscription, True)

    def _tell_file(self, subscription: Subscription, changed: bool) -> None:
        before, place = subscription.announced, subscription.place
        subscription.announced = place
        if before is not None:
            for row in _file_difference(before, place, changed):
                self._scene.reporter.tell(subscription.solo, row)

    def report(self, resource: Resource, since: int) -> None:
        """Tell what a busy resource did since it was last reported."""
        withheld = self._scene.withheld
        if isinstance(resource, Node):
            withheld.tell(resource)
            return
        node, name = resource[:2]
        if len(resource) == 2:
            withheld.tell_content(node, name, since)
        for subscription in list((node.hooks or {}).get(name, ())):
            is_file = subscription.scope is Scope.FILE or subscription.entry is not None
            if is_file and subscription.ready:
                self._report_file(subscription, (node, name), since)

    def _report_file(
        self, subscription: Subscription, entry: Entry, since: int
    ) -> None:
        if subscription.hops[-1] == entry:
            changed = subscription.last_change > since
            subscription.last_change = self._scene.tree.tick
            self._tell_file(subscription, changed)

    def catch_up(self, subscription: Subscription) -> list[Row]:
        """Everything from what its client knows to what is; then it is up to date."""
        told, place = subscription.told, subscription.place
        if told is None:
            rows = self._first(subscription)
        elif subscription.scope is Scope.FILE:
            changed = subscription.last_change > subscription.since
            rows = _file_difference(told, place, changed)
        elif told != place or subscription.since < self._scene.tree.floor:
            rows = self._anew(subscription, told)
        else:
            rows = self.rows_since(subscription, subscription.since)
        subscription.told = subscription.announced = place
        subscription.since = self._scene.tree.tick
        subscription.waiting = False
        return rows

    def _first(self, subscription: Subscription) -> list[Row]:
        node = subscription.bound_directory
        there = subscription.node is not None
        kind = Kind.EXISTS if there else Kind.DELETED
        rows = [Row(kind, b"", node is not None)]
        if node is not None and subscription.scope is not Scope.FILE:
            rows += self.listing(subscription, node)
        return rows

    def _anew(self, subscription: Subscription, told: Place) -> list[Row]:
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
        return list(tree_since(node, since, subscription.enters))

    def listing(self, subscription: Subscription, node: Node) -> Iterable[Row]:
        """Everything it covers, as EXISTS rows."""
        is_tree = subscription.scope is Scope.TREE
        return listing(node, subscription.enters if is_tree else None)


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

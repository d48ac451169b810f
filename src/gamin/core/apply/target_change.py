"""Reports to subscribers that their path leads elsewhere, or to another object."""

from gamin.core.deliver.catch_up import listing_of, path_difference, rows_since
from gamin.core.deliver.reporter import Reporter
from gamin.core.effects import Effect, Ready
from gamin.core.model.moment import Moment
from gamin.core.model.subscription import Place, Scope, Subscription
from gamin.core.model.tree import Tree
from gamin.core.resolve.path_walk import PathResolver
from gamin.core.throttle.flow_control import Entry, FlowControl, Resource, Verdict
from gamin.events import Kind, Row


class TargetChanges:
    def __init__(
        self,
        *,
        tree: Tree,
        moment: Moment,
        resolver: PathResolver,
        flow: FlowControl,
        reporter: Reporter,
        effects: list[Effect],
    ) -> None:
        self._tree = tree
        self._moment = moment
        self._resolver = resolver
        self._flow = flow
        self._reporter = reporter
        self._effects = effects

    def target_resolved(self, subscription: Subscription) -> None:
        """Report what it means that the path was walked; nothing if the walk goes on.

        The first time, the subscription becomes ready.
        """
        if not self._resolver.is_settled(subscription):
            return
        progress = subscription.progress
        if not progress.ready:
            if progress.pending_scans == 0:
                self._become_ready(subscription)
        elif subscription.scope is Scope.FILE:
            self._settle_file(subscription)
        else:
            self._settle_directory(subscription)

    def scan_finished(self, subscription: Subscription) -> None:
        """A scan that the subscription waited for was done, or failed."""
        progress = subscription.progress
        if progress.finish_scan() and not progress.ready:
            self.target_resolved(subscription)

    def _become_ready(self, subscription: Subscription) -> None:
        self._resolver.take_replaced(subscription)
        subscription.progress.become_ready(subscription.target.place)
        self._effects.append(Ready(subscription))

    def _settle_directory(self, subscription: Subscription) -> None:
        report, own_audience = self._reporter.report, subscription.own_audience
        replaced = self._resolver.take_replaced(subscription)
        progress = subscription.progress
        before, now = progress.current_target, subscription.target.place
        reported_tick = progress.resume()
        if before == now and (
            reported_tick is None or self._report_since(subscription, reported_tick)
        ):
            if replaced and now[1] is not None:
                progress.record_change(self._tree.tick)
                report(own_audience, Row(Kind.CHANGED, b"", False))
            return
        if before is not None and before[0] is not None:
            report(own_audience, Row(Kind.DELETED, b"", before[1] is None))
        progress.announce(now)
        if now[0] is None:
            return
        node = subscription.bound_directory
        report(own_audience, Row(Kind.CREATED, b"", node is not None))
        if node is not None and node.listed:
            # Others had it listed, so no scan will report what is in it.
            for row in listing_of(subscription):
                report(own_audience, row._replace(kind=Kind.CREATED))

    def _report_since(self, subscription: Subscription, tick: int) -> bool:
        """Report what happened after the tick in the directory that the path leads to
        again. Return whether that is known."""
        if tick < max(self._tree.floor, subscription.progress.view_tick):
            return False
        if not _is_all_listed(subscription):
            return False
        for row in rows_since(subscription, tick):
            self._reporter.report(subscription.own_audience, row)
        return True

    def _settle_file(self, subscription: Subscription) -> None:
        replaced = self._resolver.take_replaced(subscription)
        progress, place = subscription.progress, subscription.target.place
        is_same = progress.current_target == place
        if is_same and not (replaced and subscription.node is not None):
            return
        progress.record_change(self._tree.tick)
        resource: Resource = self._tree.root
        if subscription.steps:
            resource = subscription.steps[-1]
            if _exists(progress.current_target) is not _exists(place):
                resource = (*resource, None)
        verdict = self._flow.record_report(resource, self._tree.tick, self._moment.now)
        if verdict is Verdict.REPORT:
            self._report_path(subscription, True)

    def _report_path(self, subscription: Subscription, changed: bool) -> None:
        progress, place = subscription.progress, subscription.target.place
        before = progress.current_target
        progress.announce(place)
        if before is not None:
            for row in path_difference(before, place, changed):
                self._reporter.report(subscription.own_audience, row)

    def report_busy(self, entry: Entry, since: int) -> None:
        """Report to the subscribers of this one path what happened to the busy entry
        after the tick `since`."""
        node, name = entry
        for subscription in list((node.path_waiters or {}).get(name, ())):
            is_file = subscription.scope is Scope.FILE or subscription.entry is not None
            if (
                is_file
                and not subscription.is_unthrottled
                and subscription.progress.ready
                and subscription.steps[-1] == entry
            ):
                changed = subscription.progress.last_change > since
                subscription.progress.record_change(self._tree.tick)
                self._report_path(subscription, changed)


def _is_all_listed(subscription: Subscription) -> bool:
    """Whether every directory that it covers is listed already."""
    stack = [subscription.bound_directory]
    while stack:
        node = stack.pop()
        if node is None or not node.listed:
            return False
        if subscription.scope is Scope.TREE:
            prefix, covers = node.path_prefix(), subscription.covers_directory
            stack += [c for c in node.children() if covers(prefix + c.name)]
    return True


def _exists(place: Place | None) -> bool:
    return place is not None and place[0] is not None

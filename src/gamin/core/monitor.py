"""The heart: requests and changes go in, effects come out.

It says in which order the parts act. It opens nothing, waits for nothing and never
reads a clock: `now` is seconds of a monotonic clock, passed in.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from gamin.config.flow_settings import FlowSettings
from gamin.config.policy import Policy
from gamin.core.apply.content import Content
from gamin.core.apply.entries import EntryChanges
from gamin.core.apply.fast_files import Files
from gamin.core.apply.fast_scan import Intake
from gamin.core.apply.ignore_change import Pruning
from gamin.core.apply.renames import Renames
from gamin.core.apply.scan import Listings
from gamin.core.coverage.quota_retry import QuotaRetry
from gamin.core.coverage.recovery import Recovery
from gamin.core.effects import Effect, Listing, Scan, Watch
from gamin.core.model.node import Node
from gamin.core.model.subscription import Scope, Subscription
from gamin.core.resolve.path_walk import Found
from gamin.core.resolve.target import Targets
from gamin.core.scene import Scene
from gamin.core.throttle.flow_control import Resource
from gamin.events import (
    ATTRIB,
    CLOSE_WRITE,
    CREATE,
    IGNORED,
    MODIFY,
    MOVED_TO,
    OVERFLOW,
    Change,
    Row,
)

_CONTENT: Final = MODIFY | CLOSE_WRITE | ATTRIB
_ARRIVAL: Final = CREATE | MOVED_TO

LOOK_AGAIN_SECONDS = 1.0
"""How often a way that no backend covers is walked again."""


class Monitor:
    def __init__(self, policy: Policy, settings: FlowSettings | None = None) -> None:
        scene = self._scene = Scene(policy, settings or FlowSettings())
        self._content = Content(scene)
        self._changes = EntryChanges(scene, self._content)
        self.files = Files(scene, self._content)
        self._renames = Renames(scene, self._content, self._changes)
        self._intake = Intake(scene)
        self._listings = Listings(scene, self._content, self._changes, self._intake)
        self._places = Targets(scene)
        self._pruning = Pruning(scene)
        self.tree = scene.tree
        self.coverage = scene.coverage
        self.flow = scene.flow
        self.recovery = Recovery(
            scene.tree, scene.coverage, scene.resolver, scene.effects
        )
        self._room = QuotaRetry(scene.coverage)
        self.subscriptions: set[Subscription] = set()
        self._retry_at: float | None = None

    # -- requests

    def subscribe(self, subscription: Subscription, now: float) -> list[Effect]:
        """Begin. `Ready` comes when it is really watched."""
        self._scene.advance(now)
        self._scene.deferred.flush_all()
        self.subscriptions.add(subscription)
        self._scene.resolver.start(subscription)
        self._places.target_resolved(subscription)
        return self._finish(now)

    def cancel(self, subscription: Subscription, now: float) -> list[Effect]:
        """End it; nothing is told of it any more, and what only it needed is let go."""
        self.subscriptions.discard(subscription)
        self._scene.resolver.end(subscription)
        self._scene.coverage.detach(subscription)
        return self._finish(now)

    def rows_to_send(self, subscription: Subscription) -> list[Row]:
        """Everything from what its client knows to what is; then it is up to date.

        Rows with an empty path speak of the subscription's path itself.
        """
        return self._places.rows_to_send(subscription)

    def tell_withheld(self, now: float) -> list[Effect]:
        """Somebody asks what there is: what was before is not told after that."""
        self._begin(now)
        self._scene.deferred.flush_all()
        return self._finish(now)

    @property
    def longest_delay(self) -> float:
        """Seconds after which a change is told at the latest, if nothing is lost: it
        may be noticed by polling, and then be of something that is busy."""
        return self.coverage.longest_interval + self.flow.settings.report_interval

    def rows_since(self, subscription: Subscription, tick: int) -> list[Row] | None:
        """What happened after `tick`; None if too much was forgotten to say."""
        if tick < self.tree.floor:
            return None
        return self._places.rows_since(subscription, tick)

    def listing(self, subscription: Subscription) -> Iterable[Row]:
        """Everything there is below its path, as EXISTS rows; lazily."""
        node = subscription.bound_directory
        return () if node is None else self._places.listing(subscription, node)

    # -- happenings

    def changed(self, batch: Sequence[Change], now: float) -> list[Effect]:
        """A backend was drained. The whole batch shares one tick."""
        self._scene.advance(now)
        self._content.begin()
        take_in, end = self.files.take_in, len(batch)
        index = take_in(batch, 0)
        while index < end:
            self._happened(batch[index], now)
            index = take_in(batch, index + 1)
        if self._renames.pending_moves:
            self._renames.end()
        if self.coverage.misplaced:
            self.coverage.retry_adrift()
        return self._finish(now)

    def _happened(self, change: Change, now: float) -> None:
        node, mask, cookie, name = change
        if name:
            if mask & _CONTENT:
                self._content.on_modified(node, name, mask)
            elif mask & _ARRIVAL:
                if cookie:
                    self._renames.on_moved_to(node, name, mask, cookie)
                else:
                    self._changes.on_created(node, name, mask)
            elif cookie:
                self._renames.on_moved_from(node, name, mask, cookie)
            else:
                self._changes.on_deleted(node, name)
        elif mask & OVERFLOW:
            self.recovery.on_overflow(now)
        elif mask & IGNORED and node.mask:
            self.coverage.misplaced.setdefault(node, 0)
            self._changes.invalidate_paths(node)
        elif mask & ATTRIB:
            self._content.on_permissions_changed(node)

    def drained(self, started_ns: int) -> None:
        """Everything that the kernel queued before the real time `started_ns` was given
        to `changed`, and carried out."""
        self.recovery.on_drained(started_ns)

    def drain_failed(self, now: float) -> None:
        """An exception kept changes of the kernel from being applied or carried out:
        they are lost, as if the queue had overflowed."""
        self.recovery.on_loss(now)

    def deadline(self) -> float | None:
        """When `due` is to be called next; None while nothing is pending."""
        held = self._scene.debouncer.deadline() if self._scene.debouncer.held else None
        soonest = self._retry_at
        for due in (held, self.flow.soonest, self.recovery.due_at, self._room.due_at):
            if due is not None and (soonest is None or due < soonest):
                soonest = due
        return soonest

    def due(self, now: float) -> list[Effect]:
        """The time of `deadline` has come; for a recovery too, if that is due."""
        self._begin(now)
        for node, name in self._scene.debouncer.expired(now):
            self._content.changed(node, name)
        reports, calmed = self.flow.due(self.tree.tick, now)
        for resource, since in reports:
            self._places.report(resource, since)
        for resource, is_hot in calmed:
            if is_hot:
                self._return_to_kernel(resource)
        self._room.due(now)
        if self._retry_at is not None and self._retry_at <= now:
            self._retry_at = None
            self._scene.resolver.retry(self._scene.resolver.blocked)
            for node in self.coverage.unwatched_unreadable:
                self._scene.effects.append(Scan(node, None))
        return self._finish(now)

    def start_recovery(self, now: float) -> bool:
        """Whether a rescan is due after a loss.

        If so: apply everything the kernel has queued now, then call `recover`. Events
        from before the loss must not be applied to what the rescan finds.
        """
        return self.recovery.start(now)

    def recover(self, now: float) -> list[Effect]:
        """Rescan every directory that may have lost events."""
        self._begin(now)
        self.recovery.rescan()
        return self._finish(now)

    def policy_changed(self, policy: Policy, now: float) -> list[Effect]:
        """Rules or mounts are different: decide anew, and look where mounts were."""
        self._begin(now)
        before = self.coverage.policy.mount_points()
        self.coverage.reapply_policy(policy)
        for point in before ^ policy.mount_points():
            self._remounted(point)
        return self._finish(now)

    def rules_changed(
        self,
        subscription: Subscription,
        directory: bytes,
        name: bytes,
        text: bytes | None,
        now: float,
    ) -> list[Effect]:
        """An ignore file of a tree has another text now, or None: it is gone.

        What is ignored from now on is told as deleted and not watched any more, what
        is not any more is told as created.
        """
        self._begin(now)
        self._pruning.rules_changed(subscription, directory, name, text)
        return self._finish(now)

    def covering(self, node: Node) -> Sequence[Subscription]:
        """The trees that the directory belongs to."""
        return self._scene.audiences.on(node).recursive

    # -- answers to effects

    def probed(
        self,
        subscription: Subscription,
        node: Node,
        name: bytes,
        found: Found,
        now: float,
        is_newer: bool = False,
    ) -> list[Effect]:
        """What `Probe` found; `is_newer` if it changed since `changed_since_ns`."""
        self._scene.advance(now)
        if is_newer:
            subscription.target_replaced = True
        if node.listed and found is not None:
            self._changes.on_probed(node, name, found is True)
        self._scene.resolver.probed(subscription, node, name, found)
        if subscription in self.subscriptions:
            self._places.target_resolved(subscription)
        return self._finish(now)

    def listed(self, listings: Sequence[Listing], now: float) -> list[Effect]:
        """What each `Scan` found, in their order. They share one tick."""
        self._scene.advance(now)
        take_in, explored = self._intake.take_in, self._scan_finished
        for listing in listings:
            if not take_in(listing):
                self._compare(listing)
                if listing[0].changed_since_ns:
                    self.recovery.on_scanned(now)
            explored(listing[0])
        return self._finish(now)

    def skipped(self, effect: Scan, now: float) -> list[Effect]:
        """The directory is not wanted any more; its listing was left out."""
        self._scene.advance(now)
        self._scan_finished(effect)
        return self._finish(now)

    def unwatchable(
        self, effect: Watch | Scan, number: int, now: float
    ) -> list[Effect]:
        """The directory could not be watched or listed, for the reason `number`."""
        self._scene.advance(now)
        node = effect.node
        self.coverage.unwatchable(node, number)
        if self.coverage.is_missed(node):
            self._scan_place_of(node)
        if node.unreadable and node.path_waiters:
            for subscriptions in node.path_waiters.values():
                self._scene.resolver.block(subscriptions)
        if isinstance(effect, Scan):
            self._scan_finished(effect)
        return self._finish(now)

    # -- inside

    def _compare(self, listing: Listing) -> None:
        reporter = self._scene.reporter
        reporter.close()
        reporter.recovering = listing[0].changed_since_ns > 0
        self._listings.listed(listing)
        reporter.close()
        reporter.recovering = False

    def _scan_finished(self, effect: Scan) -> None:
        subscription = effect.requested_by
        if subscription is not None and subscription in self.subscriptions:
            self._places.scan_finished(subscription)

    def _scan_place_of(self, node: Node) -> None:
        """See what is in its place now."""
        parent = node.parent
        if parent is not None and parent.listed:
            self._scene.effects.append(Scan(parent, None))
        elif parent is not None:
            self._scene.resolver.changed_at(parent, node.name)

    def _begin(self, now: float) -> None:
        self._scene.advance(now)
        self._content.begin()

    def _finish(self, now: float) -> list[Effect]:
        """Walk what must be walked again, let go of what is not needed, hand over."""
        scene = self._scene
        scene.reporter.close()
        while scene.resolver.pending:
            for subscription in scene.resolver.take_pending():
                scene.resolver.start(subscription)
                self._places.target_resolved(subscription)
            scene.reporter.close()
        if scene.coverage.release_candidates:
            scene.coverage.release_unneeded()
        if not (scene.resolver.blocked or scene.coverage.unwatched_unreadable):
            self._retry_at = None
        elif self._retry_at is None:
            self._retry_at = now + LOOK_AGAIN_SECONDS
        if self.coverage.over_quota or self._room.due_at is not None:
            self._room.update(now)
        scene.tree.age_out()
        effects = scene.effects[:]
        scene.effects.clear()
        return effects

    def _return_to_kernel(self, resource: Resource) -> None:
        """It was quiet for long: the kernel may tell of it again."""
        if isinstance(resource, Node):
            self.coverage.set_polling(resource, self.coverage.polled_for_churn, False)
            return
        node = resource[0]
        others = (r for r in self.flow.of(node) if isinstance(r, tuple))
        if not any(self.flow.busy[r].is_polled for r in others):
            self.coverage.set_polling(node, self.coverage.polled_for_writes, False)

    def _remounted(self, point: bytes) -> None:
        """Something was mounted or unmounted there: the names there are others now."""
        for subscription in self.subscriptions:
            if subscription.scope is Scope.TREE:
                self.coverage.stop_at_mounts(subscription)
        node = self.tree.root
        for name in filter(None, point.split(b"/")):
            self._scene.resolver.changed_at(node, name)
            child = node.child(name)
            if child is None:
                return
            node = child
        for below in node.subtree():
            below.audience = None
            self.coverage.mark_for_release(below)
        self._changes.on_replaced(node)

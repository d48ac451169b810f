"""The front of the core: requests, changes and answers go in, effects come out.

The monitor says in which order the parts act. It opens nothing, waits for nothing and
never reads a clock: `now` is seconds of a monotonic clock, passed in by the executor.
"""

from collections.abc import Callable, Iterable, Sequence

from gamin.config.flow_settings import FlowSettings
from gamin.config.policy import Policy
from gamin.core.apply.busy import BusyResources
from gamin.core.apply.changes import Changes
from gamin.core.apply.fast_files import FastFiles
from gamin.core.apply.fast_scan import FastScan
from gamin.core.apply.scan import ScanChanges
from gamin.core.apply.target_change import TargetChanges
from gamin.core.coverage.need import Coverage
from gamin.core.coverage.quota_retry import QuotaRetry
from gamin.core.coverage.recovery import Recovery
from gamin.core.deliver.catch_up import CatchUp, listing_of, rows_since
from gamin.core.deliver.cursor import Cursor
from gamin.core.deliver.details import Details
from gamin.core.deliver.reporter import Reporter
from gamin.core.effects import Cover, Effect, Listing, Packed, Remove, Scan, Watch
from gamin.core.model.audiences import Audiences
from gamin.core.model.difference import NOW
from gamin.core.model.moment import Moment
from gamin.core.model.node import Node
from gamin.core.model.packing import Packing
from gamin.core.model.subscription import Place, Subscription
from gamin.core.model.tree import Tree
from gamin.core.resolve.path_walk import Found, PathResolver
from gamin.core.resolve.retry import Retry
from gamin.core.throttle.activity import Activities
from gamin.core.throttle.debounce import WriteDebouncer
from gamin.core.throttle.deferred import Deferred
from gamin.core.throttle.flow_control import FlowControl
from gamin.events import AnyChange, Row


class Monitor:
    def __init__(self, policy: Policy, settings: FlowSettings | None = None) -> None:
        self._effects: list[Effect] = []
        self.tree: Tree = Tree()
        self.moment: Moment = Moment(self.tree)
        self.packing: Packing = Packing(self.tree)
        audiences = self._audiences = Audiences()
        self.coverage: Coverage = Coverage(self.tree, audiences, policy, self._effects)
        self._resolver = PathResolver(self.tree, self.coverage, self._effects)
        self._reporter = Reporter(self._effects)
        self.details: Details = Details()
        self._catch_up = CatchUp(self.tree)
        self.flow: FlowControl = FlowControl(settings or FlowSettings())
        self._deferred = Deferred(
            tree=self.tree,
            audiences=self._audiences,
            flow=self.flow,
            reporter=self._reporter,
            details=self.details,
        )
        self._debouncer = WriteDebouncer()
        self.activities: Activities = Activities(self.tree, self.flow, self._debouncer)
        self.recovery: Recovery = Recovery(
            self.tree, self.coverage, self._resolver.invalidate, self._effects
        )
        self._quota_retry = QuotaRetry(self.coverage.method, self.coverage.registers)
        self._retry = Retry(self.coverage.registers, self._resolver, self._effects)
        self._changes = Changes(
            tree=self.tree,
            moment=self.moment,
            audiences=self._audiences,
            coverage=self.coverage,
            resolver=self._resolver,
            recovery=self.recovery,
            reporter=self._reporter,
            flow=self.flow,
            deferred=self._deferred,
            debouncer=self._debouncer,
            details=self.details,
            effects=self._effects,
        )
        self.fast_files: FastFiles = self._changes.fast_files
        self._wire_answers()
        self.subscriptions: set[Subscription] = set()
        self.polling_age: Callable[[], float] = float
        """Returns the seconds since some polled directory was last polled, 0 while none
        is. The executor sets it."""

    def _wire_answers(self) -> None:
        """Make the parts that apply what scans, probes and deadlines bring."""
        tree, audiences, coverage = self.tree, self._audiences, self.coverage
        self._fast_scan = FastScan(
            tree=tree, audiences=audiences, coverage=coverage, effects=self._effects
        )
        self._scan_changes = ScanChanges(
            tree=tree,
            audiences=audiences,
            coverage=coverage,
            resolver=self._resolver,
            reporter=self._reporter,
            content=self._changes.content,
            entries=self._changes.entries,
            fast_scan=self._fast_scan,
        )
        self._target_changes = TargetChanges(
            tree=self.tree,
            moment=self.moment,
            resolver=self._resolver,
            flow=self.flow,
            reporter=self._reporter,
            effects=self._effects,
        )
        self._busy = BusyResources(
            tree=self.tree,
            moment=self.moment,
            coverage=self.coverage,
            flow=self.flow,
            deferred=self._deferred,
            target_changes=self._target_changes,
        )

    # -- requests

    def subscribe(self, subscription: Subscription, now: float) -> list[Effect]:
        """Begin a subscription. The effect `Ready` says when it is really watched."""
        self.moment.advance(now)
        self._deferred.flush_all()
        self.subscriptions.add(subscription)
        self.details.subscribed(subscription)
        self._resolver.start(subscription)
        self._target_changes.target_resolved(subscription)
        return self._finish(now)

    def cancel(self, subscription: Subscription, now: float) -> list[Effect]:
        """End a subscription, and stop watching what only it needed."""
        self.subscriptions.discard(subscription)
        self.details.ended(subscription)
        self._resolver.end(subscription)
        self.coverage.end(subscription)
        effects = self._finish(now)
        subscription.release()
        return effects

    def rows_to_send(
        self, subscription: Subscription, cursor: Cursor[Place]
    ) -> Iterable[Row]:
        """Everything from what a client knows to what is there; moves its cursor on."""
        return self._catch_up.rows_to_send(subscription, cursor)

    def flush_deferred(self, now: float) -> list[Effect]:
        """Report all that is deferred: what is older than an answer comes before it."""
        self._begin(now)
        self._deferred.flush_all()
        return self._finish(now)

    def flush_pending(self, now: float) -> list[Effect]:
        """Report all that is held, deferred or still to be removed, for a save."""
        self._begin(now)
        self._changes.entries.removals.finish_all()
        for node, name in self._debouncer.expired(float("inf")):
            self._changes.content.changed(node, name)
        self._deferred.flush_all()
        return self._finish(now)

    @property
    def is_removing(self) -> bool:
        """Whether the tree still has large directories that are known to be gone."""
        return bool(self._changes.entries.removals.pending)

    @property
    def longest_delay(self) -> float:
        """Seconds after which a change is reported at the latest, if nothing is lost:
        polling may have to detect it, and its resource may be busy."""
        return self.longest_undetected + self.flow.settings.report_interval

    @property
    def longest_undetected(self) -> float:
        """Seconds for which a change may be undetected, if nothing is lost: polling
        may take longer than its interval says."""
        return max(self.coverage.method.longest_interval, self.polling_age())

    def changes_since(
        self, asked: Subscription, tick: int, until: int = NOW
    ) -> Iterable[Row] | None:
        """What happened after `tick`, lazily; None if that is forgotten, or rules
        changed. `until` as in `difference`."""
        if tick < max(self.tree.floor, asked.progress.view_tick):
            return None
        return rows_since(asked, tick, until)

    def listing(self, subscription: Subscription, until: int = NOW) -> Iterable[Row]:
        """All it covers below its path, as EXISTS rows. `until` as in `difference`."""
        return listing_of(subscription, until)

    # -- changes and time

    def changed(self, batch: Sequence[AnyChange], now: float) -> list[Effect]:
        """Apply what a backend detected. The whole batch shares one tick."""
        self.moment.advance(now)
        self._changes.apply(batch, now)
        self.packing.on_changes(len(batch), now)
        if self.coverage.registers.misplaced:
            self.coverage.retry_misplaced()
        return self._finish(now)

    def drain_started(self, now: float, now_ns: int) -> None:
        """The kernel's queue is about to be drained, at the real time `now_ns`."""
        self._changes.renames.recent_scans.on_drain_started()
        self.recovery.on_drain_started(now, now_ns)

    def drained(self, started_ns: int) -> None:
        """Everything that the kernel queued before the real time `started_ns` was given
        to `changed`, and carried out."""
        self._changes.renames.recent_scans.on_drained()
        self.recovery.on_drained(started_ns)

    def work_failed(self, now: float) -> None:
        """An exception lost changes, as an overflow does, and those of polling too."""
        self.recovery.on_failure(now, self.longest_undetected)

    def deadline(self) -> float | None:
        """When `due` is to be called next; None while nothing is pending."""
        if self.coverage.release_candidates:
            return 0.0
        held = self._debouncer.deadline() if self._debouncer.held else None
        soonest, quota_retry = self._retry.due_at, self._quota_retry.due_at
        core = held, self.flow.soonest, self.recovery.due_at, self.packing.due_at
        for due in (quota_retry, *core):
            if due is not None and (soonest is None or due < soonest):
                soonest = due
        return soonest

    def due(self, now: float) -> list[Effect]:
        """Do what is due at `now`. A due recovery is not part of it: see
        `start_recovery`."""
        self._begin(now)
        for node, name in self._debouncer.expired(now):
            self._changes.content.changed(node, name)
        self._busy.due()
        self._quota_retry.due(now)
        self._retry.due(now)
        if self.packing.due(now):
            self.flow.forget_counts()
            self._effects.append(Packed())
        return self._finish(now)

    def retry(self, now: float) -> list[Effect]:
        """Do now what `due` tries every second."""
        if self._retry.due_at is None:
            return []
        self._begin(now)
        self._retry.due(float("inf"))
        return self._finish(now)

    def start_recovery(self, now: float, *, at_once: bool = False) -> bool:
        """Whether a rescan is due after a loss, or pending if it is wanted `at_once`.

        If so: apply everything the kernel has queued now, then call `recover`. Events
        from before the loss must not be applied to what the rescan finds.
        """
        return self.recovery.start(now, at_once=at_once)

    def recover(self, now: float) -> list[Effect]:
        """Begin to rescan every directory that may have lost events."""
        self._begin(now)
        self.recovery.rescan()
        return self._finish(now)

    def recover_more(self, count: int, now: float) -> list[Effect]:
        """Rescan `count` more of these, when the scans before are carried out."""
        self._begin(now)
        self.recovery.go_on(count)
        return self._finish(now)

    def policy_changed(self, policy: Policy, now: float) -> list[Effect]:
        """The rules or the mounts changed: decide again how each directory is watched,
        and scan what was mounted or unmounted."""
        self._begin(now)
        before = self.coverage.method.policy
        self.coverage.method.reapply_policy(policy)
        for point in policy.remounted(before):
            self._changes.remounted(point, self.subscriptions)
        return self._finish(now)

    def rules_changed(
        self,
        subscription: Subscription,
        directory: bytes,
        name: bytes,
        text: bytes | None,
        now: float,
    ) -> list[Effect]:
        """An ignore file of a tree has another text now, or None: it is gone. What that
        excludes is reported as deleted, what it shows again as created."""
        self._begin(now)
        self._changes.ignore_changes.rules_changed(subscription, directory, name, text)
        return self._finish(now)

    def covering(self, node: Node) -> Sequence[Subscription]:
        """The subscriptions of trees that contain the directory."""
        return self._audiences.on(node).recursive

    # -- answers to effects

    def go_on(self, effect: Cover | Remove, now: float) -> list[Effect]:
        """The answer to `Cover` and `Remove`."""
        self.moment.advance(now)
        if isinstance(effect, Remove):
            self._changes.entries.removals.go_on(effect.removal)
        elif effect.subscription in self.subscriptions:
            self.coverage.cover_more(effect)
            self._target_changes.scan_finished(effect.subscription)
        return self._finish(now)

    def probed(
        self,
        subscription: Subscription,
        node: Node,
        name: bytes,
        found: Found,
        now: float,
        *,
        is_newer: bool = False,
        error: int = 0,
    ) -> list[Effect]:
        """The answer to `Probe`: what it found, and whether that changed since its
        `changed_since_ns`; or the errno that says nothing of what is there."""
        self.moment.advance(now)
        if is_newer:
            self._resolver.mark_replaced(subscription)
        if node.listed and found is not None:
            # The directory was found by its path, as in a scan.
            self._changes.renames.recent_scans.add(node)
            self._changes.entries.on_probed(node, name, found is True)
        self._resolver.probed(subscription, node, name, found, error)
        if subscription in self.subscriptions:
            self._target_changes.target_resolved(subscription)
        return self._finish(now)

    def listed(self, listings: Sequence[Listing], now: float) -> list[Effect]:
        """The answers to several `Scan`, in their order. They share one tick."""
        self.moment.advance(now)
        apply_first, scan_finished = self._fast_scan.apply, self._scan_finished
        scanned = self._changes.renames.recent_scans.add
        for listing in listings:
            scanned(listing[0].node)
            if not apply_first(listing):
                self._scan_changes.apply(listing)
                if listing[0].changed_since_ns:
                    self.recovery.on_scanned(now)
            scan_finished(listing[0])
        return self._finish(now)

    def skipped(self, effect: Scan, now: float) -> list[Effect]:
        """The answer to a `Scan` that was left out, for nobody needs it any more."""
        self.moment.advance(now)
        self._scan_finished(effect)
        return self._finish(now)

    def unwatchable(self, effect: Watch | Scan, error: int, now: float) -> list[Effect]:
        """The directory could not be watched or listed; `error` is the errno."""
        self.moment.advance(now)
        node = effect.node
        if self.coverage.unwatchable(effect, error):
            self._resolver.scan_place_of(node)
        if node.unreadable and node.path_waiters:
            for subscriptions in node.path_waiters.values():
                self._resolver.block(subscriptions)
        if isinstance(effect, Scan):
            self._scan_finished(effect)
        return self._finish(now)

    # -- inside

    def _scan_finished(self, effect: Scan) -> None:
        subscription = effect.requested_by
        if subscription is not None and subscription in self.subscriptions:
            self._target_changes.scan_finished(subscription)

    def _begin(self, now: float) -> None:
        self.moment.advance(now)
        self._changes.content.begin()

    def _finish(self, now: float) -> list[Effect]:
        """End the operation: walk pending paths, release directories that nobody needs
        any more, and hand over the effects."""
        self._reporter.close()
        while self._resolver.pending:
            for subscription in self._resolver.take_pending():
                self._resolver.start(subscription)
                self._target_changes.target_resolved(subscription)
            self._reporter.close()
        if self.coverage.release_candidates:
            self.coverage.release_unneeded()
        self._retry.update(now)
        if self.coverage.registers.over_quota or self._quota_retry.due_at is not None:
            self._quota_retry.update(now)
        self.tree.age_out()
        effects, self._effects[:] = self._effects[:], ()
        return effects

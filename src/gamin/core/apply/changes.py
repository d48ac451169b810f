"""Applies a batch of changes: passes each to the part that knows its kind.

Makes these parts too.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from gamin.core.apply.content import Content
from gamin.core.apply.entries import EntryChanges
from gamin.core.apply.fast_files import FastFiles
from gamin.core.apply.ignore_change import IgnoreChanges
from gamin.core.apply.renames import Renames
from gamin.core.coverage.need import Coverage
from gamin.core.coverage.recovery import Recovery
from gamin.core.deliver.details import Details
from gamin.core.deliver.reporter import Reporter
from gamin.core.effects import Effect
from gamin.core.model.audiences import Audiences
from gamin.core.model.moment import Moment
from gamin.core.model.subscription import Scope, Subscription
from gamin.core.model.tree import Tree
from gamin.core.resolve.path_walk import PathResolver
from gamin.core.throttle.debounce import WriteDebouncer
from gamin.core.throttle.deferred import Deferred
from gamin.core.throttle.flow_control import FlowControl
from gamin.events import (
    ATTRIB,
    CLOSE_WRITE,
    CREATE,
    IGNORED,
    MODIFY,
    MOVED_TO,
    OVERFLOW,
    AnyChange,
)

_CONTENT: Final = MODIFY | CLOSE_WRITE | ATTRIB
_ARRIVAL: Final = CREATE | MOVED_TO


class Changes:
    def __init__(
        self,
        *,
        tree: Tree,
        moment: Moment,
        audiences: Audiences,
        coverage: Coverage,
        resolver: PathResolver,
        recovery: Recovery,
        reporter: Reporter,
        flow: FlowControl,
        deferred: Deferred,
        debouncer: WriteDebouncer,
        details: Details,
        effects: list[Effect],
    ) -> None:
        self._tree, self._audiences = tree, audiences
        self._coverage, self._resolver, self._recovery = coverage, resolver, recovery
        self.content: Content = Content(
            tree=tree,
            moment=moment,
            audiences=audiences,
            coverage=coverage,
            resolver=resolver,
            reporter=reporter,
            flow=flow,
            deferred=deferred,
            debouncer=debouncer,
            details=details,
            effects=effects,
        )
        self.entries: EntryChanges = EntryChanges(
            tree=tree,
            moment=moment,
            audiences=audiences,
            coverage=coverage,
            resolver=resolver,
            reporter=reporter,
            flow=flow,
            deferred=deferred,
            debouncer=debouncer,
            effects=effects,
            content=self.content,
        )
        self.fast_files: FastFiles = FastFiles(
            tree=tree,
            moment=moment,
            audiences=audiences,
            coverage=coverage,
            reporter=reporter,
            flow=flow,
            deferred=deferred,
            debouncer=debouncer,
            content=self.content,
        )
        self.renames: Renames = self._make_renames(
            tree, moment, audiences, coverage, reporter, flow, deferred, debouncer
        )

    def _make_renames(
        self,
        tree: Tree,
        moment: Moment,
        audiences: Audiences,
        coverage: Coverage,
        reporter: Reporter,
        flow: FlowControl,
        deferred: Deferred,
        debouncer: WriteDebouncer,
    ) -> Renames:
        """Also makes `ignore_changes`, which renames need."""
        self.ignore_changes: IgnoreChanges = IgnoreChanges(
            tree=tree, audiences=audiences, coverage=coverage, reporter=reporter
        )
        return Renames(
            tree=tree,
            moment=moment,
            audiences=audiences,
            coverage=coverage,
            reporter=reporter,
            flow=flow,
            deferred=deferred,
            debouncer=debouncer,
            content=self.content,
            entries=self.entries,
            ignore_changes=self.ignore_changes,
            on_relinked=self._recovery.on_moved,
        )

    def apply(self, batch: Sequence[AnyChange], now: float) -> None:
        """Apply all changes of a batch, in their order."""
        self.content.begin()
        apply_files, end = self.fast_files.apply, len(batch)
        index = apply_files(batch, 0)
        while index < end:
            self._apply_one(batch[index], now)
            index = apply_files(batch, index + 1)
        if self.renames.pending_moves:
            self.renames.end()

    def remounted(self, point: bytes, subscriptions: Iterable[Subscription]) -> None:
        """Something was mounted or unmounted there, so other names are there now. The
        directories above it are the same: paths that only lead through those are not
        walked again."""
        for subscription in subscriptions:
            if subscription.scope is Scope.TREE:
                self.ignore_changes.mounts_changed(subscription)
        above, _, name = point.rstrip(b"/").rpartition(b"/")
        parent, node = self._tree.find(above), self._tree.find(point)
        if parent is not None and name:
            self._resolver.changed_at(parent, name)
        if node is None:
            return
        for below in node.subtree():
            self._audiences.forget(below)
            self._coverage.mark_for_release(below)
        self.entries.on_replaced(node)

    def _apply_one(self, change: AnyChange, now: float) -> None:
        node, mask, cookie, name = change
        if name:
            if mask & _CONTENT:
                self.content.on_modified(node, name, mask)
            elif mask & _ARRIVAL:
                if cookie:
                    self.renames.on_moved_to(node, name, mask, cookie)
                else:
                    self.entries.on_created(node, name, mask)
            elif cookie:
                self.renames.on_moved_from(node, name, mask, cookie)
            else:
                self.entries.on_deleted(node, name, mask)
        elif mask & OVERFLOW:
            self._recovery.on_overflow(now)
        elif mask & IGNORED and node.mask:
            self._coverage.registers.suspect(node)
            self.entries.invalidate_paths(node)
        elif mask & ATTRIB:
            self.content.on_permissions_changed(node)

"""Applies changes of an entry's content, mode or times.

They are reported when the writer closes the file, or 20 ms later, and at most once a
second while the entry is busy.
"""

from collections.abc import Iterable
from typing import Final

from gamin.core.coverage.need import Coverage
from gamin.core.deliver.details import Details, details_of
from gamin.core.deliver.reporter import Reporter
from gamin.core.effects import Effect, Scan
from gamin.core.model.audiences import Audiences
from gamin.core.model.moment import Moment
from gamin.core.model.node import FILE, Node
from gamin.core.model.subscription import Scope, Subscription
from gamin.core.model.tree import Tree
from gamin.core.resolve.path_walk import PathResolver
from gamin.core.throttle.debounce import WriteDebouncer
from gamin.core.throttle.deferred import Deferred
from gamin.core.throttle.flow_control import FlowControl, Verdict
from gamin.events import CLOSE_WRITE, IS_DIR, MODIFY, Kind, Row
from gamin.paths import is_within

_DEFER: Final = Verdict.DEFER


class Content:
    def __init__(
        self,
        *,
        tree: Tree,
        moment: Moment,
        audiences: Audiences,
        coverage: Coverage,
        resolver: PathResolver,
        reporter: Reporter,
        flow: FlowControl,
        deferred: Deferred,
        debouncer: WriteDebouncer,
        details: Details,
        effects: list[Effect],
    ) -> None:
        self._tree = tree
        self._moment = moment
        self._audiences = audiences
        self._coverage = coverage
        self._resolver = resolver
        self._reporter = reporter
        self._flow = flow
        self._deferred = deferred
        self._debouncer = debouncer
        self.details = details
        self._effects = effects
        self._reported: set[tuple[Node, bytes]] = set()
        """Entries reported as changed in this batch: once is enough."""
        self.renamed: set[tuple[Node, bytes]] = set()
        """Entries reported as moved in this batch, which says nothing of content."""

    def begin(self) -> None:
        """Begin a batch."""
        self._reported.clear()
        self.renamed.clear()

    def on_modified(self, node: Node, name: bytes, mask: int) -> None:
        """The entry was written, truncated or closed after writing, or its inode
        changed."""
        touched = node.live_history or node.history
        if touched is not None:
            touch = touched.get(name)
            if (
                touch is not None
                and touch[1] == self._tree.tick
                and (node, name) not in self.renamed
            ):
                self.note_creation(node, name, mask)
                return  # made in this batch, and reported as created
        awaited_names = node.path_waiters is not None and name in node.path_waiters
        known = node.names.get(name)
        if not awaited_names and (known is None or not node.listed):
            return
        if mask & IS_DIR:
            self._may_be_passable(node, name, known)
        if self._flow.busy:
            self.count_kernel_event(node, name)
        if self.details.is_wanted:
            self.details.add_pending(node, name, mask)
        if mask & CLOSE_WRITE:
            held = self._debouncer.release(node, name)
            if held or mask & MODIFY:
                self.changed(node, name)
            elif self.details.is_wanted:
                self._closed(node, name)
        else:
            if known is not None and node.listed:
                self._tree.touch(node, name)
            self._debouncer.hold(node, name, self._moment.now)

    def note_creation(self, node: Node, name: bytes, mask: int) -> None:
        """More happened to an entry in the batch that reports it as created."""
        if self.details.is_wanted and self._audiences.on(node).detailed:
            self.details.report(node.path_prefix() + name, details_of(mask))

    def _closed(self, node: Node, name: bytes) -> None:
        """A file was closed whose changes are all reported: that is a change only for
        those who ask for details."""
        bits = self.details.take_pending(node, name)
        known = node.names.get(name)
        if (node, name) in self._reported and node.listed and known is not None:
            # The row of this batch is not delivered yet.
            self._report_details(node, name, bits)
            return
        detailed = self._audiences.on(node).detailed
        if node.listed and known is not None and detailed:
            path = node.path_prefix() + name
            self.details.report(path, bits)
            row = Row(Kind.CHANGED, path, known is not FILE)
            self._reporter.report(self._audiences.of(detailed, ()), row)
        for subscription in self._bound_to(node, name):
            if subscription.wants_details:
                self.details.report(subscription, bits)
                row = Row(Kind.CHANGED, b"", subscription.entry is None)
                self._reporter.report(subscription.own_audience, row)

    def _report_details(self, node: Node, name: bytes, bits: int) -> None:
        if self._audiences.on(node).detailed:
            self.details.report(node.path_prefix() + name, bits)
        for subscription in self._bound_to(node, name):
            if subscription.wants_details:
                self.details.report(subscription, bits)

    def on_renamed(self, node: Node, name: bytes, *, has_changed: bool) -> None:
        """The entry was reported as moved to this name.

        `has_changed` says that a change of its content is not reported yet. That is
        reported now, by the new name: the file may be renamed again and again.
        """
        entry = (node, name)
        self.renamed.add(entry)
        self._reported.discard(entry)
        if self._flow.busy:
            self._flow.record_replacement(entry, self._moment.now)
        if has_changed:
            self._debouncer.release(node, name)
            self.changed(node, name)

    def _may_be_passable(
        self, node: Node, name: bytes, known: Node | bool | None
    ) -> None:
        """The rights of a subdirectory changed, so what was hidden may be visible."""
        if isinstance(known, Node):
            here = known.path()
            for unreadable in self._coverage.registers.unreadable:
                if is_within(unreadable.path(), here):
                    self._effects.append(Scan(unreadable, None))
        for subscription in (node.path_waiters or {}).get(name, ()):
            if subscription.steps[-1] != (node, name):
                self._resolver.resolve_again(subscription)

    def on_permissions_changed(self, node: Node) -> None:
        """The rights of a watched directory changed; its parent may be polled, and so
        detect that too late."""
        for subscriptions in (node.path_waiters or {}).values():
            for subscription in subscriptions:
                if subscription.node is None:
                    self._resolver.resolve_again(subscription)

    def changed(self, node: Node, name: bytes, *, recovered: bool = False) -> None:
        """Report an entry as changed, now or when flow control allows it."""
        entry = (node, name)
        if entry in self._reported:
            return
        known = node.names.get(name)
        is_listed = node.listed and known is not None
        if is_listed:
            self._tree.touch(node, name)
        bound = self._bound_to(node, name)
        if not is_listed and not bound:
            return  # it is gone since
        for subscription in bound:
            subscription.progress.record_change(self._tree.tick)
        verdict = self._flow.record_report(entry, self._tree.tick, self._moment.now)
        is_dir = known is not FILE
        if verdict is _DEFER:
            self._report_unthrottled(node, name, is_dir, is_listed, bound)
            return
        self._reported.add(entry)
        if self.details.is_wanted and not recovered:
            self._report_details(node, name, self.details.take_pending(node, name))
        if is_listed:
            audience = self._audiences.on(node)
            if self._deferred.defer(
                node, name, is_dir, self._moment.now, recovered=recovered
            ):
                audience = self._audiences.of(audience.unthrottled, ())
            row = Row(Kind.CHANGED, node.path_prefix() + name, is_dir)
            self._reporter.report(audience, row, recovered)
        for subscription in bound:
            row = Row(Kind.CHANGED, b"", subscription.entry is None)
            self._reporter.report(subscription.own_audience, row, recovered)

    def _report_unthrottled(
        self,
        node: Node,
        name: bytes,
        is_dir: bool,
        is_listed: bool,
        bound: Iterable[Subscription],
    ) -> None:
        """Report a change that flow control defers to those it does not concern."""
        unthrottled = self._audiences.on(node).unthrottled if is_listed else ()
        own = [s for s in bound if s.is_unthrottled]
        if not (unthrottled or own):
            return
        self._reported.add((node, name))
        if self.details.is_wanted:
            self._report_details(node, name, self.details.take_pending(node, name))
        if unthrottled:
            row = Row(Kind.CHANGED, node.path_prefix() + name, is_dir)
            self._reporter.report(self._audiences.of(unthrottled, ()), row)
        for subscription in own:
            row = Row(Kind.CHANGED, b"", subscription.entry is None)
            self._reporter.report(subscription.own_audience, row)

    def _bound_to(self, node: Node, name: bytes) -> list[Subscription]:
        """The subscriptions of this single path, where it leads to something."""
        if node.path_waiters is None:
            return []
        awaited_names: Iterable[Subscription] = node.path_waiters.get(name, ())
        return [
            s
            for s in awaited_names
            if (
                s.entry is not None
                or (s.node is not None and (s.scope is Scope.FILE or s.wants_details))
            )
            and s.progress.exists_for_client
            and s.steps[-1] == (node, name)
        ]

    def directory_changed(self, subscription: Subscription) -> None:
        """Entries of the directory of a FILE subscription changed. Once per batch."""
        tick = self._tree.tick
        if subscription.progress.last_change == tick or not subscription.steps:
            return
        if not subscription.progress.exists_for_client:
            return
        subscription.progress.record_change(tick)
        resource = subscription.steps[-1]
        verdict = self._flow.record_report(resource, tick, self._moment.now)
        if verdict is Verdict.REPORT:
            self._reporter.report(
                subscription.own_audience, Row(Kind.CHANGED, b"", True)
            )

    def count_kernel_event(self, node: Node, name: bytes) -> None:
        """Count a kernel event of a busy resource; after too many, it is polled."""
        busy = self._flow.busy
        if self._audiences.on(node).needs_kernel:
            return
        if (node, name) in busy:
            if self._flow.record_kernel_events((node, name), self._moment.now):
                self._coverage.method.poll_for_writes(node)
        elif node in busy and self._flow.record_kernel_events(node, self._moment.now):
            self._coverage.method.poll_for_churn(node)

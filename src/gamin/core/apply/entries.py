"""Applies creations and deletions of entries that a backend detected, and reports them.

The kernel's events are applied in their order, but they describe the past: a directory
may have been listed after an event was queued. So every step is idempotent: what is
known is not reported again, what is unknown cannot be deleted, and a directory that is
not where it should be is scanned again. In the end the tree equals the disk, whatever
the interleaving.

`content` applies changes of content, `renames` the renames of which both ends are seen.
"""

from collections.abc import Iterable
from typing import Final

from gamin.core.apply.content import Content
from gamin.core.apply.removals import Removals, is_large, weight
from gamin.core.coverage.need import Coverage
from gamin.core.deliver.details import PLAIN, RENAMED
from gamin.core.deliver.reporter import Reporter
from gamin.core.effects import Effect, Scan
from gamin.core.model.audience import Audience
from gamin.core.model.audiences import Audiences
from gamin.core.model.moment import Moment
from gamin.core.model.node import FILE, SUBDIR, Node
from gamin.core.model.subscription import Scope
from gamin.core.model.tree import Tree
from gamin.core.resolve.path_walk import PathResolver
from gamin.core.throttle.debounce import WriteDebouncer
from gamin.core.throttle.deferred import Deferred
from gamin.core.throttle.flow_control import FlowControl
from gamin.events import CREATE, IS_DIR, MOVED_FROM, MOVED_TO, Kind

# Looked up once: on 3.11 a member of an enum costs 0.1 µs each time.
_CREATED: Final = Kind.CREATED
_DELETED: Final = Kind.DELETED
_FILE: Final = Scope.FILE


class EntryChanges:
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
        effects: list[Effect],
        content: Content,
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
        self._effects = effects
        self._content = content
        self.removals: Removals = Removals(self, effects)

    # -- coming

    def on_created(self, node: Node, name: bytes, mask: int) -> None:
        """A name was created, or another object took it."""
        if self.removals.pending and self.removals.postpone(node, name, mask):
            return
        is_dir = mask & IS_DIR != 0
        if node.path_waiters is not None or node.subscriptions is not None:
            self.notify_path_waiters(node, name, is_creation=mask & CREATE != 0)
        known = node.names.get(name)
        if not node.listed:
            if isinstance(known, Node) and not mask & CREATE:
                self.on_replaced(known)
            return
        if self._content.details.is_wanted:
            self._note(node, name, RENAMED if mask & MOVED_TO else PLAIN)
        if known is None:
            child = self.insert_entry(node, name, is_dir)
            if child is not None:
                self.scan(child)
        elif (known is not FILE) != is_dir:
            self.remove_entry(node, name)
            self.add_entry(node, name, is_dir)
        elif not mask & CREATE:  # renamed over what was there
            if isinstance(known, Node):
                self.on_replaced(known)
            else:
                self._content.changed(node, name)

    def _note(self, node: Node, name: bytes, bits: int) -> None:
        """The details of what is reported of the name now."""
        if node.listed and self._audiences.on(node).detailed:
            self._content.details.report(node.path_prefix() + name, bits)

    def add_entry(self, node: Node, name: bytes, is_dir: bool) -> None:
        """Report and add an entry that nobody knows of; a subdirectory is scanned."""
        child = self.insert_entry(node, name, is_dir)
        if child is not None:
            self.scan(child)

    def insert_entry(
        self, node: Node, name: bytes, is_dir: bool, *, recovered: bool = False
    ) -> Node | None:
        """Report and add an entry that nobody knows of. Return the node of a
        subdirectory that a tree covers: the caller is to have it scanned."""
        audience = node.audience or self._audiences.on(node)
        path = (node.prefix or node.path_prefix()) + name
        child = self._entered(node, name, path, audience) if is_dir else None
        is_deferred = bool(self._flow.busy) and self._defer(
            node, name, is_dir, recovered=recovered
        )
        self._tree.add(node, name, child or (SUBDIR if is_dir else FILE))
        if not is_deferred:
            row = _CREATED, path, is_dir, None, True
            self._reporter.report(audience, row, recovered)
        if child is not None and any(
            s.covers_directory(path) for s in audience.recursive
        ):
            return child
        return None

    def _entered(
        self, node: Node, name: bytes, path: bytes, audience: Audience
    ) -> Node | None:
        """The node of a new subdirectory, if a tree covers it or a subscription's path
        leads through it."""
        child = node.child(name)
        if child is None and any(s.covers_directory(path) for s in audience.recursive):
            child = self._coverage.make_child(node, name, self._tree.tick)
        return child

    def on_probed(self, node: Node, name: bytes, is_dir: bool) -> None:
        """A probe found the entry, perhaps before its event was read."""
        if self.removals.pending:
            self.removals.finish_at(node, name)
        known = node.names.get(name)
        if known is not None and (known is not FILE) != is_dir:
            self.remove_entry(node, name)
            known = None
        if known is None:
            self.add_entry(node, name, is_dir)

    def on_replaced(self, node: Node) -> None:
        """Another directory may have this one's place: scan it and all below."""
        for below in node.subtree():
            for subscriptions in (below.path_waiters or {}).values():
                for subscription in subscriptions:
                    self._resolver.invalidate(subscription, 1)
            if below.mask:
                self._effects.append(Scan(below, None))

    def scan(self, node: Node) -> None:
        """Have the directory watched and listed (again), to report the difference."""
        self._coverage.refresh(node)
        self._effects.append(Scan(node, None))

    # -- going

    def on_deleted(self, node: Node, name: bytes, mask: int = 0) -> None:
        """A name was deleted, or renamed away."""
        if self.removals.pending and self.removals.postpone(node, name, 0):
            return
        if self._content.details.is_wanted:
            self.note_deletion(node, name, mask)
        if node.path_waiters is not None or node.subscriptions is not None:
            self.notify_path_waiters(node, name)
        if name in node.names:
            self.on_gone(node, name, mask)

    def note_deletion(self, node: Node, name: bytes, mask: int) -> None:
        """The details of what is reported as deleted now."""
        if self._content.details.is_wanted:
            self._content.details.forget(node, name)
            self._note(node, name, RENAMED if mask & MOVED_FROM else PLAIN)

    def remove_entry(self, node: Node, name: bytes, *, recovered: bool = False) -> None:
        """Report and remove a known entry, with all that was below it."""
        known = node.names[name]
        if isinstance(known, Node):
            self.remove_subtree(known, recovered=recovered)
        if not node.listed:
            del node.names[name]
            return
        if self._debouncer.held:
            self._debouncer.release(node, name)
        audience = self._audiences.on(node)
        is_dir = known is not FILE
        is_churn = self._is_churn(node, name, is_dir, audience)
        is_deferred = bool(self._flow.busy) and self._defer(
            node, name, is_dir, dies=True, recovered=recovered
        )
        self._tree.remove(node, name)
        if is_churn and not is_deferred:
            self._flow.record_churn(node, self._tree.tick, self._moment.now)
        if not is_deferred:
            path = node.path_prefix() + name
            row = _DELETED, path, is_dir, None, False
            self._reporter.report(audience, row, recovered)

    def remove_subtree(self, node: Node, *, recovered: bool = False) -> None:
        """Report and remove all below a directory that is gone, deepest first.

        Subscriptions with `directory_events_only` get no rows for the entries.
        """
        for below in reversed(list(node.subtree())):
            self._remove_directory(below, recovered=recovered)

    def _remove_directory(self, node: Node, *, recovered: bool) -> None:
        """Report and remove all entries of a directory that is gone, and forget it."""
        if self.removals.pending:
            self.removals.on_removed(node)
        self.invalidate_paths(node)
        if node.listed:
            audience = self._without_directory_only(self._audiences.on(node))
            prefix = node.path_prefix()
            published = list(node.published_entries().items())
            self._tree.remove_all(node)
            for name, known in published:
                row = _DELETED, prefix + name, known is not FILE, None, False
                self._reporter.report(audience, row, recovered)
        self._tree.clear(node)
        self._coverage.drop(node)
        if self._flow.busy:
            self._flow.forget(node)
        self._tree.keep_tombstone(node)

    def on_gone(
        self, node: Node, name: bytes, mask: int = 0, *, recovered: bool = False
    ) -> None:
        """As `remove_entry`, for a name that nothing has now: a large directory is
        removed in slices. `mask` is that of the event; 0: a scan found it."""
        removals, known = self.removals, node.names[name]
        if removals.pending and removals.restart(node, name, recovered=recovered):
            return
        if isinstance(known, Node) and self.is_removed_in_slices(known):
            removals.begin(known, mask, recovered=recovered)
        else:
            self.remove_entry(node, name, recovered=recovered)

    def is_removed_in_slices(self, node: Node) -> bool:
        parent = node.parent
        return parent is not None and parent.listed and is_large(node)

    def remove_some(self, node: Node, most: int, *, recovered: bool) -> int:
        """Report and remove so many entries at most of a directory that is gone, and
        forget it once it has none. Return how many there were."""
        count = weight(node)
        if count <= most and not any(node.children()):
            self._remove_directory(node, recovered=recovered)
            return count
        removed = self._tree.remove_last(node, most)
        if removed:
            self._report_removed(node, removed, recovered)
            return len(removed)
        # All names are gone; these are deletions that are not reported yet.
        deferred = node.deferred or {}
        gone = [deferred.popitem() for _ in range(min(most, len(deferred)))]
        rest = [
            (name, bool(was.was_dir)) for name, was in gone if was.was_dir is not None
        ]
        self._report_removed(node, rest, recovered)
        return len(gone)

    def remove_emptied(self, node: Node, *, recovered: bool) -> None:
        """Report and remove the name of a directory whose entries are removed, in one
        that is gone, too."""
        above, name = node.parent, node.name
        assert above is not None
        if not above.listed:
            del above.names[name]
            return
        self._tree.remove(above, name)
        self._report_removed(above, [(name, node)], recovered)

    def _report_removed(
        self,
        node: Node,
        removed: Iterable[tuple[bytes, Node | bool]],
        recovered: bool,
    ) -> None:
        """Report entries of a directory that is gone; of those with a change that is
        deferred, what clients know."""
        audience = self._without_directory_only(self._audiences.on(node))
        prefix, deferred = node.path_prefix(), node.deferred
        for name, known in removed:
            is_dir: bool | None = known is not FILE
            before = deferred.pop(name, None) if deferred else None
            if before is not None:
                is_dir = before.was_dir
            if is_dir is not None:
                row = _DELETED, prefix + name, is_dir, None, False
                self._reporter.report(audience, row, recovered)

    def _without_directory_only(self, audience: Audience) -> Audience:
        if not any(s.directory_events_only for s in audience.subscriptions):
            return audience
        others = tuple(s for s in audience.subscriptions if not s.directory_events_only)
        return self._audiences.of(others, audience.recursive)

    def invalidate_paths(self, node: Node) -> None:
        """Have all paths walked again that lead through the directory or to it."""
        for subscriptions in (node.path_waiters or {}).values():
            for subscription in subscriptions:
                self._resolver.resolve_again(subscription)
        for subscription in node.subscriptions or ():
            self._resolver.resolve_again(subscription)

    # -- beside the entry itself

    def notify_path_waiters(
        self, node: Node, name: bytes, *, is_creation: bool = False
    ) -> None:
        """Have concerned paths walked again when a name comes or goes, and report the
        change of the directory itself to its FILE subscriptions."""
        if node.path_waiters is not None and name in node.path_waiters:
            self._resolver.changed_at(node, name, is_creation=is_creation)
        if node.subscriptions is not None:
            for subscription in node.subscriptions:
                if subscription.scope is _FILE:
                    self._content.directory_changed(subscription)

    def _is_churn(
        self, node: Node, name: bytes, is_dir: bool, audience: Audience
    ) -> bool:
        """Whether this deletion is churn: the entry is less than 2 s old, and the
        directory's last event was a creation.

        (Short-lived files come and go alternately; a tree is extracted first and
        deleted later.) Subdirectories of a watched tree do not count, for what is in
        them must be reported after them.
        """
        if (is_dir and audience.recursive) or not node.history:
            return False
        touch = node.history.get(name)
        if touch is None or touch[1] <= self._moment.recent_tick:
            return False
        return next(reversed(node.history)) in node.names

    def _defer(
        self,
        node: Node,
        name: bytes,
        is_dir: bool,
        *,
        dies: bool = False,
        recovered: bool = False,
    ) -> bool:
        """Defer the report of an entry that comes or goes, if its directory is busy.
        Return whether it was deferred."""
        is_deferred = self._deferred.defer(
            node, name, is_dir, self._moment.now, dies=dies, recovered=recovered
        )
        if is_deferred:
            self._content.count_kernel_event(node, b"")
        return is_deferred

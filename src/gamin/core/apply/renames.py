"""Applies renames whose two halves are known: one row, and a directory moves whole.

They are MOVED_FROM and MOVED_TO with the same cookie in one batch (the backend sees to
that; a half without its partner is a plain deletion or creation). A subscriber that
sees only one of the two places gets a deletion or a creation.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from gamin.core.apply.content import Content
from gamin.core.apply.entries import EntryChanges
from gamin.core.apply.ignore_change import IgnoreChanges
from gamin.core.apply.recent_scans import RecentScans
from gamin.core.apply.removals import is_large
from gamin.core.coverage.need import Coverage
from gamin.core.deliver.details import RENAMED
from gamin.core.deliver.reporter import Reporter
from gamin.core.model.audiences import Audiences
from gamin.core.model.moment import Moment
from gamin.core.model.node import FILE, SUBDIR, Node
from gamin.core.model.subscription import Subscription
from gamin.core.model.tree import Tree
from gamin.core.throttle.debounce import WriteDebouncer
from gamin.core.throttle.deferred import Deferred
from gamin.core.throttle.flow_control import FlowControl
from gamin.events import IS_DIR, MOVED_FROM, Kind, Row
from gamin.patterns.ignore_rules import IgnoreRules


class _PendingMove(NamedTuple):
    """The first half of a rename."""

    node: Node
    name: bytes
    known: Node | bool
    path: bytes
    is_deferred: bool
    """The report that it left is deferred, because the directory is busy."""
    has_changed: bool
    """A change of its content is not reported yet."""


class Renames:
    def __init__(
        self,
        *,
        tree: Tree,
        moment: Moment,
        audiences: Audiences,
        coverage: Coverage,
        reporter: Reporter,
        flow: FlowControl,
        deferred: Deferred,
        debouncer: WriteDebouncer,
        content: Content,
        entries: EntryChanges,
        ignore_changes: IgnoreChanges,
        on_relinked: Callable[[Node], None],
    ) -> None:
        """`on_relinked` is called with each directory that has another place now."""
        self._tree = tree
        self._moment = moment
        self._audiences = audiences
        self._coverage = coverage
        self._reporter = reporter
        self._flow = flow
        self._deferred = deferred
        self._debouncer = debouncer
        self._content = content
        self._entries = entries
        self._ignore_changes = ignore_changes
        self._on_relinked = on_relinked
        self.recent_scans: RecentScans = RecentScans()
        self.pending_moves: dict[int, list[_PendingMove]] = {}
        """First halves by cookie; several where one directory is shown at several
        places."""

    def on_moved_from(self, node: Node, name: bytes, mask: int, cookie: int) -> None:
        """The first half of a rename: the name is gone."""
        removals = self._entries.removals
        if removals.pending and removals.postpone(node, name, 0):
            return
        known = node.names.get(name)
        if known is not None and (known is not FILE) != bool(mask & IS_DIR):
            # What is known is from a later state of the disk than the event, so it is
            # another object than the one that was renamed.
            self._entries.on_deleted(node, name)
            return
        self._entries.notify_path_waiters(node, name)
        if known is None:
            return
        is_held = self._debouncer.release(node, name)
        has_changed = is_held or self._flow.has_unreported((node, name))
        path = node.path_prefix() + name
        is_deferred = False
        if node.listed:
            is_deferred = self._defer_leaving(node, name, known)
            self._tree.remove(node, name)
        else:
            del node.names[name]
        leaving = _PendingMove(node, name, known, path, is_deferred, has_changed)
        self.pending_moves.setdefault(cookie, []).append(leaving)

    def _defer(
        self, node: Node, name: bytes, is_dir: bool, *, dies: bool = False
    ) -> bool:
        """Defer the report of this end, if its directory is busy. Return whether it was
        deferred."""
        return bool(self._flow.busy) and self._deferred.defer(
            node, name, is_dir, self._moment.now, dies=dies
        )

    def _defer_leaving(self, node: Node, name: bytes, known: Node | bool) -> bool:
        """As `_defer` for the first half. What is removed in slices, if it leaves what
        is watched, is reported at the end of that: then it may be deferred."""
        if not self._flow.busy:
            return False
        if isinstance(known, Node) and self._entries.is_removed_in_slices(known):
            self._deferred.report(node, name)
            return False
        return self._defer(node, name, known is not FILE, dies=True)

    def on_moved_to(self, node: Node, name: bytes, mask: int, cookie: int) -> None:
        """The second half of a rename: the name is there."""
        leaving, removing = self._partner(cookie, node), self._entries.removals.pending
        is_busy = removing and name in removing.get(node, ())
        if leaving is None or not node.listed or is_busy:
            self._entries.on_created(node, name, mask)
            if leaving is not None:
                self._treat_as_deleted(leaving)
            return
        self._entries.notify_path_waiters(node, name)
        known = node.names.get(name)
        self._renamed(leaving, node, name, known, mask & IS_DIR != 0)

    def _partner(self, cookie: int, node: Node) -> _PendingMove | None:
        """Take the first half of the rename whose second half is in `node`."""
        several = self.pending_moves.get(cookie)
        if not several:
            return None
        same = (leaving for leaving in several if leaving.node is node)
        leaving = next(same, several[0])
        several.remove(leaving)
        return leaving

    def end(self) -> None:
        """End the batch: a first half without a second one is a deletion."""
        for several in self.pending_moves.values():
            for leaving in several:
                self._treat_as_deleted(leaving)
        self.pending_moves.clear()

    def _renamed(
        self,
        leaving: _PendingMove,
        node: Node,
        name: bytes,
        known: Node | bool | None,
        is_dir: bool,
    ) -> None:
        if isinstance(leaving.known, Node) and leaving.known.contains(node):
            self._rescan_misplaced(leaving)
            return
        if known is SUBDIR or (known is not None and (known is not FILE) != is_dir):
            if isinstance(known, Node) and known.contains(leaving.node):
                # That directory left first, but its event was lost.
                self._treat_as_deleted(leaving)
                self._entries.remove_entry(node, name)
                self._entries.add_entry(node, name, is_dir)
                return
            self._entries.remove_entry(node, name)
            known = None
        if isinstance(known, Node):
            # An empty directory was replaced, or a scan found this one here before its
            # event was read. In both cases what is there now is scanned again.
            self._treat_as_deleted(leaving)
            self._entries.scan(known)
            return
        moved = leaving.known
        if isinstance(moved, Node):
            if self._relink(leaving, moved, node, name):
                self._content.on_renamed(node, name, has_changed=leaving.has_changed)
                return
            self._treat_as_deleted(leaving)
            self._entries.add_entry(node, name, True)
            return
        path = node.path_prefix() + name
        if is_dir and any(
            s.covers_directory(path) for s in self._audiences.on(node).recursive
        ):
            self._treat_as_deleted(leaving)
            self._entries.add_entry(node, name, True)
            return
        is_deferred = self._defer(node, name, is_dir)
        if known is None:
            self._tree.add(node, name, moved)
        else:
            self._tree.touch(node, name)
        row = Row(Kind.MOVED, path, is_dir, leaving.path, known is None)
        self._report_move(leaving, node, row, is_deferred)
        self._content.on_renamed(node, name, has_changed=leaving.has_changed)

    def _rescan_misplaced(self, leaving: _PendingMove) -> None:
        """The event moves a directory into itself, so its watch is newer than the event
        and the node is misplaced. Scan every tree again that contains it."""
        trees = self._audiences.on(leaving.node).recursive
        self._treat_as_deleted(leaving)
        for subscription in trees:
            if subscription.bound_directory is not None:
                self._entries.on_replaced(subscription.bound_directory)

    def _relink(
        self, leaving: _PendingMove, moved: Node, node: Node, name: bytes
    ) -> bool:
        """Link a directory with all below it to its new place. Return False if no tree
        covers that place, so that the directory is as good as deleted."""
        path = node.path_prefix() + name
        deep = self._audiences.on(node).recursive
        if not any(s.covers_directory(path) for s in deep):
            return False
        if any(_has_left_rules(s, path) for s in deep):
            return False  # scanned later, when those files are reported
        before = self._audiences.on(moved)
        if is_large(moved) and not any(s in deep for s in before.recursive):
            return False  # nobody sees both places: removed and scanned in slices
        is_deferred = self._defer(node, name, True)
        all_below = list(moved.subtree())  # once: there may be 20,000
        self._detach_bound(all_below)
        trees = [s for s in before.recursive if s in deep and s.covers_directory(path)]
        visible = {
            subscription: self._ignore_changes.visible(subscription, moved)
            for subscription in trees
            if _may_differ(subscription, leaving.path, path)
        }
        self._tree.relink(moved, node, name)
        self._on_relinked(moved)
        self._tree.add(node, name, moved)
        for subscription in trees:
            _take_rules_along(subscription, leaving.path, path)
        if before.recursive != deep or not all(s.is_unfiltered for s in deep):
            for below in all_below:
                self._audiences.forget(below)
                self._coverage.mark_for_release(below)
        self._coverage.method.on_moved(moved)
        after = self._audiences.on(moved)
        for subscription in before.recursive:
            if subscription not in after.recursive:
                self._report_below(subscription, moved, Kind.DELETED, leaving.path)
        row = Row(Kind.MOVED, path, True, leaving.path, True)
        self._report_move(leaving, node, row, is_deferred)
        for subscription, names in visible.items():
            self._ignore_changes.changed(subscription, moved, names)
        for subscription in after.recursive:
            if subscription not in before.recursive:
                self._report_below(subscription, moved, Kind.CREATED, path)
                self._coverage.cover(moved, subscription)
        for below in all_below:
            if below.mask and not below.is_watched:
                self._coverage.registers.suspect(below, 1)
        for scanned in self.recent_scans.within(moved):
            self._entries.scan(scanned)
        return True

    def _detach_bound(self, all_below: Iterable[Node]) -> None:
        """Directories get another path: report what is deferred in them, and have the
        paths walked again that lead there."""
        for below in all_below:
            if below.deferred is not None:
                self._deferred.flush(below)
            if below.path_waiters is not None or below.subscriptions is not None:
                self._entries.invalidate_paths(below)
                for subscription in self._coverage.bound(below):
                    self._coverage.suspend(subscription)

    def _report_move(
        self, leaving: _PendingMove, node: Node, row: Row, is_deferred: bool
    ) -> None:
        """Report MOVED to subscribers of both places, DELETED or CREATED to subscribers
        of one of them; nothing for a place whose report was deferred."""
        source = self._audiences.on(leaving.node) if leaving.node.listed else None
        target = self._audiences.on(node)
        if source is target and not is_deferred and not leaving.is_deferred:
            self._reporter.report(target, row)
            return
        of_source = () if source is None else source.subscriptions
        both = tuple(s for s in of_source if s in target.subscriptions)
        if is_deferred or leaving.is_deferred:
            both = ()
        gone = Row(Kind.DELETED, leaving.path, row.is_dir)
        came = row.is_new
        new = Row(
            Kind.CREATED if came else Kind.CHANGED, row.path, row.is_dir, None, came
        )
        if self._content.details.is_wanted:
            self._note_half(leaving.node, leaving.path)
            self._note_half(node, row.path)
        if not leaving.is_deferred:
            self._report_to([s for s in of_source if s not in both], gone)
        self._report_to(both, row)
        if not is_deferred:
            self._report_to([s for s in target.subscriptions if s not in both], new)

    def _note_half(self, node: Node, path: bytes) -> None:
        """What is reported of the entry of `node` may be half of a rename."""
        if node.listed and self._audiences.on(node).detailed:
            self._content.details.report(path, RENAMED)

    def _report_to(self, subscriptions: Sequence[Subscription], row: Row) -> None:
        if subscriptions:
            self._reporter.report(self._audiences.of(tuple(subscriptions), ()), row)

    def _report_below(
        self, subscription: Subscription, node: Node, kind: Kind, path: bytes
    ) -> None:
        """Report everything below a directory that was renamed out of, or into, what
        one subscription covers. `path` is where that subscription sees it. Deletions
        come from below, so that no directory goes before what is in it."""
        skip = len(node.path_prefix())
        rows: list[Row] = []
        stack = [node]
        while stack:
            below = stack.pop()
            if not below.listed:
                continue
            prefix = path + b"/" + below.path_prefix()[skip:]
            for name, known in below.entries.items():
                row = Row(kind, prefix + name, known is not FILE)
                rows.append(row)
                if isinstance(known, Node) and subscription.covers_directory(row.path):
                    stack.append(known)
        for row in reversed(rows) if kind is Kind.DELETED else rows:
            self._reporter.report(subscription.own_audience, row)

    def _treat_as_deleted(self, leaving: _PendingMove) -> None:
        node, name, known, path, is_deferred, _ = leaving
        if isinstance(known, Node):
            is_free = not is_deferred and name not in node.names
            if is_free and self._entries.is_removed_in_slices(known):
                self._tree.restore(node, name, known)
                self._entries.removals.begin(known, MOVED_FROM)
                return
            self._entries.remove_subtree(known)
        if node.listed and not is_deferred:
            if self._content.details.is_wanted:
                self._note_half(node, path)
            row = Row(Kind.DELETED, path, known is not FILE)
            self._reporter.report(self._audiences.on(node), row)


def _may_differ(subscription: Subscription, source: bytes, destination: bytes) -> bool:
    """Whether the rules above may ignore other things in the renamed directory."""
    rules, skip = subscription.ignore, len(subscription.prefix)
    if not isinstance(rules, IgnoreRules):
        return False
    return not rules.are_alike(source[skip:], destination[skip:])


def _has_left_rules(subscription: Subscription, path: bytes) -> bool:
    """Whether rules of ignore files at this path are still loaded: what happened there
    is not reported yet, and these rules apply to it."""
    rules, skip = subscription.ignore, len(subscription.prefix)
    return isinstance(rules, IgnoreRules) and rules.has_any(path[skip:])


def _take_rules_along(
    subscription: Subscription, source: bytes, destination: bytes
) -> None:
    """The ignore files in a renamed directory apply at its new place."""
    rules, skip = subscription.ignore, len(subscription.prefix)
    if isinstance(rules, IgnoreRules):
        rules.moved(source[skip:], destination[skip:])

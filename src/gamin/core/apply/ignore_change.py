"""Applies ignore rules that change while a tree is watched.

What the rules ignore from now on is reported as deleted and no longer watched; what
they no longer ignore is watched and reported as created. So what a client knows is
always the tree without what is ignored.
"""

from gamin.core.coverage.need import Coverage
from gamin.core.deliver.reporter import Reporter
from gamin.core.model.audiences import Audiences
from gamin.core.model.difference import listing
from gamin.core.model.node import SUBDIR, Node
from gamin.core.model.subscription import Subscription
from gamin.core.model.tree import Tree
from gamin.events import Kind, Row
from gamin.patterns.ignore_rules import IgnoreRules


class IgnoreChanges:
    def __init__(
        self,
        *,
        tree: Tree,
        audiences: Audiences,
        coverage: Coverage,
        reporter: Reporter,
    ) -> None:
        self._tree = tree
        self._audiences = audiences
        self._coverage = coverage
        self._reporter = reporter

    def rules_changed(
        self,
        subscription: Subscription,
        directory: bytes,
        name: bytes,
        text: bytes | None,
    ) -> None:
        """Load the text of an ignore file into the subscription's rules (None: the file
        is gone), and report what that changes."""
        rules, node = subscription.ignore, subscription.bound_directory
        if not isinstance(rules, IgnoreRules) or node is None:
            return
        # Rules from above the root (b"..") may concern all of the tree.
        inside = b"" if directory.startswith(b"..") else directory
        for part in filter(None, inside.split(b"/")):
            child = node.child(part)
            if child is None or not subscription.covers_directory(child.path()):
                return
            node = child
        if rules.knows(directory, name, text):
            return
        before = self.visible(subscription, node)
        rules.load(directory, name, text)
        for below in node.subtree():
            self._audiences.forget(below)
            self._coverage.mark_for_release(below)
        self._view_changed(subscription, node, before)

    def mounts_changed(self, subscription: Subscription) -> None:
        """A tree ends at mount points, and these are others now: report what a mount
        hides as deleted, and what shows again as created."""
        node = subscription.bound_directory
        excluded = self._coverage.mounts_within(subscription)
        if node is None or excluded == subscription.target.excluded_mounts:
            return
        before = self.visible(subscription, node)
        self._coverage.stop_at_mounts(subscription)
        for below in node.subtree():
            self._audiences.forget(below)
            self._coverage.mark_for_release(below)
        self._view_changed(subscription, node, before)

    def _view_changed(
        self, subscription: Subscription, node: Node, before: dict[bytes, bool]
    ) -> None:
        """As `changed`, for entries of which none changed itself. A client that comes
        with an earlier clock gets everything: no tick says what it does not know, and
        what was deleted earlier, in what is hidden now, cannot be reported any more."""
        if _remembers_deletions(node) or self.visible(subscription, node) != before:
            subscription.progress.record_view_change(self._tree.tick)
        self.changed(subscription, node, before)

    def visible(self, subscription: Subscription, node: Node) -> dict[bytes, bool]:
        """Everything below `node` that the rules let the subscription see: paths
        relative to `node`, parents first, and whether each is a directory."""
        skip = len(node.path_prefix())
        return {
            row.path[skip:]: row.is_dir
            for row in listing(node, subscription.covers_directory)
            if subscription.covers_entry(row.path, row.is_dir)
        }

    def changed(
        self, subscription: Subscription, node: Node, before: dict[bytes, bool]
    ) -> None:
        """The rules for what is below `node` changed: report what is different from
        `before`, which `visible` returned before the change."""
        after = self.visible(subscription, node)
        report, own_audience = self._reporter.report, subscription.own_audience
        prefix = node.path_prefix()
        for name in reversed([name for name in before if name not in after]):
            row = Row(Kind.DELETED, prefix + name, before[name])
            report(own_audience, row, filtered=False)
        for name, is_dir in after.items():
            if name not in before:
                row = Row(Kind.CREATED, prefix + name, is_dir, None, True)
                report(own_audience, row, filtered=False)
        self._enter(subscription, node)

    def _enter(self, subscription: Subscription, node: Node) -> None:
        """Have the directories scanned that are no longer ignored; the scan reports
        what is in them."""
        coverage = self._coverage
        for below in list(node.subtree()):
            if not below.listed or below.audience is None:
                self._audiences.on(below)
            if subscription not in below.audience.recursive:
                continue
            prefix = below.path_prefix()
            for name, known in list(below.entries.items()):
                if known is SUBDIR and subscription.covers_directory(prefix + name):
                    coverage.cover(coverage.ensure_child(below, name), subscription)


def _remembers_deletions(node: Node) -> bool:
    """Whether anything below is known to have gone."""
    return any(
        below.tombstones
        or below.moved_away
        or (below.has_history and not below.past.keys() <= below.entries.keys())
        for below in node.subtree()
    )

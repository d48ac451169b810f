"""Applies a scan of a directory that subscribers may know already.

The listing is compared with the known state, so a scan repairs whatever the backends
missed. Subdirectories that a tree covers are scanned in turn. The first scans of a tree
are applied by `fast_scan`.
"""

from collections.abc import Iterable, Mapping

from gamin.core.apply.content import Content
from gamin.core.apply.entries import EntryChanges
from gamin.core.apply.fast_scan import FastScan
from gamin.core.coverage.need import Coverage
from gamin.core.deliver.reporter import Reporter
from gamin.core.effects import Listing
from gamin.core.model.audiences import Audiences
from gamin.core.model.difference import listing
from gamin.core.model.node import FILE, SUBDIR, Node
from gamin.core.model.tree import Tree
from gamin.core.resolve.path_walk import PathResolver
from gamin.events import Kind


class ScanChanges:
    def __init__(
        self,
        *,
        tree: Tree,
        audiences: Audiences,
        coverage: Coverage,
        resolver: PathResolver,
        reporter: Reporter,
        content: Content,
        entries: EntryChanges,
        fast_scan: FastScan,
    ) -> None:
        self._tree = tree
        self._audiences = audiences
        self._coverage = coverage
        self._resolver = resolver
        self._reporter = reporter
        self._content = content
        self._entries = entries
        self._fast_scan = fast_scan

    def apply(self, listing: Listing) -> None:
        """Apply a listing, and report what is different to those who are ready.

        The rows are marked as recovered if the scan follows a loss.
        """
        if self._entries.removals.pending:
            listing = self._entries.removals.without_returning(listing)
        (node, subscription, changed_since_ns), directories, others, newer = listing
        if node.unreadable:
            for subscriptions in (node.path_waiters or {}).values():
                self._resolver.retry(subscriptions)
        self._coverage.registers.confirm_present(node, changed_since_ns)
        audience = self._audiences.on(node)
        if not node.mask or not audience.subscriptions:
            return
        if node.listed and not (directories or newer) and node.has_just(others):
            return  # nothing changed, as in most repeated scans
        present = {**dict.fromkeys(directories, True), **dict.fromkeys(others, False)}
        recovered = changed_since_ns > 0
        self._remove_others(node, present, recovered)
        passed = [] if node.listed else list(node.children())
        for child in passed:
            self._audiences.forget_below(child)
        if node.listed or any(s.progress.ready for s in audience.subscriptions):
            self._compare(node, present, newer, recovered)
        else:
            for name, is_dir in present.items():
                node.names.setdefault(name, SUBDIR if is_dir else FILE)
            self._tree.mark_listed(node)
        self._include(node, passed, recovered)
        if audience.recursive:
            self._fast_scan.descend(node, directories, subscription, changed_since_ns)

    def _remove_others(
        self, node: Node, present: Mapping[bytes, bool], recovered: bool
    ) -> None:
        """Remove the entries that are gone, or of another type now."""
        names = node.names
        for name in [
            n for n, k in names.items() if present.get(n) is not (k is not FILE)
        ]:
            gone = (
                self._entries.remove_entry if name in present else self._entries.on_gone
            )
            gone(node, name, recovered=recovered)

    def _compare(
        self,
        node: Node,
        present: Mapping[bytes, bool],
        newer: Iterable[bytes],
        recovered: bool,
    ) -> None:
        """Report the entries that are new, and those that changed."""
        # Of a directory that was not listed, only the subdirectories are known that
        # some path leads through; they were reported to nobody.
        reported = set(node.names) if node.listed else set()
        self._tree.mark_listed(node)
        for name, is_dir in present.items():
            if name not in reported:
                self._entries.insert_entry(node, name, is_dir, recovered=recovered)
        for name in newer:
            if name in reported:  # the others were reported as created just now
                self._content.changed(node, name, recovered=recovered)

    def _include(self, node: Node, children: Iterable[Node], recovered: bool) -> None:
        """Report subdirectories that were listed earlier, for others: from now on they
        belong to the trees that cover this directory."""
        deep = self._audiences.on(node).recursive
        for child in children:
            for subscription in [s for s in deep if s.covers_directory(child.path())]:
                if subscription.progress.ready:
                    for row in listing(child, subscription.covers_directory):
                        created = row._replace(kind=Kind.CREATED)
                        self._reporter.report(
                            subscription.own_audience, created, recovered
                        )
                self._coverage.cover(child, subscription)

"""Defers reports about busy directories and files, and keeps what clients know of them.

`flow_control` says when the report is due.

For each name in a busy directory that came or went since the last report, the directory
keeps what its subscribers believe of it (`Node.deferred`). So the report is exactly the
difference between that and what is there: an entry that came and went meanwhile is not
reported, and takes no memory either. Whoever gets a listing or a difference meanwhile
gets what the others believe (`Node.published_entries`), so one report is right for all.
"""

from typing import Final

from gamin.core.deliver.details import Details
from gamin.core.deliver.reporter import Reporter
from gamin.core.model.audiences import Audiences
from gamin.core.model.node import FILE, Baseline, Node, new_baseline
from gamin.core.model.tree import Tree
from gamin.core.throttle.flow_control import FlowControl
from gamin.events import Kind, Row, new_row

_CREATED: Final = Kind.CREATED
_CHANGED: Final = Kind.CHANGED
_DELETED: Final = Kind.DELETED


class Deferred:
    def __init__(
        self,
        *,
        tree: Tree,
        audiences: Audiences,
        flow: FlowControl,
        reporter: Reporter,
        details: Details,
    ) -> None:
        self._tree = tree
        self._audiences = audiences
        self._flow = flow
        self._reporter = reporter
        self._details = details
        self._nodes: dict[Node, None] = {}
        """Directories that may have something deferred."""

    def defer(
        self,
        node: Node,
        name: bytes,
        is_dir: bool,
        now: float,
        *,
        dies: bool = False,
        recovered: bool = False,
    ) -> bool:
        """Defer the report of what happens to an entry now, if its directory is busy.
        Return whether it was deferred.

        Call it before the tree is changed. A subdirectory of a watched tree is never
        deferred, for what is in it must be reported after it; what was deferred of its
        name is reported first.
        """
        if node not in self._flow.busy:
            return False
        if is_dir and self._audiences.on(node).recursive:
            self.report(node, name, recovered=recovered)
            return False
        self._flow.mark_changed(node, now)
        self.record_baseline(node, name, dies=dies)
        return True

    def record_baseline(self, node: Node, name: bytes, *, dies: bool = False) -> None:
        """Keep what subscribers believe of the entry, before it changes.

        May advance the tick, so that what was reported in this tick counts as earlier.
        """
        deferred = node.deferred
        if deferred is None:
            deferred = self._tree.start_deferring(node)
            self._nodes[node] = None
        before = deferred.get(name)
        if before is None:
            known = node.names.get(name)
            was_dir = None if known is None else known is not FILE
            touch = (node.history or {}).get(name)
            if touch is not None and touch[0] == self._tree.tick:
                self._tree.tick += 1
            deferred[name] = new_baseline((was_dir, dies, self._tree.tick - 1, touch))
        elif dies and before.was_dir is None:
            del deferred[name]
        elif dies:
            deferred[name] = before._replace(was_deleted=True)

    def flush(self, node: Node) -> None:
        """Report all that was deferred of a directory's entries."""
        self._nodes.pop(node, None)
        for name, before in self._tree.stop_deferring(node).items():
            self._report_difference(node, name, before, False)

    def flush_all(self) -> None:
        """`flush` every directory, because somebody is about to read the tree."""
        for node in list(self._nodes):
            self.flush(node)

    def report_content(self, node: Node, name: bytes, since: int) -> None:
        """Report a busy entry as changed, if its content changed after the tick
        `since`.

        Nothing if its creation was reported later than that, or is still deferred.
        """
        touch = (node.history or {}).get(name)
        known = node.names.get(name)
        if not node.listed or known is None or touch is None:
            return
        last, born, *_ = touch
        if last <= max(since, born) or name in (node.deferred or ()):
            return
        self._tree.touch(node, name)
        path = node.path_prefix() + name
        audience = self._audiences.throttled(node)
        if audience.detailed:
            self._details.report(path, self._details.take_pending(node, name))
        self._reporter.report(audience, Row(Kind.CHANGED, path, known is not FILE))

    def report(self, node: Node, name: bytes, *, recovered: bool = False) -> None:
        """Report what was deferred of an entry, if anything was."""
        before = node.deferred.pop(name, None) if node.deferred else None
        if before is not None:
            self._report_difference(node, name, before, recovered)

    def _report_difference(
        self, node: Node, name: bytes, before: Baseline, recovered: bool
    ) -> None:
        known = node.names.get(name)
        is_dir = known is not FILE
        path = (node.prefix or node.path_prefix()) + name
        audience = self._audiences.on(node)
        report = self._reporter.report
        was_dir, was_deleted, since, _ = before
        self._tree.restamp(node, name, since)
        if known is not None and was_dir is is_dir and not was_deleted:
            report(audience, new_row((_CHANGED, path, is_dir, None, False)), recovered)
            return
        if was_dir is not None:
            report(audience, new_row((_DELETED, path, was_dir, None, False)), recovered)
        if known is not None:
            report(audience, new_row((_CREATED, path, is_dir, None, True)), recovered)

"""What clients are not told yet because a directory or a file is too busy.

When it is told is said by `flow`.

Of each name in a busy directory that came or went since the last report, the directory
remembers what its clients believe of it (`Node.deferred`). So the report is exactly the
difference between that and what is: a file that came and went meanwhile is not spoken
of, and takes no memory either. Whoever gets a listing or a difference meanwhile
gets what the others believe (`Node.told`), so one report is right for all.
"""

from typing import Final

from gamin.core.deliver.reporter import Reporter
from gamin.core.model.node import FILE, Baseline, Node
from gamin.core.model.subscription import Audiences
from gamin.core.model.tree import Tree
from gamin.core.throttle.flow_control import FlowControl
from gamin.events import Kind, Row

_CREATED: Final = Kind.CREATED
_CHANGED: Final = Kind.CHANGED
_DELETED: Final = Kind.DELETED
_new: Final = tuple.__new__  # a NamedTuple's constructor takes three times as long


class Deferred:
    def __init__(
        self, tree: Tree, audiences: Audiences, flow: FlowControl, reporter: Reporter
    ) -> None:
        self._tree = tree
        self._audiences = audiences
        self._flow = flow
        self._reporter = reporter
        self._nodes: dict[Node, None] = {}
        """Those that may have something untold."""

    def defer(
        self, node: Node, name: bytes, is_dir: bool, now: float, *, dies: bool = False
    ) -> bool:
        """Whether what happens to an entry now is told later; it is noted if so.

        To be asked before the tree is changed. A directory of a tree does not wait,
        for what is in it must come after it; what its name meant before is told first.
        """
        if node not in self._flow.busy:
            return False
        if is_dir and self._audiences.on(node).recursive:
            self._tell_entry(node, name)
            return False
        self._flow.mark_changed(node, now)
        self.record_baseline(node, name, dies=dies)
        return True

    def record_baseline(self, node: Node, name: bytes, *, dies: bool = False) -> None:
        """Something happens to an entry of a busy directory, and is told later. The
        tick may be a later one afterwards."""
        deferred = node.deferred
        if deferred is None:
            deferred = node.deferred = {}
            self._nodes[node] = None
        before = deferred.get(name)
        if before is None:
            known = node.names.get(name)
            was = None if known is None else known is not FILE
            touch = (node.history or {}).get(name)
            if touch is not None and touch[0] == self._tree.tick:
                self._tree.tick += 1  # what was told just now is from before
            deferred[name] = _new(Baseline, (was, dies, self._tree.tick - 1, touch))
        elif dies and before.was_dir is None:
            del deferred[name]
        elif dies:
            deferred[name] = before._replace(was_deleted=True)

    def flush(self, node: Node) -> None:
        """Tell all that was withheld of a directory's names."""
        self._nodes.pop(node, None)
        deferred, node.deferred = node.deferred, None
        for name, before in (deferred or {}).items():
            self._tell_difference(node, name, before)

    def flush_all(self) -> None:
        """The same for every directory: somebody is about to look at the tree."""
        for node in list(self._nodes):
            self.flush(node)

    def tell_content(self, node: Node, name: bytes, since: int) -> None:
        """Tell of a busy entry that it was changed after the tick `since`.

        Nothing if its creation is told later than that, or still withheld.
        """
        touch = (node.history or {}).get(name)
        known = node.names.get(name)
        if not node.listed or known is None or touch is None:
            return
        last, born, *_ = touch
        if last <= max(since, born) or name in (node.deferred or ()):
            return
        self._tree.touch(node, name)
        row = Row(Kind.CHANGED, node.path_prefix() + name, known is not FILE)
        self._reporter.tell(self._audiences.on(node), row)

    def _tell_entry(self, node: Node, name: bytes) -> None:
        before = node.deferred.pop(name, None) if node.deferred else None
        if before is not None:
            self._tell_difference(node, name, before)

    def _tell_difference(self, node: Node, name: bytes, before: Baseline) -> None:
        known = node.names.get(name)
        is_dir = known is not FILE
        path = (node.prefix or node.path_prefix()) + name
        audience = self._audiences.on(node)
        tell = self._reporter.tell
        was, was_deleted, since, _ = before
        self._tree.restamp(node, name, since)
        if known is not None and was is is_dir and not was_deleted:
            tell(audience, _new(Row, (_CHANGED, path, is_dir, None, False)))
            return
        if was is not None:
            tell(audience, _new(Row, (_DELETED, path, was, None, False)))
        if known is not None:
            tell(audience, _new(Row, (_CREATED, path, is_dir, None, True)))

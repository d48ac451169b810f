"""Applies files that come, go, are written or renamed in place, in one flat pass.

Nearly all changes are of this kind. The pass does for them what `entries`, `content`
and `renames` do, in half of the time: it looks up once what consecutive changes of one
directory have in common, and appends straight to the rows of their audience. It leaves
all other changes to these three modules.
"""

from collections.abc import Sequence
from typing import Final

from gamin.core.apply.content import Content
from gamin.core.coverage.need import Coverage
from gamin.core.deliver.details import PLAIN
from gamin.core.deliver.reporter import Reporter
from gamin.core.model.audiences import Audiences
from gamin.core.model.history import History
from gamin.core.model.moment import Moment
from gamin.core.model.node import FILE, Node
from gamin.core.model.subscription import Scope
from gamin.core.model.tree import Tree
from gamin.core.throttle.debounce import WriteDebouncer
from gamin.core.throttle.deferred import Deferred
from gamin.core.throttle.flow_control import FlowControl
from gamin.events import (
    ATTRIB,
    CLOSE_WRITE,
    CREATE,
    DELETE,
    MODIFY,
    MOVED_FROM,
    MOVED_TO,
    AnyChange,
    Kind,
)

_CREATED: Final = Kind.CREATED
_DELETED: Final = Kind.DELETED
_MOVED: Final = Kind.MOVED
_FILE: Final = FILE
_FILE_SCOPE: Final = Scope.FILE
_CONTENT: Final = MODIFY | CLOSE_WRITE | ATTRIB
_PLAIN: Final = frozenset((CREATE, DELETE))
_WRITES: Final = frozenset(
    mask for mask in range(_CONTENT + 1) if mask and not mask & ~_CONTENT
)


class FastFiles:
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
    ) -> None:
        self._tree = tree
        self._moment = moment
        self._audiences = audiences
        self._coverage = coverage
        self._reporter = reporter
        self._flow = flow
        self._deferred = deferred
        self._debouncer = debouncer
        self._content = content
        self.is_off = False
        """Leave every change to the general modules: tests compare the two."""

    def apply(self, batch: Sequence[AnyChange], start: int) -> int:
        """Apply changes from `start` on. Return the index of the first that is left to
        the general modules, or the length of the batch."""
        index, end = start, len(batch)
        while index < end and not self.is_off:
            node = batch[index][0]
            if node is None or not self._has_only_tree_audience(node):
                return index
            run = self._run_busy if node in self._flow.busy else self._run
            after = run(node, batch, index)
            if after == index:
                return index
            if self._content.details.is_wanted:
                self._note_plain(node, batch[index:after])
            index = after
        return index

    def _has_only_tree_audience(self, node: Node) -> bool:
        """Whether only subscriptions of the directory itself or of a tree get the
        changes of its entries, and no path leads through one."""
        if not node.listed or node.path_waiters is not None:
            return False
        for subscription in node.subscriptions or ():
            if subscription.request.scope is _FILE_SCOPE:
                return False
        return bool(self._audiences.on(node).subscriptions)

    def _run(self, node: Node, batch: Sequence[AnyChange], index: int) -> int:
        """`apply` consecutive changes of one directory."""
        tree, reporter, held = self._tree, self._reporter, self._debouncer.held
        tick, recent, now = tree.tick, self._moment.recent_tick, self._moment.now
        names, touched = node.names, node.live_history or tree.start_history(node)
        newest = next(reversed(touched), b"")
        prefix = node.prefix or node.path_prefix()
        rows = reporter.rows_of(self._audiences.on(node))
        # Entries created together share one history tuple, and so they do when they are
        # deleted together: that saves time and memory.
        born, gone = (tick, tick, 0, tick, False), (tick, 0, tick, 0, False)
        life, death = born, (tick, tick, tick, tick, False)
        end = len(batch)
        while index < end:
            one, mask, _, name = batch[index]
            if one is not node:
                break
            known = names.get(name)
            if mask == CREATE and known is None:
                rows.append((_CREATED, prefix + name, False, None, True))
                before = touched.pop(name, None)
                if before is None:
                    tree.touches += 1
                    touched[name] = born
                else:
                    touched[name] = (tick, tick, before[2], before[3], False)
                names[name] = _FILE
                newest = name
            elif mask == DELETE and known is _FILE:
                if held:
                    self._debouncer.release(node, name)
                rows.append((_DELETED, prefix + name, False, None, False))
                before = touched.pop(name, None)
                if before is None:
                    tree.touches += 1
                    touched[name] = gone
                else:
                    if before is not life:
                        life, death = before, (tick, before[1], tick, before[3], False)
                    touched[name] = death
                    is_churn = before[1] > recent and newest in names
                    if is_churn and self._flow.record_churn(node, tick, now):
                        end = index + 1  # it is busy from now on
                del names[name]
                newest = name
            elif mask in _WRITES and name:
                self._written(node, name, mask, touched)
                newest = next(reversed(touched), b"")
                rows = reporter.rows_of(self._audiences.on(node))
            elif mask == MOVED_FROM and self._is_renamed_here(node, batch, index):
                index += 1
                newest = batch[index][3]
                self._renamed_here(node, name, newest)
            else:
                break
            if node.latest_tick < tick:
                tree.propagate_tick(node)
            index += 1
        return index

    def _note_plain(self, node: Node, changes: Sequence[AnyChange]) -> None:
        """For those who ask for details: nothing else is said by these changes."""
        if self._audiences.on(node).detailed:
            prefix = node.path_prefix()
            for _, mask, _, name in changes:
                if mask in _PLAIN:
                    self._content.details.report(prefix + name, PLAIN)

    def _written(
        self,
        node: Node,
        name: bytes,
        mask: int,
        touched: dict[bytes, History] | None,
    ) -> None:
        touch = touched.get(name) if touched else None
        # What was created in this batch is reported as such.
        if touch is None or touch[1] != self._tree.tick or self._content.renamed:
            self._content.on_modified(node, name, mask)
        else:
            self._content.note_creation(node, name, mask)

    def _is_renamed_here(
        self, node: Node, batch: Sequence[AnyChange], index: int
    ) -> bool:
        """Whether the change is the first half of a file's rename in its directory, the
        second half follows it, and no report of the file is pending."""
        if index + 1 == len(batch):
            return False
        _, _, cookie, name = batch[index]
        target, mask, same, new = batch[index + 1]
        known, replaced = node.names.get(name), node.names.get(new)
        if known is not _FILE or (replaced is not None and replaced is not _FILE):
            return False
        return (
            target is node
            and mask == MOVED_TO
            and same == cookie
            and new != name
            and (node, name) not in self._debouncer.held
            and (node, name) not in self._flow.busy
        )

    def _renamed_here(self, node: Node, name: bytes, new: bytes) -> None:
        is_new = new not in node.names
        prefix = node.path_prefix()
        row = _MOVED, prefix + new, False, prefix + name, is_new
        self._reporter.report(self._audiences.on(node), row)
        self._tree.remove(node, name)
        if is_new:
            self._tree.add(node, new, _FILE)
        else:
            self._tree.touch(node, new)
        self._content.on_renamed(node, new, has_changed=False)

    def _run_busy(self, node: Node, batch: Sequence[AnyChange], index: int) -> int:
        """`apply` consecutive changes of a busy directory, deferring their reports."""
        names, deferred = node.names, 0
        record_baseline = self._deferred.record_baseline
        while index < len(batch):
            one, mask, _, name = batch[index]
            if one is not node:
                break
            known = names.get(name)
            if mask == CREATE and known is None:
                record_baseline(node, name)
                deferred += 1
                self._tree.add(node, name, _FILE)
            elif mask == DELETE and known is _FILE:
                self._debouncer.release(node, name)
                record_baseline(node, name, dies=True)
                deferred += 1
                self._tree.remove(node, name)
            elif mask in _WRITES and name and not deferred:  # these are counted first
                self._written(node, name, mask, node.history)
            else:
                break
            index += 1
        if (
            deferred
            and self._flow.record_deferred(node, self._moment.now, deferred)
            and not self._audiences.on(node).needs_kernel
        ):
            self._coverage.method.poll_for_churn(node)
        return index

"""Files that come, go, are written or renamed where they are: one flat pass.

That is nearly all that happens, be it little or much. It does for them what `changes`,
`content` and `renames` do, in half of the time: what the changes of one directory have
in common is looked up once for as many as follow each other, and what is told goes
straight to the rows of their audience. Whatever has more to it is left to these three.
"""

from collections.abc import Sequence
from typing import Final

from gamin.core.apply.content import Content
from gamin.core.model.node import FILE, Node
from gamin.core.model.subscription import Scope
from gamin.core.scene import Scene
from gamin.events import (
    ATTRIB,
    CLOSE_WRITE,
    CREATE,
    DELETE,
    MODIFY,
    MOVED_FROM,
    MOVED_TO,
    Change,
    Kind,
    Row,
)

_CREATED: Final = Kind.CREATED
_DELETED: Final = Kind.DELETED
_MOVED: Final = Kind.MOVED
_FILE: Final = FILE
_FILE_SCOPE: Final = Scope.FILE
_CONTENT: Final = MODIFY | CLOSE_WRITE | ATTRIB
_WRITES: Final = frozenset(
    mask for mask in range(_CONTENT + 1) if mask and not mask & ~_CONTENT
)
_new: Final = tuple.__new__  # a NamedTuple's constructor takes three times as long


class Files:
    def __init__(self, scene: Scene, content: Content) -> None:
        self._scene = scene
        self._content = content
        self.is_off = False
        """Leave everything to others: for comparison."""

    def take_in(self, batch: Sequence[Change], start: int) -> int:
        """Apply changes from `start` on; the index of the first that is left to
        others, or the length of the batch."""
        index, end = start, len(batch)
        while index < end and not self.is_off:
            node = batch[index][0]
            if node is None or not self._has_only_tree_audience(node):
                return index
            after = self._run(node, batch, index)
            if after == index:
                return index
            index = after
        return index

    def _has_only_tree_audience(self, node: Node) -> bool:
        """Whether only those who watch it, or a tree, care for its entries."""
        if not node.listed or node.path_waiters is not None:
            return False
        for subscription in node.subscriptions or ():
            if subscription.scope is _FILE_SCOPE:
                return False
        return bool(self._scene.audiences.on(node).subscriptions)

    def _run(self, node: Node, batch: Sequence[Change], index: int) -> int:
        """The same for changes of one directory that follow each other."""
        scene = self._scene
        if node in scene.flow.busy:
            return self._run_busy(node, batch, index)
        tree, reporter, held = scene.tree, scene.reporter, scene.debouncer.held
        tick, recent = tree.tick, scene.recent_tick
        names, touched = node.names, node.history
        if touched is None:
            touched = node.history = {}
        newest = next(reversed(touched), b"")
        prefix = node.prefix or node.path_prefix()
        rows = reporter.rows_of(scene.audiences.on(node))
        # Those made together share one object, and so do they when they go together:
        # that saves time and memory.
        born, gone = (tick, tick, 0, tick, False), (tick, 0, tick, 0, False)
        life, death = born, (tick, tick, tick, tick, False)
        end = len(batch)
        while index < end:
            one, mask, _, name = batch[index]
            if one is not node:
                break
            known = names.get(name)
            if mask == CREATE and known is None:
                rows.append(_new(Row, (_CREATED, prefix + name, False, None, True)))
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
                    scene.debouncer.release(node, name)
                rows.append(_new(Row, (_DELETED, prefix + name, False, None, False)))
                before = touched.pop(name, None)
                if before is None:
                    tree.touches += 1
                    touched[name] = gone
                else:
                    if before is not life:
                        life, death = before, (tick, before[1], tick, before[3], False)
                    touched[name] = death
                    if before[1] > recent and newest in names and self._is_churn(node):
                        end = index + 1
                del names[name]
                newest = name
            elif mask in _WRITES and name:
                self._written(node, name, mask)
                newest = next(reversed(touched), b"")
                rows = reporter.rows_of(scene.audiences.on(node))
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

    def _is_churn(self, node: Node) -> bool:
        """Count a young file that goes right after another (or it) came, as
        `EntryChanges` does. Whether that was once too often."""
        flow = self._scene.flow
        flow.record_report(node, self._scene.tree.tick, self._scene.now)
        return node in flow.busy

    def _written(self, node: Node, name: bytes, mask: int) -> None:
        touch = node.history.get(name) if node.history is not None else None
        # What was made in this batch is told as such.
        if touch is None or touch[1] != self._scene.tree.tick or self._content.renamed:
            self._content.on_modified(node, name, mask)

    def _is_renamed_here(self, node: Node, batch: Sequence[Change], index: int) -> bool:
        """Whether the first half of the rename of a file, of which nothing is owed to
        anybody, is followed by the second, in the same directory."""
        if index + 1 == len(batch):
            return False
        _, _, cookie, name = batch[index]
        target, mask, same, new = batch[index + 1]
        known, replaced = node.names.get(name), node.names.get(new)
        if known is not _FILE or (replaced is not None and replaced is not _FILE):
            return False
        scene = self._scene
        return (
            target is node
            and mask == MOVED_TO
            and same == cookie
            and new != name
            and (node, name) not in scene.debouncer.held
            and (node, name) not in scene.flow.busy
        )

    def _renamed_here(self, node: Node, name: bytes, new: bytes) -> None:
        scene = self._scene
        is_new = new not in node.names
        prefix = node.path_prefix()
        row = _new(Row, (_MOVED, prefix + new, False, prefix + name, is_new))
        scene.reporter.tell(scene.audiences.on(node), row)
        scene.tree.remove(node, name)
        if is_new:
            scene.tree.add(node, new, _FILE)
        else:
            scene.tree.touch(node, new)
        self._content.on_renamed(node, new, has_changed=False)

    def _run_busy(self, node: Node, batch: Sequence[Change], index: int) -> int:
        """The same where what comes and goes is told later."""
        scene = self._scene
        names, note, withheld = node.names, scene.deferred.record_baseline, 0
        while index < len(batch):
            one, mask, _, name = batch[index]
            if one is not node:
                break
            known = names.get(name)
            if mask == CREATE and known is None:
                note(node, name)
                withheld += 1
                scene.tree.add(node, name, _FILE)
            elif mask == DELETE and known is _FILE:
                scene.debouncer.release(node, name)
                note(node, name, dies=True)
                withheld += 1
                scene.tree.remove(node, name)
            elif mask in _WRITES and name and not withheld:  # these are counted first
                self._written(node, name, mask)
            else:
                break
            index += 1
        if withheld and scene.flow.record_deferred(node, scene.now, withheld):
            scene.coverage.poll_only(node)
        return index

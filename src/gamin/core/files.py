"""Files that come, go and are written in directories of a tree: one flat pass.

That is nearly all that happens, be it little or much. It does for them what `changes`
and `content` do, in half of the time: what the changes of one directory have in common
is looked up once for as many as follow each other, and what is told goes straight to
the rows of their audience. Whatever has more to it is left to these two.
"""

from collections.abc import Sequence
from typing import Final

from gamin.core.content import Content
from gamin.core.node import FILE, Node
from gamin.core.scene import Scene
from gamin.core.subscriptions import Scope
from gamin.events import ATTRIB, CLOSE_WRITE, CREATE, DELETE, MODIFY, Change, Kind, Row

_CREATED: Final = Kind.CREATED
_DELETED: Final = Kind.DELETED
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
            if node is None or not self._is_plain(node):
                return index
            after = self._run(node, batch, index)
            if after == index:
                return index
            index = after
        return index

    def _is_plain(self, node: Node) -> bool:
        """Whether only those who watch it, or a tree, care for its entries."""
        if not node.listed or node.hooks is not None:
            return False
        for subscription in node.subscriptions or ():
            if subscription.scope is _FILE_SCOPE:
                return False
        return bool(self._scene.audiences.on(node).subscriptions)

    def _run(self, node: Node, batch: Sequence[Change], start: int) -> int:
        """The same for changes of one directory that follow each other."""
        scene = self._scene
        tree, flow, reporter = scene.tree, scene.flow, scene.reporter
        held, withheld = scene.holds.held, 0
        tick, recent = tree.tick, scene.recent
        names, touched = node.names, node.touched
        if touched is None:
            touched = node.touched = {}
        newest = next(reversed(touched), b"")
        prefix = node.prefix or node.slashed()
        is_busy = node in flow.busy
        rows = reporter.rows_of(scene.audiences.on(node))
        for index in range(start, len(batch)):
            one, mask, _, name = batch[index]
            if one is not node:
                break
            known = names.get(name)
            if mask == CREATE and known is None:
                if is_busy:
                    scene.withheld.note(node, name)
                    withheld += 1
                    tick = tree.tick
                else:
                    path = prefix + name
                    rows.append(_new(Row, (_CREATED, path, False, None, True)))
                before = touched.pop(name, None)
                if before is None:
                    tree.touches += 1
                    before = (0, 0, 0, tick, False)
                touched[name] = (tick, tick, before[2], before[3], False)
                names[name] = _FILE
                newest = name
            elif mask == DELETE and known is _FILE:
                if held:
                    scene.holds.release(node, name)
                if is_busy:
                    scene.withheld.note(node, name, dies=True)
                    withheld += 1
                    tick = tree.tick
                else:
                    path = prefix + name
                    rows.append(_new(Row, (_DELETED, path, False, None, False)))
                before = touched.pop(name, None)
                if before is None:
                    tree.touches += 1
                    before = (0, 0, 0, 0, False)
                touched[name] = (tick, before[1], tick, before[3], False)
                if before[1] > recent and newest in names and not is_busy:
                    # Short-lived ones by turns: as `Changes.removed` counts them.
                    flow.withholds(node, tick, scene.now)
                    is_busy = node in flow.busy
                del names[name]
                newest = name
            elif mask in _WRITES and name:
                touch = touched.get(name)
                if touch is None or touch[1] != tick or self._content.renamed:
                    self._content.noticed(node, name, mask)
                    newest = next(reversed(touched), b"")
                    is_busy = node in flow.busy
                    rows = reporter.rows_of(scene.audiences.on(node))
                # Otherwise it was made in this batch, and is told as such.
                continue
            else:
                break
            if node.latest < tick:
                tree.raise_latest(node)
        else:
            index = len(batch)
        if withheld and flow.withheld(node, scene.now, withheld):
            scene.coverage.poll_only(node)
        return index

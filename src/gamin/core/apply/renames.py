"""Renames whose both ends are seen: one row, and a directory moves with all in it.

They come as MOVED_FROM and MOVED_TO with one cookie, both in one batch (the backend
sees to that; a half without its partner is a plain deletion or arrival). Whoever sees
only one of the two places is told of a deletion or a creation.
"""

from collections.abc import Sequence
from typing import NamedTuple

from gamin.core.apply.content import Content
from gamin.core.apply.entries import EntryChanges
from gamin.core.apply.ignore_change import Pruning
from gamin.core.model.node import FILE, SUBDIR, Node
from gamin.core.model.subscription import Subscription
from gamin.core.scene import Scene
from gamin.events import IS_DIR, Kind, Row
from gamin.patterns.ignore_rules import IgnoreRules


class _PendingMove(NamedTuple):
    """The first half of a rename."""

    node: Node
    name: bytes
    known: Node | bool
    path: bytes
    waits: bool
    """That it is gone is told later, because the directory is busy."""
    has_changed: bool
    """What is in it was changed, and nobody was told of that yet."""


class Renames:
    def __init__(self, scene: Scene, content: Content, changes: EntryChanges) -> None:
        self._scene = scene
        self._content = content
        self._changes = changes
        self._pruning = Pruning(scene)
        self.pending_moves: dict[int, list[_PendingMove]] = {}
        """By cookie; several where one directory is shown at several places."""

    def on_moved_from(self, node: Node, name: bytes, mask: int, cookie: int) -> None:
        """The first half: the name is no more, and comes up elsewhere."""
        known = node.names.get(name)
        if known is not None and (known is not FILE) != bool(mask & IS_DIR):
            # Known from a later state of the disk than the one the event is of: it is
            # not this that was renamed.
            self._changes.on_deleted(node, name)
            return
        self._changes.notify_path_waiters(node, name)
        if known is None:
            return
        is_held = self._scene.debouncer.release(node, name)
        has_changed = is_held or self._scene.flow.has_unreported((node, name))
        path = node.path_prefix() + name
        waits = False
        if node.listed:
            waits = self._waits(node, name, known is not FILE, dies=True)
            self._scene.tree.remove(node, name)
        else:
            del node.names[name]
        leaving = _PendingMove(node, name, known, path, waits, has_changed)
        self.pending_moves.setdefault(cookie, []).append(leaving)

    def _waits(
        self, node: Node, name: bytes, is_dir: bool, *, dies: bool = False
    ) -> bool:
        scene = self._scene
        return bool(scene.flow.busy) and scene.deferred.defer(
            node, name, is_dir, scene.now, dies=dies
        )

    def on_moved_to(self, node: Node, name: bytes, mask: int, cookie: int) -> None:
        """The second half."""
        leaving = self._partner(cookie, node)
        if leaving is None or not node.listed:
            self._changes.on_created(node, name, mask)
            if leaving is not None:
                self._treat_as_deleted(leaving)
            return
        self._changes.notify_path_waiters(node, name)
        known = node.names.get(name)
        self._renamed(leaving, node, name, known, mask & IS_DIR != 0)

    def _partner(self, cookie: int, node: Node) -> _PendingMove | None:
        """The first half that belongs to a second one in `node`."""
        several = self.pending_moves.get(cookie)
        if not several:
            return None
        same = (leaving for leaving in several if leaving.node is node)
        leaving = next(same, several[0])
        several.remove(leaving)
        return leaving

    def end(self) -> None:
        """The batch is over: what left and arrived nowhere is gone."""
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
            self._changes.remove_entry(node, name)
            known = None
        if isinstance(known, Node):
            # An empty directory was replaced, or a listing saw this one here before
            # its event came. Either way what is there now is looked at anew.
            self._treat_as_deleted(leaving)
            self._changes.scan(known)
            return
        moved = leaving.known
        if isinstance(moved, Node):
            if self._relink(leaving, moved, node, name):
                self._content.on_renamed(node, name, has_changed=leaving.has_changed)
                return
            self._treat_as_deleted(leaving)
            self._changes.add_entry(node, name, True)
            return
        path = node.path_prefix() + name
        if is_dir and any(
            s.covers_directory(path) for s in self._scene.audiences.on(node).recursive
        ):
            self._treat_as_deleted(leaving)
            self._changes.add_entry(node, name, True)
            return
        waits = self._waits(node, name, is_dir)
        if known is None:
            self._scene.tree.add(node, name, moved)
        else:
            self._scene.tree.touch(node, name)
        row = Row(Kind.MOVED, path, is_dir, leaving.path, known is None)
        self._tell_move(leaving, node, row, waits)
        self._content.on_renamed(node, name, has_changed=leaving.has_changed)

    def _rescan_misplaced(self, leaving: _PendingMove) -> None:
        """It seems to have gone into itself: its watch was made anew, from a later
        state of the disk than the one its event is of, so it is not where it was
        believed to be. What is where is looked at again, in all that is concerned."""
        trees = self._scene.audiences.on(leaving.node).recursive
        self._treat_as_deleted(leaving)
        for subscription in trees:
            if subscription.bound_directory is not None:
                self._changes.on_replaced(subscription.bound_directory)

    def _relink(
        self, leaving: _PendingMove, moved: Node, node: Node, name: bytes
    ) -> bool:
        """Link a directory with all below it to its new place; False if nobody there
        looks into directories, so that it has left for good."""
        path = node.path_prefix() + name
        deep = self._scene.audiences.on(node).recursive
        if not any(s.covers_directory(path) for s in deep):
            return False
        if any(_has_left_rules(s, path) for s in deep):
            return False  # listed later, when that is told
        before = self._scene.audiences.on(moved)
        waits = self._waits(node, name, True)
        for below in moved.subtree():
            self._scene.deferred.flush(below)
            self._changes.invalidate_paths(below)
            for subscription in self._scene.coverage.bound(below):
                self._scene.coverage.detach(subscription)
        trees = [s for s in before.recursive if s in deep and s.covers_directory(path)]
        seen = {
            subscription: self._pruning.seen(subscription, moved)
            for subscription in trees
            if _may_differ(subscription, leaving.path, path)
        }
        self._scene.tree.relink(moved, node, name)
        self._scene.tree.add(node, name, moved)
        for subscription in trees:
            _take_rules_along(subscription, leaving.path, path)
        for below in moved.subtree():
            below.audience = None
            self._scene.coverage.mark_for_release(below)
        after = self._scene.audiences.on(moved)
        row = Row(Kind.MOVED, path, True, leaving.path, True)
        self._tell_move(leaving, node, row, waits)
        for subscription, names in seen.items():
            self._pruning.changed(subscription, moved, names)
        for subscription in before.recursive:
            if subscription not in after.recursive:
                self._tell_below(subscription, moved, Kind.DELETED, leaving.path)
        for subscription in after.recursive:
            if subscription not in before.recursive:
                self._tell_below(subscription, moved, Kind.CREATED, path)
                self._scene.coverage.cover(moved, subscription)
        for below in moved.subtree():
            if below.mask and not below.is_noticed:
                self._scene.coverage.misplaced.setdefault(below, 1)
        return True

    def _tell_move(
        self, leaving: _PendingMove, node: Node, row: Row, waits: bool
    ) -> None:
        """MOVED to who sees both places, DELETED or CREATED to who sees one."""
        source = self._scene.audiences.on(leaving.node) if leaving.node.listed else None
        target = self._scene.audiences.on(node)
        if source is target and not waits and not leaving.waits:
            self._scene.reporter.tell(target, row)
            return
        seen = () if source is None else source.subscriptions
        both = tuple(s for s in seen if s in target.subscriptions)
        if waits or leaving.waits:
            both = ()
        gone = Row(Kind.DELETED, leaving.path, row.is_dir)
        came = row.is_new
        new = Row(
            Kind.CREATED if came else Kind.CHANGED, row.path, row.is_dir, None, came
        )
        if not leaving.waits:
            self._tell_some([s for s in seen if s not in both], gone)
        self._tell_some(both, row)
        if not waits:
            self._tell_some([s for s in target.subscriptions if s not in both], new)

    def _tell_some(self, subscriptions: Sequence[Subscription], row: Row) -> None:
        if subscriptions:
            self._scene.reporter.tell(
                self._scene.audiences.of(tuple(subscriptions), ()), row
            )

    def _tell_below(
        self, subscription: Subscription, node: Node, kind: Kind, path: bytes
    ) -> None:
        """Tell one subscription of everything below a directory that was renamed out
        of, or into, what it covers. `path` is how it knows the directory."""
        skip = len(node.path_prefix())
        stack = [node]
        while stack:
            below = stack.pop()
            if not below.listed:
                continue
            prefix = path + b"/" + below.path_prefix()[skip:]
            for name, known in below.names.items():
                row = Row(kind, prefix + name, known is not FILE)
                self._scene.reporter.tell(subscription.own_audience, row)
                if isinstance(known, Node) and subscription.covers_directory(row.path):
                    stack.append(known)

    def _treat_as_deleted(self, leaving: _PendingMove) -> None:
        node, _, known, path, waits, _ = leaving
        if isinstance(known, Node):
            self._changes.remove_subtree(known)
        if node.listed and not waits:
            row = Row(Kind.DELETED, path, known is not FILE)
            self._scene.reporter.tell(self._scene.audiences.on(node), row)


def _may_differ(subscription: Subscription, source: bytes, destination: bytes) -> bool:
    """Whether the rules above may leave out other things in a renamed directory."""
    rules, skip = subscription.ignore, len(subscription.prefix)
    if not isinstance(rules, IgnoreRules):
        return False
    return not rules.are_alike(source[skip:], destination[skip:])


def _has_left_rules(subscription: Subscription, path: bytes) -> bool:
    """Whether there were ignore files before: what was done there is still to be told,
    by their rules."""
    rules, skip = subscription.ignore, len(subscription.prefix)
    return isinstance(rules, IgnoreRules) and rules.has_any(path[skip:])


def _take_rules_along(
    subscription: Subscription, source: bytes, destination: bytes
) -> None:
    """The ignore files in a renamed directory hold where it is now."""
    rules, skip = subscription.ignore, len(subscription.prefix)
    if isinstance(rules, IgnoreRules):
        rules.moved(source[skip:], destination[skip:])

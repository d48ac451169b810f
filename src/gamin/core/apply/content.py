"""Changes of what is in an entry: written, truncated, its mode or times set.

Says when they are told: when the writer closes the file, or 20 ms later, and at most
once a second while the entry is busy.
"""

from collections.abc import Iterable

from gamin.core.effects import Scan
from gamin.core.model.node import FILE, Node
from gamin.core.model.subscription import Scope, Subscription
from gamin.core.scene import Scene
from gamin.events import CLOSE_WRITE, IS_DIR, MODIFY, Kind, Row
from gamin.paths import is_within


class Content:
    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._reported: set[tuple[Node, bytes]] = set()
        """Entries told as changed in this batch: once is enough."""
        self.renamed: set[tuple[Node, bytes]] = set()
        """Entries told as moved there in this batch: that says nothing of content."""

    def begin(self) -> None:
        """A batch begins."""
        self._reported.clear()
        self.renamed.clear()

    def on_modified(self, node: Node, name: bytes, mask: int) -> None:
        """Written, truncated, closed after writing, or its inode was changed."""
        scene = self._scene
        touched = node.history
        if touched is not None:
            touch = touched.get(name)
            if (
                touch is not None
                and touch[1] == scene.tree.tick
                and (node, name) not in self.renamed
            ):
                return  # made in this batch, and told as such
        awaited_names = node.path_waiters is not None and name in node.path_waiters
        known = node.names.get(name)
        if not awaited_names and (known is None or not node.listed):
            return
        if mask & IS_DIR:
            self._may_be_passable(node, name, known)
        if scene.flow.busy:
            self.count_kernel_event(node, name)
        if mask & CLOSE_WRITE:
            held = scene.debouncer.release(node, name)
            if held or mask & MODIFY:
                self.changed(node, name)
        else:
            if known is not None and node.listed:
                scene.tree.touch(node, name)
            scene.debouncer.hold(node, name, scene.now)

    def on_renamed(self, node: Node, name: bytes, *, has_changed: bool) -> None:
        """An entry was told as moved there. What was changed before and is not told
        yet is told by the new name, at once: it may be renamed again and again."""
        entry = (node, name)
        self.renamed.add(entry)
        self._reported.discard(entry)
        if has_changed:
            self._scene.debouncer.release(node, name)
            self.changed(node, name)

    def _may_be_passable(
        self, node: Node, name: bytes, known: Node | bool | None
    ) -> None:
        """The rights of a directory changed: what could not be seen perhaps can be."""
        scene = self._scene
        if isinstance(known, Node):
            here = known.path()
            for unreadable in scene.coverage.unreadable:
                if is_within(unreadable.path(), here):
                    scene.effects.append(Scan(unreadable, None))
        for subscription in (node.path_waiters or {}).get(name, ()):
            if subscription.steps[-1] != (node, name):
                scene.resolver.resolve_again(subscription)

    def on_permissions_changed(self, node: Node) -> None:
        """Of a watched directory; its parent may be polled and see that too late."""
        for subscriptions in (node.path_waiters or {}).values():
            for subscription in subscriptions:
                if subscription.node is None:
                    self._scene.resolver.resolve_again(subscription)

    def changed(self, node: Node, name: bytes) -> None:
        """An entry is to be told as changed (now, or when flow control lets it)."""
        scene = self._scene
        entry = (node, name)
        if entry in self._reported:
            return
        known = node.names.get(name)
        is_listed = node.listed and known is not None
        if is_listed:
            scene.tree.touch(node, name)
        bound = self._bound_to(node, name)
        if not is_listed and not bound:
            return  # it is gone since
        for subscription in bound:
            subscription.last_change = scene.tree.tick
        if scene.flow.record_report(entry, scene.tree.tick, scene.now):
            return
        self._reported.add(entry)
        is_dir = known is not FILE
        if is_listed and not scene.deferred.defer(node, name, is_dir, scene.now):
            row = Row(Kind.CHANGED, node.path_prefix() + name, is_dir)
            scene.reporter.tell(scene.audiences.on(node), row)
        for subscription in bound:
            row = Row(Kind.CHANGED, b"", subscription.entry is None)
            scene.reporter.tell(subscription.own_audience, row)

    def _bound_to(self, node: Node, name: bytes) -> list[Subscription]:
        """The subscriptions of a single path whose way ends here, and found it."""
        if node.path_waiters is None:
            return []
        awaited_names: Iterable[Subscription] = node.path_waiters.get(name, ())
        return [
            s
            for s in awaited_names
            if (s.entry is not None or (s.scope is Scope.FILE and s.node is not None))
            and s.exists_for_client
            and s.steps[-1] == (node, name)
        ]

    def directory_changed(self, subscription: Subscription) -> None:
        """A file subscription on a directory: its entries changed. Once a batch."""
        scene = self._scene
        tick = scene.tree.tick
        if subscription.last_change == tick or not subscription.steps:
            return
        if not subscription.exists_for_client:
            return
        subscription.last_change = tick
        if not scene.flow.record_report(subscription.steps[-1], tick, scene.now):
            scene.reporter.tell(subscription.own_audience, Row(Kind.CHANGED, b"", True))

    def count_kernel_event(self, node: Node, name: bytes) -> None:
        """Count a kernel event of what is busy; too many, and it is polled instead."""
        scene = self._scene
        busy = scene.flow.busy
        if (node, name) in busy:
            if scene.flow.record_kernel_events((node, name), scene.now):
                scene.coverage.poll_content(node)
        elif node in busy and scene.flow.record_kernel_events(node, scene.now):
            scene.coverage.poll_only(node)

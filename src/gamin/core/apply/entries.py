"""Names that come and go: what a backend noticed is applied to the tree, and told.

The kernel's events are taken in their order, but they speak of the past: a directory
may have been listed after the event was queued. So every step is idempotent: what is
known already is not told again, what is unknown cannot be deleted, and a directory
that turns out not to be where it should is looked at anew. In the end the tree equals
the disk, whatever the interleaving.

What is in an entry is `content`'s affair, renames that can be followed are `renames`'.
"""

from typing import Final

from gamin.core.apply.content import Content
from gamin.core.effects import Scan
from gamin.core.model.audience import Audience
from gamin.core.model.node import FILE, SUBDIR, Node
from gamin.core.model.subscription import Scope
from gamin.core.scene import Scene
from gamin.events import CREATE, IS_DIR, Kind, Row

# Looked up once: on 3.11 a member of an enum costs 0.1 µs each time, and so does the
# keyword handling of a NamedTuple's constructor.
_CREATED: Final = Kind.CREATED
_DELETED: Final = Kind.DELETED
_FILE: Final = Scope.FILE
_new: Final = tuple.__new__


class EntryChanges:
    def __init__(self, scene: Scene, content: Content) -> None:
        self._scene = scene
        self._content = content

    # -- coming

    def on_created(self, node: Node, name: bytes, mask: int) -> None:
        """A name came into being, or another object came to bear it."""
        is_dir = mask & IS_DIR != 0
        if node.path_waiters is not None or node.subscriptions is not None:
            self.notify_path_waiters(node, name, is_creation=mask & CREATE != 0)
        known = node.names.get(name)
        if not node.listed:
            if isinstance(known, Node) and not mask & CREATE:
                self.on_replaced(known)
            return
        if known is None:
            child = self.insert_entry(node, name, is_dir)
            if child is not None:
                self.scan(child)
        elif (known is not FILE) != is_dir:
            self.remove_entry(node, name)
            self.add_entry(node, name, is_dir)
        elif not mask & CREATE:  # renamed over what was there
            if isinstance(known, Node):
                self.on_replaced(known)
            else:
                self._content.changed(node, name)

    def add_entry(self, node: Node, name: bytes, is_dir: bool) -> None:
        """An entry is there that nobody was told of; a directory is looked into."""
        child = self.insert_entry(node, name, is_dir)
        if child is not None:
            self.scan(child)

    def insert_entry(self, node: Node, name: bytes, is_dir: bool) -> Node | None:
        """The same, but the answer is a directory for the caller to look into."""
        scene = self._scene
        audience = node.audience or scene.audiences.on(node)
        path = (node.prefix or node.path_prefix()) + name
        child = self._entered(node, name, path, audience) if is_dir else None
        waits = bool(scene.flow.busy) and self._withholds(node, name, is_dir)
        scene.tree.add(node, name, child or (SUBDIR if is_dir else FILE))
        if not waits:
            row = _new(Row, (_CREATED, path, is_dir, None, True))
            scene.reporter.tell(audience, row)
        if child is not None and any(
            s.covers_directory(path) for s in audience.recursive
        ):
            return child
        return None

    def _entered(
        self, node: Node, name: bytes, path: bytes, audience: Audience
    ) -> Node | None:
        """The node of a new subdirectory, if a tree goes on there or somebody's way
        leads through it already."""
        child = node.child(name)
        if child is None and any(s.covers_directory(path) for s in audience.recursive):
            child = self._scene.tree.make_child(node, name, self._scene.tree.tick)
        return child

    def on_probed(self, node: Node, name: bytes, is_dir: bool) -> None:
        """An entry was looked at, perhaps before its event comes."""
        known = node.names.get(name)
        if known is not None and (known is not FILE) != is_dir:
            self.remove_entry(node, name)
            known = None
        if known is None:
            self.add_entry(node, name, is_dir)

    def on_replaced(self, node: Node) -> None:
        """Another directory may be where this one was: look at it and all below."""
        for below in node.subtree():
            for subscriptions in (below.path_waiters or {}).values():
                for subscription in subscriptions:
                    self._scene.resolver.invalidate(subscription, 1)
            if below.mask:
                self._scene.effects.append(Scan(below, None))

    def scan(self, node: Node) -> None:
        """Watch (again) and list (again); the listing tells what is different."""
        self._scene.coverage.refresh(node)
        self._scene.effects.append(Scan(node, None))

    # -- going

    def on_deleted(self, node: Node, name: bytes) -> None:
        """A name is no more."""
        if node.path_waiters is not None or node.subscriptions is not None:
            self.notify_path_waiters(node, name)
        if name in node.names:
            self.remove_entry(node, name)

    def remove_entry(self, node: Node, name: bytes) -> None:
        """A known entry is gone, with all that was below it."""
        known = node.names[name]
        if isinstance(known, Node):
            self.remove_subtree(known)
        if not node.listed:
            del node.names[name]
            return
        scene = self._scene
        if scene.debouncer.held:
            scene.debouncer.release(node, name)
        audience = scene.audiences.on(node)
        is_dir = known is not FILE
        is_turn = self._is_churn(node, name, is_dir, audience)
        waits = bool(scene.flow.busy) and self._withholds(node, name, is_dir, dies=True)
        scene.tree.remove(node, name)
        if is_turn and not waits:
            scene.flow.record_report(node, scene.tree.tick, scene.now)
        if not waits:
            row = _new(Row, (_DELETED, node.path_prefix() + name, is_dir, None, False))
            scene.reporter.tell(audience, row)

    def remove_subtree(self, node: Node) -> None:
        """A directory is gone or beyond our reach; so is all below it.

        Deepest first. Whoever is told tersely is not told of the entries.
        """
        for below in reversed(list(node.subtree())):
            self.invalidate_paths(below)
            if below.listed:
                audience = self._without_directory_only(self._scene.audiences.on(below))
                prefix = below.path_prefix()
                told = list(below.published_entries().items())
                for name in list(below.names):
                    self._scene.tree.remove(below, name)
                for name, known in told:
                    row = Row(Kind.DELETED, prefix + name, known is not FILE)
                    self._scene.reporter.tell(audience, row)
            below.names = {}
            below.deferred = None
            below.listed = False
            self._scene.coverage.drop(below)
            if self._scene.flow.busy:
                self._scene.flow.forget(below)
            self._scene.tree.keep_tombstone(below)

    def _without_directory_only(self, audience: Audience) -> Audience:
        if not any(s.directory_events_only for s in audience.subscriptions):
            return audience
        told = tuple(s for s in audience.subscriptions if not s.directory_events_only)
        return self._scene.audiences.of(told, audience.recursive)

    def invalidate_paths(self, node: Node) -> None:
        """All ways that lead through the directory, or end at it, are to be walked."""
        for subscriptions in (node.path_waiters or {}).values():
            for subscription in subscriptions:
                self._scene.resolver.resolve_again(subscription)
        for subscription in node.subscriptions or ():
            self._scene.resolver.resolve_again(subscription)

    # -- beside the entry itself

    def notify_path_waiters(
        self, node: Node, name: bytes, *, is_creation: bool = False
    ) -> None:
        """Who else is concerned when a name comes or goes."""
        if node.path_waiters is not None and name in node.path_waiters:
            self._scene.resolver.changed_at(node, name, is_creation=is_creation)
        if node.subscriptions is not None:
            for subscription in node.subscriptions:
                if subscription.scope is _FILE:
                    self._content.directory_changed(subscription)

    def _is_churn(
        self, node: Node, name: bytes, is_dir: bool, audience: Audience
    ) -> bool:
        """Whether a young entry goes right after another (or it) came: short-lived
        files come and go by turns, a tree is extracted first and deleted later.

        Directories of a tree do not count: what is in them must come after them.
        """
        if (is_dir and audience.recursive) or not node.history:
            return False
        touch = node.history.get(name)
        if touch is None or touch[1] <= self._scene.recent_tick:
            return False
        return next(reversed(node.history)) in node.names

    def _withholds(
        self, node: Node, name: bytes, is_dir: bool, *, dies: bool = False
    ) -> bool:
        """Whether a coming or going is told later, together with others."""
        scene = self._scene
        waits = scene.deferred.defer(node, name, is_dir, scene.now, dies=dies)
        if waits:
            self._content.count_kernel_event(node, b"")
        return waits

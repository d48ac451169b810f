"""What a listing of a directory says that somebody may have been told of before.

It is compared with what is believed, so it repairs whatever notification missed.
Directories that a tree reaches are explored in turn, each watched first and listed
then. The first listings of a tree are left to `intake`.
"""

from collections.abc import Iterable, Mapping

from gamin.core.apply.content import Content
from gamin.core.apply.entries import EntryChanges
from gamin.core.apply.fast_scan import Intake
from gamin.core.effects import Listing
from gamin.core.model.difference import listing
from gamin.core.model.node import FILE, SUBDIR, Node
from gamin.core.scene import Scene
from gamin.events import Kind


class Listings:
    def __init__(
        self, scene: Scene, content: Content, changes: EntryChanges, intake: Intake
    ) -> None:
        self._scene = scene
        self._intake = intake
        self._content = content
        self._changes = changes

    def listed(self, listing: Listing) -> None:
        """Take a listing in. It is told unless nobody was told anything before."""
        (node, subscription, changed_since_ns), directories, others, newer = listing
        scene = self._scene
        if node.unreadable:
            for subscriptions in (node.path_waiters or {}).values():
                scene.resolver.retry(subscriptions)
        scene.coverage.confirm_present(node)
        audience = scene.audiences.on(node)
        if not node.mask or not audience.subscriptions:
            return
        if node.listed and not (directories or newer) and node.has_just(others):
            return  # as ever, like most of what is looked at again
        present = {**dict.fromkeys(directories, True), **dict.fromkeys(others, False)}
        self._remove_others(node, present)
        passed = [] if node.listed else list(node.children())
        for child in passed:
            for below in child.subtree():
                below.audience = None
        if node.listed or any(s.ready for s in audience.subscriptions):
            self._compare(node, present, newer)
        else:
            for name, is_dir in present.items():
                node.names.setdefault(name, SUBDIR if is_dir else FILE)
            node.listed = True
        self._include(node, passed)
        if audience.recursive:
            self._intake.descend(node, directories, subscription, changed_since_ns)

    def _remove_others(self, node: Node, present: Mapping[bytes, bool]) -> None:
        """Let go of what is not there any more, or something of another kind now."""
        names = node.names
        for name in [
            n for n, k in names.items() if present.get(n) is not (k is not FILE)
        ]:
            self._changes.remove_entry(node, name)

    def _compare(
        self, node: Node, present: Mapping[bytes, bool], newer: Iterable[bytes]
    ) -> None:
        # Of a directory that was not listed only those subdirectories are known that
        # somebody's way leads through; nobody was told of them.
        told = set(node.names) if node.listed else set()
        node.listed = True
        for name, is_dir in present.items():
            if name not in told:
                self._changes.insert_entry(node, name, is_dir)
        for name in newer:
            if name in told:  # what came has just been told, as such
                self._content.changed(node, name)

    def _include(self, node: Node, children: Iterable[Node]) -> None:
        """Subdirectories that were listed earlier, for others, belong to the trees of
        this directory from now on."""
        scene = self._scene
        deep = scene.audiences.on(node).recursive
        for child in children:
            for subscription in [s for s in deep if s.covers_directory(child.path())]:
                if subscription.ready:
                    for row in listing(child, subscription.covers_directory):
                        created = row._replace(kind=Kind.CREATED)
                        scene.reporter.tell(subscription.own_audience, created)
                scene.coverage.cover(child, subscription)

"""What a listing of a directory says: the first one, and every later one.

A later one is compared with what is believed, so it repairs whatever notification
missed. Directories that a tree reaches are explored in turn, each watched first and
listed then.
"""

from collections.abc import Iterable, Sequence

from gamin.core.changes import Changes
from gamin.core.content import Content
from gamin.core.effects import Explore
from gamin.core.scene import Scene
from gamin.core.subscriptions import Subscription
from gamin.core.tree import FILE, SUBDIR, Node


class Listings:
    def __init__(self, scene: Scene, content: Content, changes: Changes) -> None:
        self._scene = scene
        self._content = content
        self._changes = changes

    def listed(
        self,
        effect: Explore,
        directories: Sequence[bytes],
        others: Sequence[bytes],
        newer: Iterable[bytes],
    ) -> None:
        """Take a listing in. It is told unless nobody was told anything before."""
        node, subscription, verify = effect
        scene = self._scene
        scene.coverage.found(node)
        audience = scene.audiences.on(node)
        if not node.wanted or not audience.subscriptions:
            return
        if node.listed or any(s.ready for s in audience.subscriptions):
            self._compare(node, directories, others, newer)
        else:
            names = node.names
            names.update(dict.fromkeys(others, FILE))
            for name in directories:
                names.setdefault(name, SUBDIR)
            node.listed = True
        if audience.deep:
            self._descend(node, directories, subscription, verify)

    def _compare(
        self,
        node: Node,
        directories: Sequence[bytes],
        others: Sequence[bytes],
        newer: Iterable[bytes],
    ) -> None:
        changes, names = self._changes, node.names
        present = {*directories, *others}
        for name in [name for name in names if name not in present]:
            changes.removed(node, name)
        node.listed = True
        for found, is_dir in ((directories, True), (others, False)):
            for name in found:
                known = names.get(name)
                if known is not None and (known is not FILE) != is_dir:
                    changes.removed(node, name)
                    known = None
                if known is None:
                    changes.appeared(node, name, is_dir)
        for name in newer:
            self._content.changed(node, name)

    def _descend(
        self,
        node: Node,
        directories: Sequence[bytes],
        subscription: Subscription | None,
        verify: int,
    ) -> None:
        """Explore the subdirectories that some tree reaches and that are not yet."""
        scene = self._scene
        deep = scene.audiences.on(node).deep
        prefix = node.slashed()
        explore = scene.effects.append
        for name in directories:
            child = node.names.get(name)
            if isinstance(child, Node):
                if child.wanted and child.listed:
                    continue
            else:
                path = prefix + name
                if child is None or not any(s.enters(path) for s in deep):
                    continue
                child = scene.coverage.step_into(node, name)
            scene.coverage.enlist(child)
            if subscription is not None:
                subscription.crawl += 1
            explore(Explore(child, subscription, verify))

"""Taking in a tree: the first listings of directories, of which nobody is told.

What a set-up consists of, done for 100,000s of entries while a client waits. A
listing that somebody is to be told of, or that is to be compared with what is
believed, is left to `listings`.
"""

from collections.abc import Iterable, Sequence

from gamin.core.effects import Listing, Scan
from gamin.core.model.audience import Audience
from gamin.core.model.node import SUBDIR, Node
from gamin.core.model.subscription import Subscription
from gamin.core.scene import Scene


class Intake:
    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def take_in(self, listing: Listing) -> bool:
        """Whether this is all there is to do about the listing."""
        (node, subscription, changed_since_ns), directories, others, _ = listing
        is_first = node.is_packed and not node.listed and not changed_since_ns
        if not is_first or node.unreadable or not node.mask:
            return False
        audience: Audience = node.audience or self._scene.audiences.on(node)
        subscriptions = audience.subscriptions
        if not subscriptions:
            return False
        for each in subscriptions:
            if each.ready:
                return False
        self._scene.coverage.confirm_present(node)
        node.listed = True
        node.packed = b"/".join(others)
        if directories and audience.recursive:
            self._enter(node, directories, audience, subscription)
        elif directories:
            node.names.update(dict.fromkeys(directories, SUBDIR))
        return True

    def _enter(
        self,
        node: Node,
        directories: Sequence[bytes],
        audience: Audience,
        subscription: Subscription | None,
    ) -> None:
        """Have the subdirectories explored.

        They share all that was decided for their parent where nothing can make a
        difference between them.
        """
        is_alike = (
            node.uniform
            and node.subscriptions is None
            and node.tombstones is None
            and self._scene.coverage.has_default_method(node)
            and all(s.is_unfiltered for s in audience.recursive)
        )
        names = node.names
        if not is_alike:
            names.update(dict.fromkeys(directories, SUBDIR))
            self.descend(node, directories, subscription, 0)
            return
        explore = self._scene.effects.append
        for name in directories:
            child = names[name] = Node(node, name)
            child.audience = audience
            child.decision = node.decision
            child.uniform = True
            child.mask = node.mask
            child.kernel_mask = node.kernel_mask
            child.poll_mask = node.poll_mask
            child.interval = node.interval
            explore(Scan(child, subscription))
        if subscription is not None:
            subscription.pending_scans += len(directories)

    def descend(
        self,
        node: Node,
        directories: Iterable[bytes],
        subscription: Subscription | None,
        changed_since_ns: int,
    ) -> None:
        """Explore the subdirectories that some tree reaches and that are not yet."""
        scene = self._scene
        deep = scene.audiences.on(node).recursive
        prefix = node.path_prefix()
        explore = scene.effects.append
        for name in directories:
            child = node.names.get(name)
            if isinstance(child, Node):
                if child.mask and child.listed and child.is_noticed:
                    continue
            else:
                path = prefix + name
                if child is None or not any(s.covers_directory(path) for s in deep):
                    continue
                child = scene.coverage.ensure_child(node, name)
            scene.coverage.watch_fully(child)
            if subscription is not None:
                subscription.pending_scans += 1
            explore(Scan(child, subscription, changed_since_ns))

"""Applies the first scans of a tree's directories, of which nothing is reported.

Setting up a watch consists of these, for 100,000s of entries while a client waits. A
scan that must be reported, or compared with the known state, is left to `scan`.
"""

from collections.abc import Iterable, Sequence

from gamin.core.coverage.need import Coverage
from gamin.core.effects import Effect, Listing, Scan
from gamin.core.model.audience import Audience
from gamin.core.model.audiences import Audiences
from gamin.core.model.node import SUBDIR, Node
from gamin.core.model.subscription import Subscription
from gamin.core.model.tree import Tree


class FastScan:
    def __init__(
        self,
        *,
        tree: Tree,
        audiences: Audiences,
        coverage: Coverage,
        effects: list[Effect],
    ) -> None:
        self._tree = tree
        self._audiences = audiences
        self._coverage = coverage
        self._effects = effects

    def apply(self, listing: Listing) -> bool:
        """Apply a listing, if it is of this kind. Return whether it was applied."""
        (node, subscription, changed_since_ns), directories, others, _ = listing
        is_first = node.is_packed and not node.listed and not changed_since_ns
        if not is_first or node.unreadable or not node.mask:
            return False
        audience: Audience = node.audience or self._audiences.on(node)
        subscriptions = audience.subscriptions
        if not subscriptions:
            return False
        for each in subscriptions:
            if each.progress.ready:
                return False
        # Nobody knows an entry of it, so none is to be reported as changed.
        self._coverage.registers.confirm_present(node, 1)
        self._tree.apply_first_listing(node, others)
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
        """Add the subdirectories and have them scanned.

        They share what was decided for their parent, where nothing can make a
        difference between them.
        """
        is_alike = (
            node.uniform
            and node.subscriptions is None
            and node.tombstones is None
            and self._coverage.registers.is_usual(node)
            and all(s.is_unfiltered for s in audience.recursive)
        )
        names = node.names
        if not is_alike:
            names.update(dict.fromkeys(directories, SUBDIR))
            self.descend(node, directories, subscription, 0)
            return
        scan = self._effects.append
        for name in directories:
            child = names[name] = Node.alike(node, name, audience)
            scan(Scan(child, subscription))
        if subscription is not None:
            subscription.progress.expect_scans(len(directories))

    def descend(
        self,
        node: Node,
        directories: Iterable[bytes],
        subscription: Subscription | None,
        changed_since_ns: int,
    ) -> None:
        """Have the subdirectories scanned that a tree covers and that were not yet."""
        deep = self._audiences.on(node).recursive
        prefix = node.path_prefix()
        scan = self._effects.append
        for name in directories:
            child = node.names.get(name)
            if isinstance(child, Node):
                if child.mask and child.listed and child.is_watched:
                    continue
            else:
                path = prefix + name
                if child is None or not any(s.covers_directory(path) for s in deep):
                    continue
                child = self._coverage.ensure_child(node, name)
            self._coverage.watch_fully(child)
            if subscription is not None:
                subscription.progress.expect_scans(1)
            scan(Scan(child, subscription, changed_since_ns))

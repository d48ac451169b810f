"""Ignore rules that change while a tree is watched, in both directions.

What the rules ignore from now on is told as deleted, and is not watched any more; what
they do not ignore any more is watched, and told as created. So a client's picture is
always that of the tree without what is ignored.
"""

from gamin.core.model.difference import listing
from gamin.core.model.node import SUBDIR, Node
from gamin.core.model.subscription import Subscription
from gamin.core.scene import Scene
from gamin.events import Kind, Row
from gamin.patterns.ignore_rules import IgnoreRules


class Pruning:
    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def rules_changed(
        self,
        subscription: Subscription,
        directory: bytes,
        name: bytes,
        text: bytes | None,
    ) -> None:
        rules, node = subscription.ignore, subscription.bound_directory
        if not isinstance(rules, IgnoreRules) or node is None:
            return
        for part in filter(None, directory.split(b"/")):
            child = node.child(part)
            if child is None or not subscription.covers_directory(child.path()):
                return
            node = child
        if rules.knows(directory, name, text):
            return
        before = self.seen(subscription, node)
        rules.load(directory, name, text)
        for below in node.subtree():
            below.audience = None
            self._scene.coverage.mark_for_release(below)
        self.changed(subscription, node, before)

    def seen(self, subscription: Subscription, node: Node) -> dict[bytes, bool]:
        """Everything below that the subscription is told of, parents first, by the
        path as seen from `node`."""
        skip = len(node.path_prefix())
        return {
            row.path[skip:]: row.is_dir
            for row in listing(node, subscription.covers_directory)
            if subscription.covers_entry(row.path, row.is_dir)
        }

    def changed(
        self, subscription: Subscription, node: Node, before: dict[bytes, bool]
    ) -> None:
        """The rules for what is below may differ; tell what is not `seen` as before."""
        after = self.seen(subscription, node)
        reporter, own_audience = self._scene.reporter, subscription.own_audience
        prefix = node.path_prefix()
        reporter.close()
        reporter.is_exempt = True
        for name in reversed([name for name in before if name not in after]):
            reporter.tell(own_audience, Row(Kind.DELETED, prefix + name, before[name]))
        for name, is_dir in after.items():
            if name not in before:
                reporter.tell(
                    own_audience, Row(Kind.CREATED, prefix + name, is_dir, None, True)
                )
        reporter.close()
        reporter.is_exempt = False
        self._enter(subscription, node)

    def _enter(self, subscription: Subscription, node: Node) -> None:
        """Watch and list the directories that are not ignored any more; their listing
        tells what is in them."""
        coverage = self._scene.coverage
        for below in list(node.subtree()):
            if not below.listed or below.audience is None:
                self._scene.audiences.on(below)
            if subscription not in below.audience.recursive:
                continue
            prefix = below.path_prefix()
            for name, known in list(below.names.items()):
                if known is SUBDIR and subscription.covers_directory(prefix + name):
                    coverage.cover(coverage.ensure_child(below, name), subscription)

"""What a listing of a directory says: the first one, and every later one.

A later one is compared with what is believed, so it repairs whatever notification
missed. Directories that a tree reaches are explored in turn, each watched first and
listed then.
"""

from collections.abc import Iterable, Mapping, Sequence

from gamin.core.changes import Changes
from gamin.core.content import Content
from gamin.core.difference import listing
from gamin.core.effects import Explore
from gamin.core.scene import Scene
from gamin.core.subscriptions import Audience, Subscription
from gamin.core.tree import FILE, SUBDIR, Node
from gamin.events import Kind


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
        if node.blind:
            for subscriptions in (node.hooks or {}).values():
                scene.bindings.look_again(subscriptions)
        scene.coverage.found(node)
        audience = scene.audiences.on(node)
        if not node.wanted or not audience.subscriptions:
            return
        is_quiet = not verify and not any(s.ready for s in audience.subscriptions)
        if is_quiet and not node.names and not node.listed:
            self._take_in(effect, audience, directories, others)
            return
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
        if audience.deep:
            self._descend(node, directories, subscription, verify)

    def _take_in(
        self,
        effect: Explore,
        audience: Audience,
        directories: Sequence[bytes],
        others: Sequence[bytes],
    ) -> None:
        """The first listing, of which nobody is told: what a set-up consists of.

        Flat on purpose, since it is done for each of 20,000 directories while a client
        waits. A child shares all that was decided for its parent where nothing can
        make a difference between them.
        """
        node, subscription, _ = effect
        scene = self._scene
        node.listed = True
        names = node.names
        names.update(dict.fromkeys(others, FILE))
        if not audience.deep:
            names.update(dict.fromkeys(directories, SUBDIR))
            return
        is_alike = (
            node.uniform
            and node.subscriptions is None
            and node.ghosts is None
            and scene.coverage.is_plain(node)
            and all(s.is_unfiltered for s in audience.deep)
        )
        if not is_alike:
            names.update(dict.fromkeys(directories, SUBDIR))
            self._descend(node, directories, subscription, 0)
            return
        explore = scene.effects.append
        for name in directories:
            child = names[name] = Node(node, name)
            child.audience = audience
            child.decision = node.decision
            child.uniform = True
            child.wanted = node.wanted
            child.kernel = node.kernel
            child.poll = node.poll
            child.interval = node.interval
            explore(Explore(child, subscription))
        if subscription is not None:
            subscription.crawl += len(directories)

    def _remove_others(self, node: Node, present: Mapping[bytes, bool]) -> None:
        """Let go of what is not there any more, or something of another kind now."""
        names = node.names
        for name in [n for n, k in names.items() if present.get(n) != (k is not FILE)]:
            self._changes.removed(node, name)

    def _compare(
        self, node: Node, present: Mapping[bytes, bool], newer: Iterable[bytes]
    ) -> None:
        # Of a directory that was not listed only those subdirectories are known that
        # somebody's way leads through; nobody was told of them.
        told = set(node.names) if node.listed else set()
        node.listed = True
        for name, is_dir in present.items():
            if name not in told:
                self._changes.came(node, name, is_dir)
        for name in newer:
            if name in told:  # what came has just been told, as such
                self._content.changed(node, name)

    def _include(self, node: Node, children: Iterable[Node]) -> None:
        """Subdirectories that were listed earlier, for others, belong to the trees of
        this directory from now on."""
        scene = self._scene
        deep = scene.audiences.on(node).deep
        for child in children:
            for subscription in [s for s in deep if s.enters(child.path())]:
                if subscription.ready:
                    for row in listing(child, subscription.enters):
                        created = row._replace(kind=Kind.CREATED)
                        scene.reporter.tell(subscription.solo, created)
                scene.coverage.cover(child, subscription)

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
                if child.wanted and child.listed and child.is_noticed:
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

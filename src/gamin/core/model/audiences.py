"""Computes the audience of each directory."""

from weakref import WeakValueDictionary

from gamin.core.model.audience import Audience
from gamin.core.model.node import Node
from gamin.core.model.subscription import Scope, Subscription


class Audiences:
    """Makes each audience once, so that equal audiences are identical.

    It keeps none alive: while a directory gets thousands of subscriptions it has
    thousands of audiences, each as long as its number, and only the last is needed.
    """

    def __init__(self) -> None:
        self._known: WeakValueDictionary[
            tuple[tuple[Subscription, ...], tuple[Subscription, ...]], Audience
        ] = WeakValueDictionary()
        self.nobody: Audience = self.of((), ())

    def of(
        self, subscriptions: tuple[Subscription, ...], deep: tuple[Subscription, ...]
    ) -> Audience:
        """The audience of these subscriptions, of which `deep` cover subdirectories."""
        key = (subscriptions, deep)
        audience = self._known.get(key)
        if audience is None:
            audience = self._known[key] = Audience(subscriptions, deep)
        return audience

    def throttled(self, node: Node) -> Audience:
        """The part of the audience of `node` that flow control concerns."""
        audience = self.on(node)
        if not audience.unthrottled:
            return audience
        others = (s for s in audience.subscriptions if not s.is_unthrottled)
        return self.of(tuple(others), ())

    def forget(self, node: Node) -> None:
        """Have the audience of a directory computed again when it is needed."""
        node.audience = None

    def forget_below(self, node: Node) -> None:
        """`forget` the directory and all below it."""
        for below in node.subtree():
            below.audience = None

    def has_any(self, node: Node) -> bool:
        """Whether anybody gets the changes of the entries of `node`."""
        audience: Audience | None = node.audience
        if audience is None:
            for subscription in node.subscriptions or ():
                if subscription.scope is not Scope.FILE:
                    return True
            audience = self.on(node)
        return bool(audience.subscriptions)

    def on(self, node: Node) -> Audience:
        """The audience of the entries of `node`; computed once, and kept."""
        audience: Audience | None = node.audience
        if audience is not None:
            return audience
        unknown = [node]  # a loop and not recursion: trees may be 2,000 deep
        while (above := unknown[-1].parent) is not None and above.audience is None:
            unknown.append(above)
        for lower in reversed(unknown):
            lower.audience = self._compute(lower)
        computed: Audience = node.audience
        return computed

    def _compute(self, node: Node) -> Audience:
        own = node.subscriptions or ()
        deep = [s for s in own if s.scope is Scope.TREE]
        # A tree reaches as far as directories are listed: a subscriber that does not
        # know of a directory does not get what is in it.
        parent = node.parent
        if (
            parent is not None
            and parent.listed
            and (above := parent.audience.recursive)
        ):
            path = node.path()
            deep += [s for s in above if s.covers_directory(path)]
        own_only = [s for s in own if s.scope is Scope.DIRECTORY]
        return self.of((*own_only, *deep), tuple(deep))

"""An audience: the subscriptions that get the changes of one directory's entries.

`audiences` computes it. A module of its own, because audiences are referred to weakly,
and a class of a module that may be compiled cannot be.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gamin.core.model.subscription import Subscription


class Audience:
    """Some subscriptions, in order; shared by all directories that have the same."""

    __slots__ = ("__weakref__", "recursive", "subscriptions")

    def __init__(
        self,
        subscriptions: "tuple[Subscription, ...]",
        deep: "tuple[Subscription, ...]" = (),
    ) -> None:
        self.subscriptions = subscriptions
        self.recursive = deep
        """The subscriptions that cover subdirectories."""

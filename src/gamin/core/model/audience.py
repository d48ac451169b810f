"""An audience: the subscriptions that get the changes of one directory's entries.

`audiences` computes it. A module of its own, because audiences are referred to weakly,
and a class of a module that may be compiled cannot be.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gamin.core.model.subscription import Subscription


class Audience:
    """Some subscriptions, in order; shared by all directories that have the same."""

    __slots__ = (
        "__weakref__",
        "_detailed",
        "_unthrottled",
        "recursive",
        "subscriptions",
    )

    def __init__(
        self,
        subscriptions: "tuple[Subscription, ...]",
        deep: "tuple[Subscription, ...]" = (),
    ) -> None:
        self.subscriptions: tuple[Subscription, ...] = subscriptions
        self.recursive: tuple[Subscription, ...] = deep
        """The subscriptions that cover subdirectories."""
        self._detailed: tuple[Subscription, ...] | None = None
        self._unthrottled: tuple[Subscription, ...] | None = None

    @property
    def detailed(self) -> "tuple[Subscription, ...]":
        """The subscriptions that ask what exactly changed."""
        if self._detailed is None:
            self._detailed = tuple(s for s in self.subscriptions if s.wants_details)
        return self._detailed

    @property
    def unthrottled(self) -> "tuple[Subscription, ...]":
        """The subscriptions that get changes of files without flow control."""
        if self._unthrottled is None:
            self._unthrottled = tuple(s for s in self.subscriptions if s.is_unthrottled)
        return self._unthrottled

    @property
    def needs_kernel(self) -> bool:
        """Whether some of them need each change: polling would not detect that."""
        return bool(self.detailed or self.unthrottled)

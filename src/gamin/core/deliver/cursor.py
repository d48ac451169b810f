"""A cursor: the tick up to which one client has a tree, and whether it is behind.

Both languages keep one cursor for each subscription of a client. No event waits for a
client that does not read: its cursor says since when it has nothing, and it gets the
difference later.
"""

from typing import Generic, TypeVar

TargetT = TypeVar("TargetT")


class Cursor(Generic[TargetT]):
    """`target` says which object the client takes the path to lead to, in the words of
    its language; a difference makes sense as long as the path leads there."""

    __slots__ = ("is_behind", "target", "tick")

    def __init__(
        self,
        target: TargetT | None = None,
        tick: int = 0,
        *,
        is_behind: bool = False,
    ) -> None:
        self.target: TargetT | None = target
        """The target whose rows were last sent; None before the first rows."""
        self.tick: int = tick
        """The client has everything up to here. While it is not behind, it has all that
        was reported, and this may be an old tick."""
        self.is_behind: bool = is_behind
        """Rows are not sent as they come: the client gets the difference later."""

    def fall_behind(self, reported: int) -> None:
        """Something was reported that cannot be sent; what was reported up to the tick
        `reported` was sent before.

        A client that was not owed anything since `tick` has more than `tick` says. That
        tick may be so old that the tree forgot what changed since then.
        """
        if not self.is_behind:
            self.is_behind = True
            self.tick = max(self.tick, reported)

    def catch_up(self, tick: int, target: TargetT | None) -> None:
        """Everything up to the tick is sent, when the path led to `target`."""
        self.tick, self.target = tick, target
        self.is_behind = False

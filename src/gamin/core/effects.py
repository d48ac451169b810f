"""What the core asks its shell to do. The shell answers through `Monitor`'s methods."""

from collections.abc import Collection, Sequence
from enum import Enum
from typing import NamedTuple

from gamin.core.model.node import Node
from gamin.core.model.subscription import Subscription
from gamin.events import Row


class Watch(NamedTuple):
    """Watch the directory for `node.wanted`, then say what became of it.

    Answer: `Monitor.watched`, or `Monitor.unwatchable` with the error number.
    """

    node: Node


class Explore(NamedTuple):
    """Watch the directory for `node.wanted`, then list it, in this order.

    Answer: `Monitor.listed`, or `Monitor.unwatchable` with the error number.
    """

    node: Node
    for_whom: Subscription | None
    """The subscription whose readiness waits for it (`crawl` counts these)."""
    verify: int = 0
    """Also say which entries have a ctime at or after this many ns of real time."""

    @property
    def is_plain(self) -> bool:
        """Whether the directory is looked at for the first time, and is to be noticed
        by the kernel alone."""
        node = self.node
        is_first = not (node.listed or self.verify) and node.wd < 0
        return is_first and node.kernel != 0 and not node.poll and node.wd_poll < 0


Listing = tuple[Explore, Sequence[bytes], Sequence[bytes], Collection[bytes]]
"""What answers it: the subdirectories, all other entries, and which of these and those
changed since `verify`."""


class Unwatch(NamedTuple):
    """Stop watching the directory; nothing of it is wanted any more."""

    node: Node


class Poll(NamedTuple):
    """Look at the directory every `interval` seconds as well, or no more if 0.

    What is looked for is `node.wanted`; the kernel's share is `node.watched`.
    """

    node: Node
    interval: float


class Look(NamedTuple):
    """What is at `name` in the directory? Answer: `Monitor.looked`."""

    subscription: Subscription
    node: Node
    name: bytes
    verify: int = 0
    """Also say whether it has a ctime at or after this many ns of real time."""


class Tell(NamedTuple):
    """Tell these subscriptions these rows, in this order."""

    subscriptions: tuple[Subscription, ...]
    rows: list[Row]
    recovered: bool
    """Found by comparing with the disk after something was lost."""
    is_exempt: bool = False
    """Ignore rules do not apply: it speaks of what they began or ceased to ignore."""


class Ready(NamedTuple):
    """The subscription is really watched; its client can have the first listing."""

    subscription: Subscription


class Noted(Enum):
    """What the server does inside. The numbers are those of the original's debug
    events (50 + n); the last two are ours."""

    WATCH_BEGUN = 51
    WATCH_ENDED = 52
    FLOW_ON = 54
    FLOW_OFF = 55
    NO_ROOM = 56
    OVERFLOW = 57


class Note(NamedTuple):
    """Something for the log, and for who asked to be told of such things."""

    what: Noted
    node: Node


Effect = Watch | Explore | Unwatch | Poll | Look | Tell | Ready | Note

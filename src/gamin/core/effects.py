"""What the core asks its shell to do. The shell answers through `Monitor`'s methods."""

from collections.abc import Collection, Sequence
from enum import Enum
from typing import NamedTuple

from gamin.core.model.node import Node
from gamin.core.model.subscription import Subscription
from gamin.events import Row


class Watch(NamedTuple):
    """Watch the directory for `node.mask`, then say what became of it.

    Answer: `Monitor.watched`, or `Monitor.unwatchable` with the error number.
    """

    node: Node


class Scan(NamedTuple):
    """Watch the directory for `node.mask`, then list it, in this order.

    Answer: `Monitor.listed`, or `Monitor.unwatchable` with the error number.
    """

    node: Node
    requested_by: Subscription | None
    """The subscription whose readiness waits for it (`crawl` counts these)."""
    changed_since_ns: int = 0
    """Also say which entries have a ctime at or after this many ns of real time."""

    @property
    def is_first_kernel_scan(self) -> bool:
        """Whether the directory is looked at for the first time, and is to be noticed
        by the kernel alone."""
        node = self.node
        is_first = not (node.listed or self.changed_since_ns) and node.wd < 0
        return (
            is_first
            and node.kernel_mask != 0
            and not node.poll_mask
            and node.wd_poll < 0
        )


Listing = tuple[Scan, Sequence[bytes], Sequence[bytes], Collection[bytes]]
"""What answers it: the subdirectories, all other entries, and which of these and those
changed since `changed_since_ns`."""


class Unwatch(NamedTuple):
    """Stop watching the directory; nothing of it is wanted any more."""

    node: Node


class Poll(NamedTuple):
    """Look at the directory every `interval` seconds as well, or no more if 0.

    What is looked for is `node.mask`; the kernel's share is `node.watched`.
    """

    node: Node
    interval: float


class Probe(NamedTuple):
    """What is at `name` in the directory? Answer: `Monitor.looked`."""

    subscription: Subscription
    node: Node
    name: bytes
    changed_since_ns: int = 0
    """Also say whether it has a ctime at or after this many ns of real time."""


class Deliver(NamedTuple):
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


class TraceKind(Enum):
    """What the server does inside. The numbers are those of the original's debug
    events (50 + n); the last two are ours."""

    WATCH_BEGUN = 51
    WATCH_ENDED = 52
    FLOW_ON = 54
    FLOW_OFF = 55
    NO_ROOM = 56
    OVERFLOW = 57


class Trace(NamedTuple):
    """Something for the log, and for who asked to be told of such things."""

    what: TraceKind
    node: Node


Effect = Watch | Scan | Unwatch | Poll | Probe | Deliver | Ready | Trace

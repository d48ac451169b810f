"""Effects: the values by which the core asks its executor to act.

The executor answers through the monitor's methods of the section "answers to effects".
"""

import errno
from collections.abc import Callable, Collection, Sequence
from enum import Enum
from functools import partial
from typing import Any, Final, NamedTuple, cast

from gamin.core.model.node import Node
from gamin.core.model.subscription import Subscription
from gamin.events import AnyRow


class Watch(NamedTuple):
    """Watch the directory: by the kernel for `node.kernel_mask`, by polling for
    `node.poll_mask`.

    Success needs no answer; a failure is answered by `Monitor.unwatchable`.
    """

    node: Node


class Scan(NamedTuple):
    """Watch the directory as `Watch` says, and list it afterwards.

    The answer is `Monitor.listed`; `Monitor.unwatchable` if that failed, and
    `Monitor.skipped` if nobody needs the directory any more.
    """

    node: Node
    requested_by: Subscription | None
    """The subscription that is ready only after this scan; it counts these."""
    changed_since_ns: int = 0
    """Ns of real time; not 0: also report which entries have a ctime at or after it."""

    @property
    def is_first_kernel_scan(self) -> bool:
        """Whether this is the first scan of the directory, the kernel alone is to
        watch it, and its file system is certain to answer."""
        node = self.node
        is_first = not (node.listed or self.changed_since_ns) and node.wd < 0
        return (
            is_first
            and node.kernel_mask != 0
            and not node.poll_mask
            and node.wd_poll < 0
            and (node.decision is None or node.decision.distant is None)
        )


Listing = tuple[Scan, Sequence[bytes], Sequence[bytes], Collection[bytes]]
"""What a scan found: the scan, the names of the subdirectories, the names of all other
entries, and which of both changed since `changed_since_ns`."""


class Unwatch(NamedTuple):
    """Stop watching the directory; nobody needs it any more. There is no answer."""

    node: Node


DENIED: Final = frozenset((errno.EACCES, errno.EPERM))
"""Errors of a probe that mean that the user may not look there."""


class Probe(NamedTuple):
    """Find out what is at `name` in the directory. The answer is `Monitor.probed`."""

    subscription: Subscription
    node: Node
    name: bytes
    changed_since_ns: int = 0
    """Ns of real time; not 0: also report whether the ctime is at or after it."""


class Deliver(NamedTuple):
    """Deliver these rows, in this order, to these subscriptions."""

    subscriptions: tuple[Subscription, ...]
    rows: list[AnyRow]
    recovered: bool
    """A comparison with the disk after a loss found these changes."""
    is_exempt: bool = False
    """Ignore rules do not apply: the rows say what the rules began or ceased to
    ignore."""


new_deliver: Final = cast(
    Callable[[tuple[tuple[Subscription, ...], list[AnyRow], bool, bool]], Deliver],
    partial(tuple.__new__, Deliver),
)
"""`Deliver` from a tuple of all its fields, in a third of the class's time."""


class Cover(NamedTuple):
    """Call `Monitor.go_on` when others had their turn."""

    subscription: Subscription
    stack: list[Node]
    """Directories that it covers, and that are not looked at yet."""


class Remove(NamedTuple):
    """Call `Monitor.go_on` when others had their turn."""

    removal: Any
    """Of `apply.removals`: a large directory that is gone."""


class Ready(NamedTuple):
    """The subscription is watched; its client can have the first listing."""

    subscription: Subscription


class TraceKind(Enum):
    """Internal happenings of the server. The numbers of the first two are those of the
    original's debug events (50 + n); the last two are ours."""

    FLOW_ON = 54
    FLOW_OFF = 55
    NO_ROOM = 56
    OVERFLOW = 57


class Trace(NamedTuple):
    """An internal happening, for the log and for clients that asked for these."""

    what: TraceKind
    node: Node


class Packed(NamedTuple):
    """What is known takes much less memory than before; give it back to the system.
    There is no answer."""


Effect = (
    Watch | Scan | Cover | Remove | Unwatch | Probe | Deliver | Ready | Trace | Packed
)

"""The interface of all backends.

A backend watches directories, which it knows as opaque nodes of the core's tree, and
returns the changes it detected. It decides nothing: the core chooses what is watched,
and by which backend.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from gamin.events import AnyChange

FIRST_MARK = 1 << 31
"""The lowest number of a fanotify mark; numbers of inotify watches are below it."""
FIRST_MARK_COOKIE = 1 << 32
"""The lowest cookie of a rename from fanotify; cookies of inotify are below it."""


class Watchable(Protocol):
    """A directory of the core's tree, as a backend sees it."""

    wd: int
    """The backend's number of the watch; -1 while there is none."""

    def path(self) -> bytes:
        """Where the core believes the directory to be now, absolute."""


class Backend(Protocol):
    """A source of changes: a file descriptor to wait on, and a call that drains it."""

    def fileno(self) -> int: ...

    def drain(self) -> Sequence[AnyChange]:
        """The changes detected since the last call, in order. Never blocks."""

    def watch(self, node: Watchable, mask: int) -> None:
        """Start watching the directory `node`, or change what it is watched for.

        `mask` is a sum of the constants in `gamin.events`. Sets `node.wd`.
        Raises WatchLimitReached when the facility is full, and OSError if there is
        no such directory at `node.path()` (symlinks are not followed) or it may not
        be read.
        """

    def unwatch(self, node: Watchable) -> None:
        """Stop watching `node`. Later drains return nothing about it."""

    def close(self) -> None: ...


class Usage(NamedTuple):
    """How much of the user's quota of one kernel facility is in use."""

    facility: str
    watches: int
    limit: int
    """The most that the server takes; the rest of the quota is left to other
    programs."""


class KernelBackend(Backend, Protocol):
    """A backend to which the kernel reports, and which can run out of watches."""

    @property
    def usage(self) -> Sequence[Usage]:
        """The usage of each facility that it uses; at least one."""
        ...

    @property
    def has_pending(self) -> bool:
        """Whether the next `drain` returns changes even if the kernel reports none."""
        ...

    def read_ahead(self) -> None:
        """Make room in the kernel's queue: read events that later drains return."""

    is_detailed: bool
    """Return also what is of use only to those who ask for details: each CLOSE_WRITE,
    and MOVED_FROM in the DELETE of an entry that was renamed away."""

    queued_bytes: int
    """The position, in bytes, of the end of the kernel's queue at the last `drain` or
    `read_ahead`.

    A drain returns one piece at a time: everything queued before a drain has been
    returned once `drained_bytes` reaches the value that this drain left here."""

    drained_bytes: int
    """The position, in bytes, up to which drains have returned the queue."""

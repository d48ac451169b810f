"""The one interface behind which there are several ways of noticing changes.

A backend knows watched directories as opaque nodes; what they mean is the core's
affair. It decides nothing: it is told what to watch and says what it saw.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from gamin.events import Change

FIRST_MARK = 1 << 31
"""Numbers of inotify watches are below, those of fanotify marks begin here."""
FIRST_MARK_COOKIE = 1 << 32
"""The same for the cookies of renames."""


class Watchable(Protocol):
    """What a backend is given to watch: a directory of the core's tree."""

    wd: int
    """The backend's own number for the watch, -1 while there is none."""

    def path(self) -> bytes:
        """Where the core believes the directory to be now, absolute."""


class Backend(Protocol):
    """One file descriptor to wait on, one call to drain it."""

    def fileno(self) -> int: ...

    def drain(self) -> Sequence[Change]:
        """What was noticed since the last call, in order. Never blocks."""

    def watch(self, node: Watchable, mask: int) -> None:
        """Start watching the directory `node`, or change what it is watched for.

        `mask` is a sum of the constants in `gamin.events`. Sets `node.wd`.
        Raises WatchLimitReached when the facility is full, and OSError if there is
        no such directory at `node.path()` (symlinks are not followed) or it may not
        be read.
        """

    def unwatch(self, node: Watchable) -> None:
        """Stop. Nothing for `node` comes out of `drain` afterwards."""

    def close(self) -> None: ...


class Usage(NamedTuple):
    """What we hold of one facility of the kernel."""

    facility: str
    watches: int
    limit: int
    """How many are taken at the most; the rest of the user's are for others."""


class KernelBackend(Backend, Protocol):
    """A backend that the kernel tells, and that can run out of watches."""

    @property
    def usage(self) -> Sequence[Usage]:
        """What is in use, at least one."""
        ...

    @property
    def has_pending(self) -> bool:
        """Whether it found something out by itself, for the next `drain`."""
        ...

    def read_ahead(self) -> None:
        """Make room in the kernel's queue: read ahead what `drain` is to give out."""

    queued_bytes: int
    """Where the kernel's queue ended at the last call of `drain` or `read_ahead`.

    Bytes. A drain returns one piece at a time: everything queued before a drain has
    been returned once `drained_bytes` reaches the value that this drain left here."""

    drained_bytes: int
    """How far the queue was given out, in the same measure."""

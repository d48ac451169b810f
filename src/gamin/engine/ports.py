"""The ports of the executor: a clock, a file system, a poller, an outlet for reports.

The daemon passes the real things, the model tests pass doubles. The fourth thing it
needs, the kernel's events, has its interface in `gamin.backends.base`, beside the
backends that implement it. Modules may stand for a port: `time` is a `Clock`.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from gamin.backends.base import Watchable
from gamin.config.mounts import Mount
from gamin.core.effects import Deliver, Listing, Trace
from gamin.core.model.node import Node
from gamin.core.model.subscription import Subscription
from gamin.engine.proxy import Batch, Reader, Request
from gamin.events import AnyChange, Change

AT_ONCE = 0.0
"""A deadline, in seconds of the monotonic clock, that is always past."""

Entries = tuple[Sequence[bytes], Sequence[bytes], Collection[bytes]]
"""What a scan finds: names of subdirectories, names of all other entries, and which of
both changed since the time asked for."""

Probed = tuple[bool | bytes | None, bool, int]
"""What a probe finds, then whether it changed since the time asked for, then the errno
that kept it from looking, 0 if the answer is certain. The first is True for a
directory, False for another file, the target of a symbolic link, None where nothing is
or nothing can be seen."""


class Clock(Protocol):
    """Both clocks of `time`."""

    def monotonic(self) -> float:
        """Seconds since some moment; never set back."""

    def time_ns(self) -> int:
        """Nanoseconds of real time, comparable with a file's ctime."""


class FileSystem(Protocol):
    """Answers what is on the disk now. Symbolic links are not followed."""

    def scan(self, path: bytes, changed_since_ns: int) -> Entries:
        """List a directory. Raises OSError where it cannot be listed.

        `changed_since_ns`: also return the entries with a ctime from this real time
        on; 0 asks for none.
        """

    def probe(self, path: bytes, changed_since_ns: int) -> Probed:
        """Look at one path; never raises. `changed_since_ns` is as for `scan`."""


class Pollable(Watchable, Protocol):
    """A directory that is polled. The kernel may watch it too: `wd` is the kernel's."""

    wd_poll: int
    """The poller's number for the directory, -1 while it is not polled."""


class Poller(Protocol):
    """Detects changes by comparing a directory with what it was at the last look."""

    def watch(
        self,
        node: Pollable,
        mask: int,
        interval: float,
        names: Callable[[], Collection[bytes]] | None,
    ) -> Sequence[Change]:
        """Poll `node` every `interval` seconds from now on, for what `mask` says.

        `names` returns the entries that matter; None means all. Returns the changes
        that a last look in the former way found, if the way is another one now.
        Raises OSError where there is no such directory or it may not be read.
        """

    def unwatch(self, node: Pollable) -> None:
        """Stop polling it; nothing happens if it is not polled."""

    def mask(self, node: Pollable) -> int:
        """What it is polled for; 0 if it is not polled."""

    def is_known(self, node: Pollable) -> bool:
        """Whether the directory at its path is the one that is polled."""

    def track_entry(self, node: Pollable, name: bytes) -> None:
        """The entry matters from now on, where only some entries matter."""

    def absorb_kernel_event(self, node: Pollable, mask: int, name: bytes) -> None:
        """The kernel reported this event, so the next look must not report it again."""

    def absorb_scan(
        self, node: Pollable, found: Mapping[bytes, bool | None], *, is_all: bool
    ) -> Sequence[Change]:
        """Entries were found just now (True: a directory) or not found (None), so the
        next look must not report them again. Returns what changed since the last look.

        `is_all`: there are no other entries.
        """

    def final_poll(self, node: Pollable) -> Sequence[Change]:
        """Look at one directory now, and return what changed since the last look."""

    def polled_below(self, path: bytes) -> list[Pollable]:
        """The directories at or below `path` that are polled, parents first."""

    def poll_below(self, path: bytes) -> Sequence[Change]:
        """Look now at all directories at or below `path` that are polled, and return
        what changed since the last look."""

    def deadline(self) -> float | None:
        """When `due` is to be called next; None while nothing is polled."""

    def oldest_poll(self) -> float | None:
        """A time of the clock after which every polled directory was polled; None while
        nothing is polled."""

    def due(self, now: float) -> Sequence[Change]:
        """Look at what is due, for a slice of time; return what changed."""


class Asked(Protocol):
    """A subscription, as far as looking at what it covers is concerned."""

    @property
    def bound_directory(self) -> Node | None:
        """The directory that its path leads to; None for a file, or for nothing."""


class MountThreads(Protocol):
    """One thread for each mount on which a system call may take for ever."""

    def send(self, mount: Mount, request: Request) -> None:
        """Have the mount's thread do this after what it has to do already."""

    def take(self) -> Sequence[tuple[Mount, Batch]]:
        """The answers of all threads since the last call; each one's in order."""

    def end(self, mount: Mount) -> None:
        """Have its thread end, whenever it can; its answers come no more."""

    def is_stalled(self, mount: Mount) -> bool:
        """Whether the mount has given no answer, or nothing but errors, for a while."""


class Delivery(Protocol):
    """Takes what the core has to report."""

    def deliver(self, effect: Deliver) -> None:
        """Report these rows to these subscriptions; `flush` sends them."""

    def ready(self, subscription: Subscription) -> None:
        """The subscription is watched; its first listing can be sent."""

    def note(self, effect: Trace) -> None:
        """Something for the log and for whoever asked for debug events."""

    def detected(self, changes: Sequence[AnyChange]) -> None:
        """The kernel reported these changes; they are applied next."""

    def reader(self, node: Node) -> Reader | None:
        """What is to be read in a directory of a distant mount when it is scanned."""

    def was_read(self, node: Node, read: object) -> None:
        """What its reader returned; `listed` follows."""

    def listed(self, listings: Sequence[Listing]) -> None:
        """These directories were listed; the listings are applied next."""

    def packed(self) -> None:
        """Much memory was freed, which can be given back to the system."""

    def no_memory(self) -> None:
        """There was none for something: what was to be delivered may be lost."""

    def flush(self) -> None:
        """Send everything reported so far."""

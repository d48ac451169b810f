"""Stands for a directory in the thread that works for its mount.

That thread must not read the tree, which changes meanwhile. So each request brings a
copy of what it needs of the node, and the thread alone writes it into the proxy.
"""

from collections.abc import Callable, Collection
from typing import NamedTuple

from gamin.config.mounts import Mount
from gamin.core.effects import Probe, Scan, Watch
from gamin.core.model.node import Node
from gamin.events import Change

DISTANT_WATCH = 1 << 40
"""`Node.wd` of a directory that is watched through a proxy; no backend's number."""


class Proxy(Node):
    """What the backends of a mount's thread are given for a directory of the tree."""

    __slots__ = ("awaited", "mount", "real", "where")

    def __init__(self, real: Node, mount: Mount) -> None:
        super().__init__(None, real.name)
        self.real: Node = real
        self.mount: Mount = mount
        self.where: bytes = real.path()
        """Its path. The loop's thread renews it after a rename."""
        self.awaited: Collection[bytes] = ()

    def path(self) -> bytes:
        return self.where

    def path_prefix(self) -> bytes:
        return self.where.rstrip(b"/") + b"/"

    def awaited_names(self) -> Collection[bytes]:
        return self.awaited

    def update(self, wanted: "Wanted") -> None:
        """Take over what the core wants now."""
        self.parent: Node | None = wanted.parent
        self.name: bytes = wanted.name
        self.where = wanted.path
        self.kernel_mask: int = wanted.kernel_mask
        self.poll_mask: int = wanted.poll_mask
        self.mask: int = wanted.kernel_mask | wanted.poll_mask
        self.interval: float = wanted.interval
        self.listed: bool = self.listed or wanted.listed
        self.watches_named_entries_only: bool = wanted.names is not None
        self.awaited = wanted.names or ()

    def was_listed(self) -> None:
        """Its listing is on the way to the core."""
        self.listed = True


class Wanted(NamedTuple):
    """A copy of what the core wants of a directory."""

    parent: Proxy
    name: bytes
    path: bytes
    kernel_mask: int
    poll_mask: int
    interval: float
    listed: bool
    names: tuple[bytes, ...] | None
    """The only entries that matter; None: all."""

    @classmethod
    def of(cls, node: Node, parent: Proxy) -> "Wanted":
        is_limited = node.watches_named_entries_only
        return cls(
            parent,
            node.name,
            node.path(),
            node.kernel_mask,
            node.poll_mask,
            node.interval,
            node.listed,
            tuple(node.awaited_names()) if is_limited else None,
        )


Reader = Callable[[bytes, Collection[bytes]], object]
"""Reads files in a directory that was just scanned; takes its path and its names."""


class PollNow(NamedTuple):
    """Detect now what would be detected later at or below the request's path."""

    done: Callable[[], None]
    """Called when all that was found is applied."""


class Request(NamedTuple):
    """Work for a mount's thread. `work` is None for the end of a watch."""

    proxy: Proxy
    work: Watch | Scan | Probe | PollNow | None
    wanted: Wanted | None
    """None for a look, and for a probe of what is at a mount's point."""
    path: bytes
    """The directory's path; for a probe, that of the entry."""
    reader: Reader | None = None
    """What is to be read at a scan, too."""


class Observed(NamedTuple):
    """Changes that were detected; their nodes are proxies."""

    changes: list[Change]


class Watched(NamedTuple):
    """The directory is watched as the request wanted."""

    request: Request


class Listed(NamedTuple):
    """The answer to a `Scan`."""

    request: Request
    directories: list[bytes]
    others: list[bytes]
    changed: Collection[bytes]
    read: object = None
    """What the request's `reader` returned."""


class Probed(NamedTuple):
    """The answer to a `Probe`."""

    request: Request
    found: bool | bytes | None
    is_newer: bool
    error: int
    """The errno that kept it from looking; 0 if the answer is certain."""


class Polled(NamedTuple):
    """The answer to a `PollNow`."""

    request: Request


class Failed(NamedTuple):
    """The request could not be carried out; `number` is the errno."""

    request: Request
    number: int


class NoRoom(NamedTuple):
    """The kernel had no watch left for the directory, so it was not scanned either."""

    request: Request


Answer = Observed | Watched | Listed | Probed | Polled | Failed | NoRoom
Batch = list[Answer]
"""Answers that are to be applied without anything in between."""

"""Requests: each command as a type of its own.

Reading them is left to `commands`, carrying them out to the core and the daemon.
"""

from dataclasses import dataclass

from gamin.protocol.modern.query import Query


@dataclass(frozen=True, slots=True)
class GetVersion:
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    asked: bool = False
    """Whether there was a list at all; only then the answer has one."""


@dataclass(frozen=True, slots=True)
class ListCapabilities:
    pass


@dataclass(frozen=True, slots=True)
class GetSockname:
    pass


@dataclass(frozen=True, slots=True)
class GetPid:
    pass


@dataclass(frozen=True, slots=True)
class Watch:
    root: bytes


@dataclass(frozen=True, slots=True)
class WatchProject:
    path: bytes


@dataclass(frozen=True, slots=True)
class WatchList:
    pass


@dataclass(frozen=True, slots=True)
class WatchDel:
    root: bytes


@dataclass(frozen=True, slots=True)
class WatchDelAll:
    pass


@dataclass(frozen=True, slots=True)
class GetClock:
    root: bytes
    sync_timeout: int | None = None
    """Milliseconds; None does not even synchronise."""


@dataclass(frozen=True, slots=True)
class RunQuery:
    """`query`, and `since` and `find`, which are older ways to write one."""

    root: bytes
    query: Query
    is_find: bool = False
    """Then the answer does not say whether it is a fresh instance."""


@dataclass(frozen=True, slots=True)
class Subscribe:
    root: bytes
    name: str
    query: Query
    watch: bool = False
    """Ours: watch the root for as long as the subscription stands, whatever it is."""
    defer: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    defer_vcs: bool = True


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    root: bytes
    name: str


@dataclass(frozen=True, slots=True)
class GaminStatus:
    pass


@dataclass(frozen=True, slots=True)
class GaminDump:
    pass


@dataclass(frozen=True, slots=True)
class GaminStop:
    pass


Request = (
    GetVersion
    | ListCapabilities
    | GetSockname
    | GetPid
    | Watch
    | WatchProject
    | WatchList
    | WatchDel
    | WatchDelAll
    | GetClock
    | RunQuery
    | Subscribe
    | Unsubscribe
    | GaminStatus
    | GaminDump
    | GaminStop
)

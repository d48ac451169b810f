"""Requests: each command as a type. `commands` reads them, the daemon answers them."""

from typing import Any

from msgspec import Struct

from gamin.protocol.watchman.query.query import Query
from gamin.protocol.watchman.trigger import Trigger


class GetVersion(Struct, frozen=True):
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    asked: bool = False
    """Whether the request had a list at all; only then the reply has one."""


class ListCapabilities(Struct, frozen=True):
    pass


class GetSockname(Struct, frozen=True):
    pass


class GetPid(Struct, frozen=True):
    pass


class Watch(Struct, frozen=True):
    root: bytes


class WatchProject(Struct, frozen=True):
    path: bytes


class WatchList(Struct, frozen=True):
    pass


class WatchDel(Struct, frozen=True):
    root: bytes


class WatchDelAll(Struct, frozen=True):
    pass


class GetClock(Struct, frozen=True):
    root: bytes


class RunQuery(Struct, frozen=True):
    """`query`, and `since` and `find`, which are older ways to write one."""

    root: bytes
    query: Query
    is_find: bool = False
    """Then the answer does not say whether it is a fresh instance."""


class Subscribe(Struct, frozen=True):
    root: bytes
    name: str
    query: Query
    watch: bool = False
    """Ours: watch the path while the subscription lasts, whatever is there."""
    defer: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    defer_vcs: bool = True


class Unsubscribe(Struct, frozen=True):
    root: bytes
    name: str


class EnterState(Struct, frozen=True):
    root: bytes
    name: str
    metadata: Any = None


class LeaveState(Struct, frozen=True):
    root: bytes
    name: str
    metadata: Any = None


class FlushSubscriptions(Struct, frozen=True):
    root: bytes
    names: tuple[str, ...] | None = None
    """The name of the subscription; None for all that the client has on the root."""


class DefineTrigger(Struct, frozen=True):
    root: bytes
    trigger: Trigger


class DeleteTrigger(Struct, frozen=True):
    root: bytes
    name: str


class ListTriggers(Struct, frozen=True):
    root: bytes


class GetConfig(Struct, frozen=True):
    root: bytes


class ShowStates(Struct, frozen=True):
    root: bytes


class ShowCursors(Struct, frozen=True):
    root: bytes


class GetActivity(Struct, frozen=True):
    root: bytes
    name: str
    """The name of the client's subscription."""
    paths: tuple[bytes, ...]
    """Relative to the root; empty is the root itself."""


class WriteLog(Struct, frozen=True):
    level: int
    """A level of the module `logging`."""
    text: str


class SetLogLevel(Struct, frozen=True):
    """What of the log this client gets as messages."""

    level: int | None
    """A level of the module `logging`; None for nothing."""
    label: str


class SetGlobalLogLevel(Struct, frozen=True):
    """What the server writes to its log."""

    level: int | None
    label: str


class GetLog(Struct, frozen=True):
    pass


class ShutdownServer(Struct, frozen=True):
    pass


class AgeOut(Struct, frozen=True):
    root: bytes
    seconds: int
    """What was deleted longer ago than this is forgotten."""


class Recrawl(Struct, frozen=True):
    root: bytes


class ShowSubscriptions(Struct, frozen=True):
    root: bytes


class ShowRoot(Struct, frozen=True):
    root: bytes


class ShowContentHashes(Struct, frozen=True):
    root: bytes


class ShowSymlinkTargets(Struct, frozen=True):
    root: bytes


class ShowWatcher(Struct, frozen=True):
    root: bytes


class ClearWatcher(Struct, frozen=True):
    root: bytes


class ShowStatus(Struct, frozen=True):
    pass


class PauseSubscriptions(Struct, frozen=True):
    paused: dict[str, bool]
    """By the name of the subscription."""


class DropPrivileges(Struct, frozen=True):
    pass


DebugRequest = (
    AgeOut
    | Recrawl
    | ShowSubscriptions
    | ShowRoot
    | ShowContentHashes
    | ShowSymlinkTargets
    | ShowWatcher
    | ClearWatcher
    | ShowStates
    | ShowCursors
    | ShowStatus
    | PauseSubscriptions
    | DropPrivileges
)
"""Requests that begin with `debug-`."""


class GaminStatus(Struct, frozen=True):
    pass


class GaminFigures(Struct, frozen=True):
    """The state of the server every so many seconds, as messages; 0 for no more."""

    seconds: float


class GaminDump(Struct, frozen=True):
    pass


class GaminStop(Struct, frozen=True):
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
    | EnterState
    | LeaveState
    | FlushSubscriptions
    | DefineTrigger
    | DeleteTrigger
    | ListTriggers
    | GetConfig
    | DebugRequest
    | WriteLog
    | SetLogLevel
    | SetGlobalLogLevel
    | GetLog
    | ShutdownServer
    | GetActivity
    | GaminStatus
    | GaminFigures
    | GaminDump
    | GaminStop
)

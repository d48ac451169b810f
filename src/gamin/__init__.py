"""The file-change service of one user, for Python programs.

`watch` iterates over changes in programs that block, `awatch` in programs on asyncio or
trio. Both yield lists of `Event`. `changes` answers once what changed since a clock.
docs/python.md explains them with examples.

The names of the original Python module of 2005 (`gamin.WatchMonitor`, ...) can be used
from here as well; they are documented at `gamin.compat.fam`.
"""

# Each name is loaded from where it lives when it is first used, so that `import gamin`
# costs next to nothing.
from importlib import import_module

TYPE_CHECKING = False
"""As in `typing`, of which the import would cost more than the rest."""
if TYPE_CHECKING:
    from gamin.client.aio import AsyncWatch, awatch
    from gamin.client.arguments import WatchTimeout
    from gamin.client.backoff import ServerUnstable
    from gamin.client.changes import changes
    from gamin.client.locate import ServerNotStarted, ServerUnresponsive
    from gamin.client.watch import Watch, watch
    from gamin.compat.fam import GAM_ARG as GAM_ARG
    from gamin.compat.fam import GAM_AUTH as GAM_AUTH
    from gamin.compat.fam import GAM_CONNECT as GAM_CONNECT
    from gamin.compat.fam import GAM_FILE as GAM_FILE
    from gamin.compat.fam import GAM_INTR as GAM_INTR
    from gamin.compat.fam import GAM_MEM as GAM_MEM
    from gamin.compat.fam import GAM_OK as GAM_OK
    from gamin.compat.fam import GAM_UNIMPLEM as GAM_UNIMPLEM
    from gamin.compat.fam import GAMAcknowledge as GAMAcknowledge
    from gamin.compat.fam import GAMChanged as GAMChanged
    from gamin.compat.fam import GAMCreated as GAMCreated
    from gamin.compat.fam import GAMDeleted as GAMDeleted
    from gamin.compat.fam import GAMEndExist as GAMEndExist
    from gamin.compat.fam import GAMExists as GAMExists
    from gamin.compat.fam import GaminErrmsg as GaminErrmsg
    from gamin.compat.fam import GaminErrno as GaminErrno
    from gamin.compat.fam import GaminException as GaminException
    from gamin.compat.fam import GAMMoved as GAMMoved
    from gamin.compat.fam import GAMStartExecuting as GAMStartExecuting
    from gamin.compat.fam import GAMStopExecuting as GAMStopExecuting
    from gamin.compat.fam import WatchMonitor as WatchMonitor
    from gamin.compat.fam import has_debug_api as has_debug_api
    from gamin.errors import GaminError, InvalidPath, ServerError
    from gamin.events import Detail, Event, Kind
    from gamin.protocol.watchman.client.watching import WatchRefused
    from gamin.system.address import InvalidSetting
    from gamin.system.socketdir import UnsafeSocketPath

__version__ = "0.2.0"
"""The version of the package."""

__all__ = [
    "AsyncWatch",
    "Detail",
    "Event",
    "GaminError",
    "InvalidPath",
    "InvalidSetting",
    "Kind",
    "ServerError",
    "ServerNotStarted",
    "ServerUnresponsive",
    "ServerUnstable",
    "UnsafeSocketPath",
    "Watch",
    "WatchRefused",
    "WatchTimeout",
    "__version__",
    "awatch",
    "changes",
    "watch",
]

_HOMES = {
    "AsyncWatch": "client.aio",
    "Detail": "events",
    "Event": "events",
    "GaminError": "errors",
    "InvalidPath": "errors",
    "InvalidSetting": "system.address",
    "Kind": "events",
    "ServerError": "errors",
    "ServerNotStarted": "client.locate",
    "ServerUnresponsive": "client.locate",
    "ServerUnstable": "client.backoff",
    "UnsafeSocketPath": "system.socketdir",
    "Watch": "client.watch",
    "WatchRefused": "protocol.watchman.client.watching",
    "WatchTimeout": "client.arguments",
    "awatch": "client.aio",
    "changes": "client.changes",
    "watch": "client.watch",
}

_NAMES_OF_2005 = {
    "GAM_ARG",
    "GAM_AUTH",
    "GAM_CONNECT",
    "GAM_FILE",
    "GAM_INTR",
    "GAM_MEM",
    "GAM_OK",
    "GAM_UNIMPLEM",
    "GAMAcknowledge",
    "GAMChanged",
    "GAMCreated",
    "GAMDeleted",
    "GAMEndExist",
    "GAMExists",
    "GAMMoved",
    "GAMStartExecuting",
    "GAMStopExecuting",
    "GaminErrmsg",
    "GaminErrno",
    "GaminException",
    "WatchMonitor",
    "has_debug_api",
}


if not TYPE_CHECKING:  # a type checker would take any name at all for one of ours

    def __getattr__(name: str) -> object:
        home = "compat.fam" if name in _NAMES_OF_2005 else _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value: object = getattr(import_module(f"{__name__}.{home}"), name)
        globals()[name] = value  # found at once from now on
        return value


def __dir__() -> list[str]:
    return sorted(__all__)

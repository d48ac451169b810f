"""The file-change service of one user.

Here are only the public names; each is loaded from where it lives when it is first
used, so that `import gamin` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gamin.client.aio import AsyncWatch, awatch
    from gamin.client.arguments import WatchTimeout
    from gamin.client.backoff import ServerUnstable
    from gamin.client.locate import NoServer, ServerNotStarted, ServerUnresponsive
    from gamin.client.watch import Watch, watch
    from gamin.compat.fam import (
        GAM_ARG,
        GAM_AUTH,
        GAM_CONNECT,
        GAM_FILE,
        GAM_INTR,
        GAM_MEM,
        GAM_OK,
        GAM_UNIMPLEM,
        GAMAcknowledge,
        GAMChanged,
        GAMCreated,
        GAMDeleted,
        GAMEndExist,
        GAMExists,
        GaminErrmsg,
        GaminErrno,
        GaminException,
        GAMMoved,
        GAMStartExecuting,
        GAMStopExecuting,
        WatchMonitor,
        has_debug_api,
    )
    from gamin.errors import (
        GaminError,
        InvalidPath,
        RemoteProtocolError,
        WatchLimitReached,
    )
    from gamin.events import Event, Kind
    from gamin.protocol.watchman.client.watching import WatchRefused
    from gamin.system.address import InvalidSetting
    from gamin.system.socketdir import UnsafeSocketPath

__version__ = "0.2.0"

__all__ = [
    "GAM_ARG",
    "GAM_AUTH",
    "GAM_CONNECT",
    "GAM_FILE",
    "GAM_INTR",
    "GAM_MEM",
    "GAM_OK",
    "GAM_UNIMPLEM",
    "AsyncWatch",
    "Event",
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
    "GaminError",
    "GaminException",
    "InvalidPath",
    "InvalidSetting",
    "Kind",
    "NoServer",
    "RemoteProtocolError",
    "ServerNotStarted",
    "ServerUnresponsive",
    "ServerUnstable",
    "UnsafeSocketPath",
    "Watch",
    "WatchLimitReached",
    "WatchMonitor",
    "WatchRefused",
    "WatchTimeout",
    "__version__",
    "awatch",
    "has_debug_api",
    "watch",
]

# All others are those of the original module.
_HOMES = {
    "AsyncWatch": "client.aio",
    "InvalidSetting": "system.address",
    "Event": "events",
    "GaminError": "errors",
    "InvalidPath": "errors",
    "Kind": "events",
    "NoServer": "client.locate",
    "WatchRefused": "protocol.watchman.client.watching",
    "RemoteProtocolError": "errors",
    "ServerUnresponsive": "client.locate",
    "ServerNotStarted": "client.locate",
    "ServerUnstable": "client.backoff",
    "WatchTimeout": "client.arguments",
    "UnsafeSocketPath": "system.socketdir",
    "Watch": "client.watch",
    "WatchLimitReached": "errors",
    "awatch": "client.aio",
    "watch": "client.watch",
}


if not TYPE_CHECKING:  # to whom any name at all would be one of ours

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        home = import_module(f"{__name__}.{_HOMES.get(name, 'compat.fam')}")
        value: object = getattr(home, name)
        globals()[name] = value  # found at once from now on
        return value


def __dir__() -> list[str]:
    return sorted(__all__)

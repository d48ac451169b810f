"""The file-change service of one user.

Here are only the public names; each is loaded from where it lives when it is first
used, so that `import gamin` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gamin.client.aio import AsyncWatch, awatch
    from gamin.client.arguments import TimedOut
    from gamin.client.blocking import ServerUnusable
    from gamin.client.locate import NoServer, ServerMute, ServerNotStarted
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
    from gamin.protocol.watchman.client.watching import Refused
    from gamin.system.address import BadSetting
    from gamin.system.socketdir import UnsafePlace

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
    "BadSetting",
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
    "Kind",
    "NoServer",
    "Refused",
    "RemoteProtocolError",
    "ServerMute",
    "ServerNotStarted",
    "ServerUnusable",
    "TimedOut",
    "UnsafePlace",
    "Watch",
    "WatchLimitReached",
    "WatchMonitor",
    "__version__",
    "awatch",
    "has_debug_api",
    "watch",
]

# All others are those of the original module.
_HOMES = {
    "AsyncWatch": "client.aio",
    "BadSetting": "system.address",
    "Event": "events",
    "GaminError": "errors",
    "InvalidPath": "errors",
    "Kind": "events",
    "NoServer": "client.locate",
    "Refused": "protocol.watchman.client.watching",
    "RemoteProtocolError": "errors",
    "ServerMute": "client.locate",
    "ServerNotStarted": "client.locate",
    "ServerUnusable": "client.blocking",
    "TimedOut": "client.arguments",
    "UnsafePlace": "system.socketdir",
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

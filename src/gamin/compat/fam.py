"""The Python module that came with the original gamin, name for name.

Programs written for it run with `import gamin`. Everything is done by the waiting
client; here are only callbacks and absolute paths.
"""

import os
import traceback
import weakref
from collections.abc import Callable
from typing import Any

from gamin.client.blocking import AnyPath, Client, Connector
from gamin.client.connect import connect_gam
from gamin.compat.fam_errors import (
    GAM_ARG,
    GAM_AUTH,
    GAM_CONNECT,
    GAM_FILE,
    GAM_INTR,
    GAM_MEM,
    GAM_OK,
    GAM_UNIMPLEM,
    GaminErrmsg,
    GaminErrno,
    GaminException,
    failure,
    failures_of,
)
from gamin.protocol.gam.client import Event
from gamin.protocol.gam.packets import EventCode

__all__ = [
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
]

GAMChanged: int = int(EventCode.CHANGED)
GAMDeleted: int = int(EventCode.DELETED)
GAMStartExecuting: int = int(EventCode.START_EXECUTING)
GAMStopExecuting: int = int(EventCode.STOP_EXECUTING)
GAMCreated: int = int(EventCode.CREATED)
GAMMoved: int = int(EventCode.MOVED)
GAMAcknowledge: int = int(EventCode.ACKNOWLEDGE)
GAMExists: int = int(EventCode.EXISTS)
GAMEndExist: int = int(EventCode.END_EXIST)

has_debug_api = False
"""Whether the server's inner events can be asked for (`_debug_object`)."""

Callback = Callable[..., object]


class WatchObject:
    """One request of a WatchMonitor, with the function that receives its events."""

    def __init__(
        self,
        monitor: "WatchMonitor",
        number: int,
        path: bytes,
        callback: Callback,
        data: Any,
    ) -> None:
        self.path: str = os.fsdecode(path)
        self.callback = callback
        self.data = data
        self._monitor = monitor
        self._number = number

    def cancel(self) -> None:
        """Only an Acknowledge reaches the callback from now on."""
        self._monitor._cancel(self._number, self.path)

    def _report(self, path: str, event: int) -> None:
        arguments = () if self.data is None else (self.data,)
        try:
            self.callback(path, event, *arguments)
        except Exception:
            # As in the original, whose callbacks were called from C.
            traceback.print_exc()


class WatchMonitor:
    """A connection, and callbacks `(path, event)` or `(path, event, data)`.

    `path` is absolute when the watched path itself is meant, and the bare name when
    an entry of a watched directory is. Every method but `disconnect` and `stop_watch`
    raises GaminException once disconnected.
    """

    def __init__(self, *, connect: Connector = connect_gam) -> None:
        with failures_of("connect to the server"):
            client = Client(connect)
        self._client: Client | None = client
        # Programs for the original let go of a monitor without a word, and callbacks
        # that know it make it part of a cycle.
        self._end = weakref.finalize(self, client.close)
        self._objects: dict[int, WatchObject] = {}
        # Paths stay when nothing is left of them: stop_watch distinguishes the two.
        self._paths: dict[bytes, list[WatchObject]] = {}

    def disconnect(self) -> None:
        """End the connection and all watching. May be repeated."""
        self._client = None
        self._end()

    def watch_directory(
        self, directory: AnyPath, callback: Callback, data: Any = None
    ) -> WatchObject:
        """Watch a directory and its entries; the object returned has `cancel()`."""
        client, path = self._connected(), _absolute(directory)
        with failures_of(f"monitor directory {os.fsdecode(path)}"):
            number = client.watch_directory(path)
        return self._watched(number, path, callback, data)

    def watch_file(
        self, file: AnyPath, callback: Callback, data: Any = None
    ) -> WatchObject:
        """Watch one path, whatever is there; the object returned has `cancel()`."""
        client, path = self._connected(), _absolute(file)
        with failures_of(f"monitor file {os.fsdecode(path)}"):
            number = client.watch_file(path)
        return self._watched(number, path, callback, data)

    def stop_watch(self, path: AnyPath) -> None:
        """Cancel all that was watched by this path; nothing if it was done before."""
        if self._client is None:
            return
        watched = self._paths.get(_absolute(path))
        if watched is None:
            raise failure(f"Resource {os.fsdecode(path)} is not monitored", GAM_ARG)
        for one in list(watched):
            one.cancel()

    def get_fd(self) -> int:
        """For an event loop: readable when there may be something to handle."""
        return self._connected().fileno()

    def no_exists(self) -> int:
        """Leave the listing out of the directories watched from now on."""
        self._connected().no_exists()
        return 0

    def event_pending(self) -> int:
        """1 if there is an event to handle, else 0; does not wait."""
        client = self._connected()
        with failures_of("check pending events"):
            return int(client.pending())

    def handle_one_event(self) -> int:
        """Wait for an event, report it, and return 1."""
        client = self._connected()
        with failures_of("process one event"):
            event = client.next_event()
        if event is not None:
            self._report(event)
        return 1

    def handle_events(self) -> int:
        """Report all pending events without waiting; return how many."""
        self._connected()
        handled = 0
        # A callback may disconnect.
        while self._client is not None and self.event_pending():
            handled += self.handle_one_event()
        return handled

    def _debug_object(self, value: str, callback: Callback, data: Any = None) -> None:
        """Would report the server's inner events; see `has_debug_api`."""

    def _connected(self) -> Client:
        if self._client is None:
            raise failure("Already disconnected", GAM_ARG)
        return self._client

    def _watched(
        self, number: int, path: bytes, callback: Callback, data: Any
    ) -> WatchObject:
        watched = WatchObject(self, number, path, callback, data)
        self._objects[number] = watched
        self._paths.setdefault(path, []).append(watched)
        return watched

    def _cancel(self, number: int, path: str) -> None:
        client = self._connected()
        # First, because a cancel counts even if it only reaches the next server.
        watched = self._paths[os.fsencode(path)]
        watched[:] = [one for one in watched if one is not self._objects.get(number)]
        with failures_of(f"stop monitor on {path}"):
            client.cancel(number)

    def _report(self, event: Event) -> None:
        watched = self._objects[event.number]
        if event.code == GAMAcknowledge:
            del self._objects[event.number]
        watched._report(os.fsdecode(event.path), event.code)


def _absolute(path: AnyPath) -> bytes:
    return os.path.abspath(os.fsencode(path))

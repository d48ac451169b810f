"""The real client library, through ctypes: what a C program linked with it sees.

Nothing is added to it but a deadline for reading and Python types. Where the server
is, is decided by the environment when a connection is opened.
"""

import ctypes
import select
import time
from threading import Lock

import pytest

from testkit.scenario.drivers import ReceivedEvent

LIBRARIES = ("libgamin-1.so.0", "libfam.so.0")
_PATH_MAX = 4096  # of <linux/limits.h>, as in fam.h


class _Connection(ctypes.Structure):
    _fields_ = (("fd", ctypes.c_int), ("client", ctypes.c_void_p))


class _Request(ctypes.Structure):
    _fields_ = (("reqnum", ctypes.c_int),)


class _Event(ctypes.Structure):
    _fields_ = (
        ("fc", ctypes.POINTER(_Connection)),
        ("fr", _Request),
        ("hostname", ctypes.c_char_p),
        ("filename", ctypes.c_char * _PATH_MAX),
        ("userdata", ctypes.c_void_p),
        ("code", ctypes.c_int),
    )


class FamError(Exception):
    """A call of the library answered less than zero."""


# FAMOpen reads the environment, which all threads share.
_opening = Lock()


class Libgamin:
    """One connection, opened by FAMOpen."""

    def __init__(
        self, session: str, server: str, *, library: str = LIBRARIES[0]
    ) -> None:
        self._library = ctypes.CDLL(library)
        self._connection = _Connection()
        with _opening, pytest.MonkeyPatch.context() as environment:
            environment.setenv("GAM_CLIENT_ID", session)
            environment.setenv("GAMIN_DEBUG_SERVER", server)
            self._call("FAMOpen")

    def _call(self, name: str, *arguments: object) -> int:
        function = getattr(self._library, name)
        answer: int = function(ctypes.byref(self._connection), *arguments)
        if answer < 0:
            errno = ctypes.c_int.in_dll(self._library, "FAMErrno").value
            raise FamError(f"{name} answers {answer}, FAMErrno {errno}")
        return answer

    def fileno(self) -> int:
        return int(self._connection.fd)

    def watch_directory(self, path: bytes) -> int:
        return self._monitor("FAMMonitorDirectory", path)

    def watch_file(self, path: bytes) -> int:
        return self._monitor("FAMMonitorFile", path)

    def _monitor(self, function: str, path: bytes) -> int:
        request = _Request()
        self._call(function, path, ctypes.byref(request), None)
        return int(request.reqnum)

    def no_exists(self) -> None:
        """Directory requests made from now on have no listing."""
        self._call("FAMNoExists")

    def cancel(self, number: int) -> None:
        self._call("FAMCancelMonitor", ctypes.byref(_Request(number)))

    def pending(self) -> bool:
        return self._call("FAMPending") > 0

    def next_event(self, timeout: float) -> ReceivedEvent | None:
        """The next event; None if none arrived in time."""
        end = time.monotonic() + timeout
        while not self.pending():
            left = end - time.monotonic()
            if left <= 0 or not select.select([self], [], [], left)[0]:
                return None
        event = _Event()
        self._call("FAMNextEvent", ctypes.byref(event))
        return ReceivedEvent(event.fr.reqnum, event.code, event.filename)

    def close(self) -> None:
        self._call("FAMClose")

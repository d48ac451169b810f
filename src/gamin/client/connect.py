"""Connects a client to a server that is known to be the user's own.

`launch` starts a server; the sessions in `protocol` encode and decode messages.
Everything here blocks; asynchronous programs call it in a thread.
"""

import os
import socket
import time
from collections.abc import Callable, Mapping

from gamin.client.locate import (
    Locator,
    NoServer,
    ServerNotStarted,
    ServerUnresponsive,
)
from gamin.client.pausing import pause
from gamin.system.address import find
from gamin.system.peercred import peer_of

START_PATIENCE = 2.5
"""Seconds that a started server may take to listen. libgamin waits 1.25 s; a busy
machine may need that much only to start an interpreter."""
# Nothing reports that an abstract name got its listener, so a client tries again, in
# pauses that nobody feels.
_FIRST_PAUSE = 0.001
"""Seconds between the first two attempts."""
_MAX_PAUSE = 0.01
"""Seconds between attempts at most; each pause is twice the one before."""

_Reach = Callable[[Locator], socket.socket | None]


def connect_gam(
    start: bool = True,
    *,
    session: str | None = None,
    environ: Mapping[str, str] | None = None,
    patience: float = START_PATIENCE,
) -> socket.socket:
    """Connect for libgamin's language; both sides have said hello already.

    Raises InvalidSetting, NoServer (only without `start`), ServerNotStarted,
    ServerUnresponsive, RemoteProtocolError, and where a stranger has the only place
    allowed AddressInUse or UnsafeSocketPath.
    """
    return _connect(Locator.gam, start, session, environ, patience)


def connect_watchman(
    start: bool = True,
    *,
    session: str | None = None,
    environ: Mapping[str, str] | None = None,
    patience: float = START_PATIENCE,
) -> socket.socket:
    """Connect for Watchman's language; raises what `connect_gam` does."""
    return _connect(Locator.watchman, start, session, environ, patience)


def unresponsive(connected: socket.socket) -> ServerUnresponsive:
    """The error for a server that took this connection and does not answer."""
    return ServerUnresponsive(find(os.environ, os.getuid()), peer_of(connected).pid)


def _connect(
    reach: _Reach,
    start: bool,
    session: str | None,
    environ: Mapping[str, str] | None,
    patience: float,
) -> socket.socket:
    settings = os.environ if environ is None else environ
    attempt = Locator(find(settings, os.getuid(), session=session))
    connected = reach(attempt)
    if connected is None and not start:
        raise NoServer(attempt.address)
    return connected or _start_and_reach(reach, attempt, settings, patience)


def _start_and_reach(
    reach: _Reach, attempt: Locator, environ: Mapping[str, str], patience: float
) -> socket.socket:
    # Imported late: a client seldom has to start a server.
    from gamin.client.launch import ServerNotExecutable, launch, server_command

    command = server_command(environ)
    try:
        launch(command, attempt.address.session, environ)
    except ServerNotExecutable as error:
        raise ServerNotStarted(
            attempt.address, command, str(error), has_run=False
        ) from error
    deadline = time.monotonic() + patience
    seconds = _FIRST_PAUSE
    while time.monotonic() < deadline:
        connected = reach(attempt)
        if connected is not None:
            return connected
        pause(seconds)
        seconds = min(2 * seconds, _MAX_PAUSE)
    raise ServerNotStarted(attempt.address, command, attempt.explain())

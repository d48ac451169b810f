"""A client of the libgamin protocol for programs that block.

One connection carries many requests. This module moves bytes only: `ClientSession`
knows what they mean, `connect` finds and checks a server, `ctime_check` reads the disk.
"""

import os
import select
import socket
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

from gamin.client.backoff import Backoff
from gamin.client.connect import connect_gam
from gamin.client.ctime_check import resolve_stats
from gamin.client.pausing import pause
from gamin.errors import InvalidPath, RemoteProtocolError
from gamin.protocol.gam.client import ClientSession, Event
from gamin.protocol.gam.packets import MAX_PATH
from gamin.system.peercred import peer_of

SMALL_READ = 4096
"""Bytes per recv() while little happens: each call allocates as much."""
LARGE_READ = 64 * 1024
"""Bytes per recv() after a read filled the small buffer."""

AnyPath = str | bytes | os.PathLike[str] | os.PathLike[bytes]
Connector = Callable[[], socket.socket]


class Client:
    """Makes requests and yields their events, across the deaths of servers.

    `connect` returns a connected socket whose handshake is done. It is called at once,
    and again whenever the server is lost. What it raises comes out of the call that
    needed the connection; the next call tries again. What happened while there was no
    server is reported as ordinary events. For one thread at a time.
    """

    def __init__(self, connect: Connector = connect_gam) -> None:
        self._connect = connect
        self._session = ClientSession()
        self._events: deque[Event] = deque()
        self._outgoing = bytearray()
        self._no_exists = False
        self._chunk = SMALL_READ
        self._backoff = Backoff()
        self._closed = False
        # The descriptor given to event loops. It stays the same, and stays registered
        # with an epoll of theirs, while the socket inside is replaced.
        self._arrivals = select.epoll()
        self._socket: socket.socket | None = None
        try:
            self._socket = self._dial()
        except BaseException:
            self.close()
            raise

    def watch_directory(self, path: AnyPath) -> int:
        """Request a directory and its entries; return the number of the request.

        Raises InvalidPath, and TooManyRequests at 65,535 of them.
        """
        return self._ask(
            *self._session.watch_directory(
                absolute(path), now_ns=time.time_ns(), no_exists=self._no_exists
            )
        )

    def watch_file(self, path: AnyPath) -> int:
        """Request a path alone, whatever it is or may become; return the number."""
        return self._ask(
            *self._session.watch_file(absolute(path), now_ns=time.time_ns())
        )

    def no_exists(self) -> None:
        """Leave the listing out of the directories requested from now on."""
        self._no_exists = True

    def cancel(self, number: int) -> None:
        """Cancel a request; only an Acknowledge follows. Raises UnknownNumber."""
        self._send(self._session.cancel(number))

    def pending(self) -> bool:
        """True if `next_event` has one to return. Does not wait for events."""
        if not self._events:
            self._receive()
            if self._outgoing:
                self._flush()
        return bool(self._events)

    def next_event(self, timeout: float | None = None) -> Event | None:
        """The next event, waiting `timeout` seconds at most; None if there is none."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self.pending():
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return None
            self._arrivals.poll(left)
        return self._events.popleft()

    def __iter__(self) -> Iterator[Event]:
        """Yield every event from now on, without end."""
        while event := self.next_event():
            yield event

    def fileno(self) -> int:
        """The descriptor that is readable when the server has sent something.

        It is the same for the life of the client. Other calls may have read events
        already: wait for it only when `pending()` is false.
        """
        return self._arrivals.fileno()

    def close(self) -> None:
        """End the connection and all requests. May be repeated."""
        self._closed = True
        self._hang_up()
        self._arrivals.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if not getattr(self, "_closed", True):
            warnings.warn(
                f"unclosed {self!r}", ResourceWarning, stacklevel=2, source=self
            )
            self.close()

    def __repr__(self) -> str:
        state = "closed" if self._closed else f"{len(self._events)} events waiting"
        return f"<{type(self).__name__} of gamin, {state}>"

    def _ask(self, number: int, request: bytes) -> int:
        try:
            self._send(request)
        except BaseException:
            # The caller never learns the number, so nothing must come of it.
            self._session.withdraw(number)
            raise
        return number

    def _send(self, data: bytes) -> None:
        self._outgoing += data
        self._flush()

    def _flush(self) -> None:
        """Send everything that is to be sent.

        Reads meanwhile: a server that waits for its client to read does not read
        either, and both would wait for ever (the original and libgamin do, near 3,500
        requests made in a row).
        """
        while self._outgoing:
            connected = self._connected()
            try:
                sent = connected.send(self._outgoing)
            except BlockingIOError:
                _wait_to_send_or_receive(connected)
                self._receive()
            except ConnectionError:
                self._lost()
            else:
                del self._outgoing[:sent]

    def _receive(self) -> None:
        """Read what has arrived, without waiting; reconnect if the server is gone."""
        try:
            data = self._connected().recv(self._chunk)
        except BlockingIOError:
            return
        except ConnectionError:
            data = b""
        self._chunk = SMALL_READ if len(data) < SMALL_READ else LARGE_READ
        try:
            received = self._session.received(data, time.time_ns())
        except RemoteProtocolError:
            data = b""
        if not data:
            return self._lost()
        self._backoff.served()
        self._events += resolve_stats(received)

    def _lost(self) -> None:
        """Reconnect. The replay makes up for what was not read or not sent."""
        if self._socket is not None:
            pid = peer_of(self._socket).pid
            self._hang_up()
            self._backoff.lost(pid)
        pause(self._backoff.pause)
        self._socket = self._dial()

    def _connected(self) -> socket.socket:
        if self._closed:
            raise ValueError("the client is closed")
        if self._socket is None:
            self._socket = self._dial()
        return self._socket

    def _dial(self) -> socket.socket:
        connected = self._connect()
        connected.setblocking(False)
        self._arrivals.register(connected, select.EPOLLIN)
        # Only now: there may have been a cancel while there was no connection.
        self._events += self._session.disconnected()
        self._outgoing[:] = self._session.replay()
        return connected

    def _hang_up(self) -> None:
        self._outgoing.clear()
        if self._socket is not None:
            self._arrivals.unregister(self._socket)
            self._socket.close()
            self._socket = None


def absolute(path: AnyPath) -> bytes:
    """Return the path as bytes to send. Raises InvalidPath if no file can have it."""
    raw = os.fsencode(path)
    if not raw.startswith(b"/"):
        raise InvalidPath(raw, "it must be absolute")
    if b"\0" in raw:
        raise InvalidPath(raw, "it contains a NUL byte")
    if len(raw) > MAX_PATH:
        raise InvalidPath(raw, f"it is longer than {MAX_PATH} bytes")
    return raw


def _wait_to_send_or_receive(connected: socket.socket) -> None:
    either = select.poll()
    either.register(connected, select.POLLIN | select.POLLOUT)
    either.poll()

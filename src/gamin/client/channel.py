"""The connection of one watch: sends what there is, takes in what came, never waits.

Waiting and connecting are left to the faces, what the bytes mean to `Watching`.
"""

import socket
from collections import deque
from contextlib import suppress

from gamin.errors import RemoteProtocolError
from gamin.protocol.watchman.client.watching import (
    Batch,
    NeedsStat,
    Watching,
    WatchRefused,
)

SMALL_READ = 4096
"""Bytes to ask for while little happens: more would be made room for, each time."""
LARGE_READ = 256 * 1024
"""And when that was not all."""
MAX_BROKEN_CONNECTIONS = 5
"""Connections in a row that ended before they were of use."""


class Channel:
    """At most one connection at a time; what was told outlives it."""

    def __init__(self, watching: Watching) -> None:
        self.watching = watching
        self.socket: socket.socket | None = None
        self.batches: deque[Batch | NeedsStat] = deque()
        """Not yet yielded; in their order."""
        self._yielded = watching.clock
        self._outgoing = bytearray()
        self._broken = 0
        self._chunk = SMALL_READ

    @property
    def clock(self) -> str | None:
        """That of what was yielded: nothing that is still in `told` is before it."""
        return self._yielded if self.batches else self.watching.clock

    @property
    def wants_to_send(self) -> bool:
        return bool(self._outgoing)

    def connected(self, connected: socket.socket) -> None:
        """Begin to speak on a new connection."""
        connected.setblocking(False)
        self.socket = connected
        self._outgoing = bytearray(self.watching.start())

    def close(self) -> None:
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    def take(self, batch: Batch) -> None:
        """The first that is told is now yielded as this batch."""
        self.batches.popleft()
        self._yielded = batch.clock

    def pump(self) -> bool:
        """Send and receive what goes without waiting; False if that is nothing.

        Without a socket afterwards, the connection was lost. Raises WatchRefused, and
        ServerUnstable when that happens again and again.
        """
        assert self.socket is not None, "only a connection can be used"
        has_sent = False
        try:
            # Both in any case: a server that waits until we read does not read either.
            has_sent = bool(self._outgoing) and self._send(self.socket)
            data = self.socket.recv(self._chunk)
            self._chunk = SMALL_READ if len(data) < SMALL_READ else LARGE_READ
            if not data:
                raise ConnectionResetError
            self.batches += self.watching.received(data)
            if self._broken and self.watching.ready:
                self._broken = 0
        except BlockingIOError:
            return has_sent
        except (OSError, RemoteProtocolError):
            self._lost()
            return True
        except WatchRefused:
            self.close()
            raise
        return True

    def _send(self, connected: socket.socket) -> bool:
        with suppress(BlockingIOError):
            del self._outgoing[: connected.send(self._outgoing)]
            return True
        return False

    def _lost(self) -> None:
        self.close()
        self._broken += 1
        if self._broken >= MAX_BROKEN_CONNECTIONS:
            # Imported late: it comes with all of the other language.
            from gamin.client.blocking import ServerUnstable

            attempts, self._broken = self._broken, 0
            raise ServerUnstable(attempts)

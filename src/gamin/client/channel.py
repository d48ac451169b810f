"""The connection of one watch: sends and receives what it can without waiting.

The driver connects and waits; `Watching` knows what the bytes mean.
"""

import socket
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from gamin.client.backoff import Backoff
from gamin.errors import RemoteProtocolError
from gamin.protocol.watchman.client.watching import (
    Batch,
    NeedsStat,
    Watching,
    WatchRefused,
)
from gamin.system.clock import real_time_offset_ns
from gamin.system.peercred import peer_of

SMALL_READ = 4096
"""Bytes per recv() while little happens: each call allocates as much."""
LARGE_READ = 256 * 1024
"""Bytes per recv() after a read filled the small buffer."""


class Channel:
    """At most one connection at a time. What was received outlives it."""

    def __init__(
        self,
        watching: Watching,
        monotonic: Callable[[], float] | None = None,
        clock_offset_ns: Callable[[], int] = real_time_offset_ns,
    ) -> None:
        self.watching = watching
        self.backoff: Backoff = Backoff(monotonic)
        self.socket: socket.socket | None = None
        self.on_close: Callable[[], object] | None = None
        """Called before the socket is closed."""
        self.is_greeted: bool = False
        """The server has answered on this connection."""
        self.is_serving: bool = False
        """The server has said everything that the client missed before it connected."""
        self.batches: deque[Batch | NeedsStat] = deque()
        """Not yet yielded, in their order."""
        self._late = 0
        """How many of `batches` the client missed before it connected."""
        self._yielded = watching.clock
        self._outgoing = bytearray()
        self._read_size = SMALL_READ
        self._clock_offset_ns = clock_offset_ns
        self._offset_ns: int | None = None
        """The offset of the real-time clock when the last connection began."""

    @property
    def clock(self) -> str | None:
        """The clock of the last batch yielded: everything in `batches` is later."""
        return self._yielded if self.batches else self.watching.clock

    @property
    def catching_up(self) -> bool:
        """Whether something that happened before the connection is still to come."""
        return not self.is_serving or self._late > 0

    @property
    def wants_to_send(self) -> bool:
        return bool(self._outgoing)

    def connected(self, connected: socket.socket) -> None:
        """Begin to speak on a new connection."""
        connected.setblocking(False)
        self.socket = connected
        before, self._offset_ns = self._offset_ns, self._clock_offset_ns()
        if before is not None and before > self._offset_ns:
            self.watching.clock_was_set_back(before - self._offset_ns)
        self._outgoing = bytearray(self.watching.start())

    def close(self) -> None:
        self.is_greeted = self.is_serving = False
        if self.socket is not None:
            if self.on_close is not None:
                self.on_close()
            self.socket.close()
            self.socket = None

    def take(self, batch: Batch) -> None:
        """The first of `batches` is now yielded as `batch`."""
        self.batches.popleft()
        self._late = max(0, self._late - 1)
        self._yielded = batch.clock

    def send(self, data: bytes) -> None:
        """Send it on the connection; without one it is said when the next begins."""
        if self.socket is not None:
            self._outgoing += data

    def drop(self, key: str) -> None:
        """Yield nothing of this path any more."""
        kept = [batch for batch in self.batches if batch.key != key]
        late = [batch for batch in kept if batch in list(self.batches)[: self._late]]
        self._late = len(late)
        self.batches = deque(kept)

    def pump(self) -> bool:
        """Send and receive what goes without waiting; False if nothing does.

        `socket` is None afterwards if the connection was lost. Raises WatchRefused,
        and ServerUnstable when connections are lost again and again.
        """
        assert self.socket is not None, "only a connection can be used"
        has_sent = False
        try:
            # Both in any case: a server that waits for us to read does not read either.
            has_sent = bool(self._outgoing) and self._send(self.socket)
            data = self.socket.recv(self._read_size)
            self._read_size = SMALL_READ if len(data) < SMALL_READ else LARGE_READ
            if not data:
                raise ConnectionResetError
            if not self.batches:
                self._yielded = self.watching.clock
            self.batches += self.watching.received(data)
        except BlockingIOError:
            return has_sent
        except (OSError, RemoteProtocolError):
            self._lost(self.socket)
            return True
        except WatchRefused:
            self.close()
            raise
        self.is_greeted = True
        if not self.is_serving and self.watching.ready:
            self.is_serving = True
            self._late = len(self.batches)
            self.backoff.served()
        return True

    def _send(self, connected: socket.socket) -> bool:
        with suppress(BlockingIOError):
            del self._outgoing[: connected.send(self._outgoing)]
            return True
        return False

    def _lost(self, connected: socket.socket) -> None:
        pid = peer_of(connected).pid
        self.close()
        self.backoff.lost(pid)

"""One connected socket: reads what comes, sends what there is, never waits.

What the bytes mean is left to the session that owns the connection.
"""

import logging
import socket
from collections.abc import Callable, Iterable
from typing import Protocol

from gamin.daemon.io.loop import Loop, Timer
from gamin.daemon.io.unsent import Unsent
from gamin.system.peercred import Peer
from gamin.system.unread import unread_bytes

logger: logging.Logger = logging.getLogger(__name__)

READ_BYTES = 64 * 1024
"""The most bytes that are read from one client before other clients are served."""

PACK_BYTES = 1 << 20
"""What waits for a client is compressed if it is more than this."""

PACK_SECONDS = 1.0
"""Seconds that it has waited then. A client that reads takes 20 MB in less."""


class Session(Protocol):
    """The owner of a connection, which handles its bytes."""

    def received(self, data: bytes) -> None:
        """Handle bytes that arrived. Raises RemoteProtocolError to end the
        connection."""

    def writable(self) -> None:
        """The peer has taken everything; there may be more."""

    def packed(self) -> None:
        """What the peer has not taken was compressed; see `Connection.held_bytes`."""

    def lost(self) -> None:
        """The connection is over."""


class Connection:
    def __init__(
        self,
        sock: socket.socket,
        peer: Peer,
        loop: Loop,
        on_lost: Callable[["Connection"], None],
    ) -> None:
        self.peer = peer
        self._socket = sock
        self._loop = loop
        self._on_lost = on_lost
        self._rest = Unsent()
        self._packing: Timer | None = None
        """Compresses what the socket has not taken then."""
        self.is_blocked: bool = False
        """The peer has not taken what was sent last."""
        self._is_open = True
        self._is_reading = False
        self.session: Session | None = None
        sock.setblocking(False)

    @property
    def is_open(self) -> bool:
        return self._is_open

    @property
    def unsent_bytes(self) -> int:
        """Bytes that the socket has not taken yet."""
        return len(self._rest)

    @property
    def held_bytes(self) -> int:
        """Bytes of memory that these take."""
        return self._rest.held_bytes

    @property
    def has_read(self) -> bool:
        """Whether the peer has read all that was sent."""
        return self._is_open and not self._rest and unread_bytes(self._socket) == 0

    def read(self, wanted: bool) -> None:
        """Start or stop reading; a peer that is not read blocks in its own write."""
        if wanted is self._is_reading or not self._is_open:
            return
        self._is_reading = wanted
        if wanted:
            self._loop.add_reader(self._socket.fileno(), self._readable)
        else:
            self._loop.remove_reader(self._socket.fileno())

    def read_now(self) -> None:
        """Read what has arrived, without waiting for the loop to call."""
        if self._is_reading and self._is_open:
            self._readable()

    def send(self, data: bytes) -> None:
        """Send now what the socket takes; the rest when it can. Only if not blocked."""
        if not self._is_open or not data:
            return
        try:
            sent = self._socket.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.close()
            return
        if sent < len(data):
            self._wait_for_room((memoryview(data)[sent:],))
            self._plan_packing()

    def send_pieces(self, pieces: Iterable[bytes]) -> None:
        """As `send`, for a message in pieces: they are not joined. Of a long one some
        is sent now, and some in each of the loop's next iterations."""
        if not self._is_open:
            return
        self._wait_for_room(pieces)
        self._writable(is_first=True)

    def _wait_for_room(self, rest: Iterable[bytes | memoryview]) -> None:
        self._rest.add(rest)
        self.is_blocked = True
        self._loop.add_writer(self._socket.fileno(), self._writable)

    def _plan_packing(self) -> None:
        if self._packing is None and self._rest.plain_bytes > PACK_BYTES:
            self._packing = self._loop.call_later(PACK_SECONDS, self._pack)

    def _pack(self) -> None:
        """The peer has not taken much for a while: keep it in less memory."""
        self._packing = None
        if not self._is_open:
            return
        if self._rest.pack():
            self._loop.call_soon(self._pack)
        elif self.session is not None:
            self.session.packed()

    def close(self) -> None:
        if not self._is_open:
            return
        self._is_open = False
        self._loop.remove_reader(self._socket.fileno())
        self._loop.remove_writer(self._socket.fileno())
        self._socket.close()
        self._rest.clear()
        if self._packing is not None:
            self._packing.cancel()
        # A session and its connection refer to each other, and the garbage collector
        # runs rarely: whoever leaves breaks the cycle.
        session, self.session = self.session, None
        if session is not None:
            session.lost()
        self._on_lost(self)

    def _readable(self) -> None:
        try:
            data = self._socket.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data and self.session is not None:
            self.session.received(data)
        else:
            self.close()

    def _writable(self, *, is_first: bool = False) -> None:
        """Send some of what waits. The session is informed of the end, unless it is
        just sending (`is_first`)."""
        try:
            is_all_sent = self._rest.send(self._socket)
        except BlockingIOError:
            self._plan_packing()
            return
        except OSError:
            self.close()
            return
        if not is_all_sent:
            return
        self.is_blocked = False
        self._loop.remove_writer(self._socket.fileno())
        if self._packing is not None:
            self._packing.cancel()
            self._packing = None
        if self.session is not None and not is_first:
            self.session.writable()

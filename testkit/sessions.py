"""The server's sessions in this process: the real loop, core, kernel and disk, and
socket pairs instead of listeners. A test drives the loop, so nothing is waited for."""

import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self, TypeVar

from gamin.backends.combined import CombinedBackend
from gamin.backends.polling import PollingBackend
from gamin.config.flow_settings import FlowSettings
from gamin.core.monitor import Monitor
from gamin.daemon.io.connection import Connection
from gamin.daemon.io.drive import Drive
from gamin.daemon.io.loop import Loop
from gamin.daemon.sessions.gam import GamSession
from gamin.daemon.sessions.gam_memory import GamMemory
from gamin.daemon.sessions.hub import Service
from gamin.daemon.sessions.watchman.language import Watchman
from gamin.daemon.sessions.watchman.session import WatchmanSession
from gamin.protocol.gam.client import Event
from gamin.protocol.gam.packets import PacketReader
from gamin.system.peercred import Peer
from testkit.doubles.engine import plain_policy
from testkit.waiting import eventually

T = TypeVar("T")

START = 1_700_000_000
"""When the server started, in seconds since 1970."""
HELLO = b"\0"


class Host:
    """What the commands need of a server; counts what is asked of it."""

    watchman_path = b"/run/modern.sock"
    watcher_name = "inotify"

    def __init__(self) -> None:
        self.stops = 0
        self.idle_checks = 0
        self.log_level: int | None = 30
        self.log_path: str | None = None

    def status(self) -> dict[str, object]:
        return {"pid": 7}

    def dump(self) -> str:
        return "everything"

    def stop(self) -> None:
        self.stops += 1

    def check_idle(self) -> None:
        self.idle_checks += 1

    def set_log_level(self, level: int | None) -> None:
        self.log_level = level


class SkippingClock:
    """The time of the system, and as much more as a test lets pass at once."""

    def __init__(self) -> None:
        self._skipped = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self._skipped

    def skip(self, seconds: float) -> None:
        self._skipped += seconds


class Home:
    """A server without addresses."""

    def __init__(self, start: int = START, state: bytes = b"") -> None:
        """`state`: where clients of libgamin's language are remembered, if anywhere."""
        self.clock = SkippingClock()
        self.loop = Loop(self.clock)
        self.monitor = Monitor(plain_policy(), FlowSettings())
        self.service = Service(self.monitor, self.loop, lambda _: None, b"/")
        kernel = CombinedBackend()
        kernel.open_one()
        self.service.drive = Drive(
            self.monitor, kernel, PollingBackend(), self.service, self.loop
        )
        if state:
            memory = GamMemory(self.service, state, b"", start)
            self.service.gam_memory = memory
        self.host = Host()
        self.watchman = Watchman(self.service, self.host, start)
        self._sockets: list[socket.socket] = []
        self._sessions: dict[Connection, GamSession | WatchmanSession] = {}
        self._count = 0

    def close(self) -> None:
        for sock in self._sockets:
            sock.close()
        for connection in list(self._sessions):
            connection.close()
        self.service.drive.close()
        self.loop.close()

    def run_until(self, condition: Callable[[], T | None], what: str = "it") -> T:
        """Run the loop until the answer of `condition` is true, and return that."""

        def answer() -> T | None:
            self.loop.run_once(0)
            return condition()

        return eventually(answer, what=what)

    def gam(self, send_bytes: int = 0) -> "GamPeer":
        """A client of libgamin's language."""
        theirs, connection = self._pair(send_bytes)
        session = GamSession(self._count, connection, self.service)
        return GamPeer(self, theirs, self._joined(session, connection))

    def watcher(self, send_bytes: int = 0) -> "WatchmanPeer":
        """A client of the Watchman language."""
        theirs, connection = self._pair(send_bytes)
        session = self.watchman.session(self._count, connection)
        self._joined(session, connection)
        return WatchmanPeer(self, theirs, session)

    def _pair(self, send_bytes: int) -> tuple[socket.socket, Connection]:
        """Both ends; `send_bytes`: what may wait for a client that does not read, if
        that is to be less than usual."""
        ours, theirs = socket.socketpair()
        if send_bytes:
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_bytes)
        theirs.setblocking(False)
        self._sockets.append(theirs)
        self._count += 1
        pid = 1 if self.service.gam_memory is None else os.getpid()
        return theirs, Connection(ours, Peer(pid, 2, 3), self.loop, self._lost)

    def _joined(self, session: Any, connection: Connection) -> Any:
        self._sessions[connection] = session
        self.service.join(session)
        connection.read(True)
        return session

    def _lost(self, connection: Connection) -> None:
        self.service.part(self._sessions.pop(connection))
        self.service.flush()


@contextmanager
def home(start: int = START, state: bytes = b"") -> Iterator[Home]:
    made = Home(start, state)
    try:
        yield made
    finally:
        made.close()


class _Bytes:
    """The client's end of a connection."""

    def __init__(self, home: Home, sock: socket.socket) -> None:
        self.home = home
        self.socket = sock
        self.is_closed = False
        """The server closed the connection."""

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def read(self) -> bytes:
        """What has come."""
        try:
            data = self.socket.recv(1 << 20)
        except BlockingIOError:
            return b""
        except ConnectionResetError:
            data = b""
        self.is_closed = self.is_closed or not data
        return data

    def leave(self) -> None:
        self.socket.close()


class GamPeer(_Bytes):
    def __init__(self, home: Home, sock: socket.socket, session: GamSession) -> None:
        super().__init__(home, sock)
        self.session = session
        self._reader = PacketReader()
        self._has_said_hello = self._has_heard_hello = False
        self.events: list[Event] = []

    def send(self, data: bytes) -> None:
        if not self._has_said_hello:
            self._has_said_hello = True
            data = HELLO + data
        super().send(data)

    def received(self) -> list[Event]:
        """Everything so far."""
        data = self.read()
        if data and not self._has_heard_hello:
            self._has_heard_hello = True
            data = data.removeprefix(HELLO)
        self.events += [Event(*packet) for packet in self._reader.feed(data)]
        return self.events


class WatchmanPeer(_Bytes):
    def __init__(
        self, home: Home, sock: socket.socket, session: WatchmanSession
    ) -> None:
        super().__init__(home, sock)
        self.session = session
        self.messages: list[dict[str, Any]] = []
        """What came unasked, and was not looked at yet."""
        self.arrived: list[dict[str, Any]] = []
        """All that has come, in its order."""
        self._replies: list[dict[str, Any]] = []
        self._rest = b""

    def post(self, *request: object) -> None:
        """Send a request without waiting for its reply."""
        self.send(json.dumps(request).encode() + b"\n")

    def ask(self, *request: object) -> dict[str, Any]:
        """The reply to a request; what comes unasked is kept."""
        self.post(*request)
        return self.reply()

    def reply(self) -> dict[str, Any]:
        """The next reply."""
        self.home.run_until(lambda: self._sorted()._replies, what="a reply")
        return self._replies.pop(0)

    def message(self) -> dict[str, Any]:
        """The next message that nobody asked for."""
        self.home.run_until(lambda: self._sorted().messages, what="a message")
        return self.messages.pop(0)

    def closed(self) -> bool:
        """Whether the server has closed the connection; reads what comes."""
        return self._sorted().is_closed

    def _sorted(self) -> Self:
        """After what has come was sorted into messages and replies."""
        *lines, self._rest = (self._rest + self.read()).split(b"\n")
        for value in map(json.loads, lines):
            self.arrived.append(value)
            is_message = "unilateral" in value
            (self.messages if is_message else self._replies).append(value)
        return self

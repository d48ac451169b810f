"""The face for `watch()`, our command line and Watchman's clients: one connection.

Requests are answered strictly in their order. One whose root is still being listed
holds back those behind it on this connection, and nobody else.
"""

import logging
from collections import deque

from gamin.core.effects import Deliver, Trace
from gamin.core.model.subscription import Subscription
from gamin.daemon.io.connection import Connection
from gamin.daemon.sessions.hub import Service
from gamin.daemon.sessions.watchman.commands import Commands
from gamin.daemon.sessions.watchman.root import Root, Subscriber
from gamin.errors import RemoteProtocolError
from gamin.paths import printable
from gamin.protocol.watchman import replies
from gamin.protocol.watchman.codec.framing import LineReader, encode
from gamin.protocol.watchman.commands import read_request
from gamin.protocol.watchman.errors import BadRequest

logger = logging.getLogger(__name__)

MAX_UNREAD_BYTES = 1 << 20
"""Bytes of replies that may wait for a client before its requests do."""


class WatchmanSession:
    language = "modern"
    is_greeted = True

    def __init__(
        self,
        client: int,
        connection: Connection,
        service: Service,
        commands: Commands,
    ) -> None:
        self.client = client
        self.connection = connection
        self.views: dict[tuple[bytes, str], tuple[Root, Subscriber]] = {}
        self.is_waiting = False
        """A request waits for its root."""
        self._service = service
        self._commands = commands
        self._reader = LineReader()
        self._requests: deque[bytes] = deque()
        self._out = bytearray()
        connection.speaker = self

    @property
    def name(self) -> str:
        return f"client {self.client} (pid {self.connection.peer.pid})"

    @property
    def subscription_count(self) -> int:
        return len(self.views)

    @property
    def backlog(self) -> int:
        return sum(view.is_behind for _, view in self.views.values())

    @property
    def is_blocked(self) -> bool:
        return self.connection.is_blocked

    # -- from the socket

    def received(self, data: bytes) -> None:
        try:
            self._requests += self._reader.feed(data)
        except RemoteProtocolError as error:
            logger.warning("%s dropped: %s", self.name, printable(str(error)))
            self.connection.close()
            return
        self.go_on()

    def go_on(self) -> None:
        """Answer what can be answered now."""
        while self._requests and not self.is_waiting and self.connection.is_open:
            line = self._requests.popleft()
            self._service.watcher.synchronise()
            try:
                self._commands.carry_out(read_request(line), self)
            except BadRequest as error:
                self.reply(replies.error(str(error)))
        self._service.flush()
        self.flush()

    def writable(self) -> None:
        self.connection.read(True)
        self.flush()
        for root, view in list(self.views.values()):
            if view.is_behind and not self.is_blocked:
                root.catch_up(view)
                self.flush()

    def lost(self) -> None:
        self._requests.clear()
        for root, view in self.views.values():
            self._commands.roots.drop_view(root, view)
        self.views.clear()

    # -- what is said

    def reply(self, reply: replies.Reply, files: bytes | None = None) -> None:
        self.say(encode(reply) if files is None else encode(reply, files=files))

    def say(self, data: bytes) -> None:
        """Sent at the end of the round. What is told to views is not said while the
        client does not read, so only replies gather here."""
        self._out += data
        self._service.told[self.client] = None

    def flush(self) -> None:
        if self._out and not self.connection.is_blocked:
            data = bytes(self._out)
            self._out.clear()
            self.connection.send(data)
        if len(self._out) > MAX_UNREAD_BYTES:
            self.connection.read(False)

    # -- from the core: everything it tells goes to the roots

    def tell(self, subscription: Subscription, told: Deliver) -> None: ...

    def ready(self, subscription: Subscription) -> None: ...

    def note(self, effect: Trace) -> None: ...

"""The session of one connection in the Watchman language.

Its clients are `watch()`, our command line, and Watchman's own clients.

Requests are answered strictly in order, each in its own encoding; messages use the
encoding of the latest request. A request whose root is still being listed delays those
behind it on this connection, and nobody else.
"""

import logging
from collections import deque

from gamin.core.effects import Deliver, Trace
from gamin.core.model.subscription import Subscription
from gamin.daemon.io.connection import Connection
from gamin.daemon.sessions.hub import Service
from gamin.daemon.sessions.watchman.commands import Commands
from gamin.daemon.sessions.watchman.delivery import Rows
from gamin.daemon.sessions.watchman.root import Root
from gamin.daemon.sessions.watchman.shared_query import Subscriber
from gamin.errors import RemoteProtocolError
from gamin.paths import printable
from gamin.protocol.watchman import replies
from gamin.protocol.watchman.codec.codec import Codec
from gamin.protocol.watchman.codec.json_codec import JSON
from gamin.protocol.watchman.codec.requests import Pdu, RequestReader
from gamin.protocol.watchman.commands import parse_request
from gamin.protocol.watchman.errors import BadRequest

logger = logging.getLogger(__name__)

MAX_UNREAD_BYTES = 1 << 20
"""Bytes of replies that may wait for a client before its requests do."""


class WatchmanSession:
    language = "watchman"
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
        self.codec: Codec = JSON
        """That of the latest request."""
        self.subscriptions: dict[tuple[bytes, str], tuple[Root, Subscriber]] = {}
        """By the root's path and the subscription's name."""
        self.is_waiting = False
        """A request waits for its root."""
        self._service = service
        self._commands = commands
        self._reader = RequestReader()
        self._requests: deque[Pdu] = deque()
        self._out = bytearray()
        connection.session = self

    def __str__(self) -> str:
        return str(self.client)

    @property
    def name(self) -> str:
        return f"client {self.client} (pid {self.connection.peer.pid})"

    @property
    def subscription_count(self) -> int:
        return len(self.subscriptions)

    @property
    def backlog(self) -> int:
        return sum(one.is_behind for _, one in self.subscriptions.values())

    @property
    def is_blocked(self) -> bool:
        return self.connection.is_blocked

    # -- from the socket

    def received(self, data: bytes) -> None:
        try:
            self._requests += self._reader.feed(data)
        except RemoteProtocolError as error:
            self._drop(error)
            return
        self.go_on()

    def _drop(self, error: Exception) -> None:
        """What the client sends makes no sense any more: say so, and close."""
        logger.warning("%s dropped: %s", self.name, printable(str(error)))
        self.reply(replies.error(str(error)))
        self.flush()
        self.connection.close()

    def go_on(self) -> None:
        """Answer what can be answered now."""
        while self._requests and not self.is_waiting and self.connection.is_open:
            self.codec, body = self._requests.popleft()
            self._service.drive.synchronise()
            try:
                request = parse_request(self.codec.decode(body))
                self._commands.carry_out(request, self)
            except BadRequest as error:
                self.reply(replies.error(str(error)))
        self._service.flush()
        self.flush()

    def writable(self) -> None:
        self.connection.read(True)
        self.flush()
        for root, subscriber in list(self.subscriptions.values()):
            if subscriber.is_behind and not self.is_blocked:
                root.catch_up(subscriber)
                self.flush()

    def lost(self) -> None:
        self._requests.clear()
        for root, subscriber in self.subscriptions.values():
            self._commands.roots.unsubscribe(root, subscriber)
        self.subscriptions.clear()
        self._commands.roots.client_left(self)

    # -- to the client

    def reply(self, reply: replies.Reply, rows: Rows | None = None) -> None:
        codec = self.codec
        parts = None if rows is None else {rows.member: rows.encoded(codec)}
        self.send(codec.encode(reply, parts))

    def send(self, data: bytes) -> None:
        """Sent at the end of the round. Subscriptions deliver nothing while the client
        does not read, so only replies gather here."""
        self._out += data
        self._service.flush_later(self)

    def flush(self) -> None:
        if self._out and not self.connection.is_blocked:
            data = bytes(self._out)
            self._out.clear()
            self.connection.send(data)
        if len(self._out) > MAX_UNREAD_BYTES:
            self.connection.read(False)

    # -- from the core: its deliveries go to the roots

    def tell(self, subscription: Subscription, told: Deliver) -> None: ...

    def ready(self, subscription: Subscription) -> None: ...

    def note(self, effect: Trace) -> None: ...

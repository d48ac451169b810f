"""The session of one connection in the Watchman language.

Its clients are `watch()`, our command line, and Watchman's own clients.

Requests are answered strictly in order, each in its own encoding; messages use the
encoding of the latest request. A request that fails is answered with an error, be it an
internal one. A request whose root is still being listed delays those
behind it on this connection, and nobody else.

A connection gets one request carried out in an iteration of the loop, and a long one a
slice of it, so that clients take turns. A client whose requests or answers wait over
their limit is not read until that is over.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from gamin.core.effects import Deliver, Trace
from gamin.core.model.subscription import Subscription
from gamin.daemon.io.connection import Connection
from gamin.daemon.io.errands import Done, Errands, MountStalled, Steps
from gamin.daemon.io.error_log import log_exception
from gamin.daemon.sessions.accounts import (
    FREE_BYTES,
    Account,
    Usage,
)
from gamin.daemon.sessions.hub import Service
from gamin.daemon.sessions.watchman.commands import Commands
from gamin.daemon.sessions.watchman.delivery import FileRows
from gamin.daemon.sessions.watchman.request_limits import query_limits
from gamin.daemon.sessions.watchman.root import Root
from gamin.daemon.sessions.watchman.subscriber import Subscriber
from gamin.errors import RemoteProtocolError
from gamin.paths import printable
from gamin.protocol.watchman import replies
from gamin.protocol.watchman.codec.codec import Codec
from gamin.protocol.watchman.codec.json_codec import JSON
from gamin.protocol.watchman.codec.requests import Pdu, RequestReader
from gamin.protocol.watchman.commands import parse_request
from gamin.protocol.watchman.errors import BadRequest
from gamin.protocol.watchman.requests import Request

logger: logging.Logger = logging.getLogger(__name__)

HEAVY_SUBSCRIPTIONS = 1000
"""Subscriptions of a client from which on its end gives memory back."""
MAX_INLINE_BYTES = 1 << 15
"""Bytes of a request that is read on the loop's thread: that takes a few ms at most."""
MAX_JOINED_BYTES = 1 << 15
"""Bytes of messages that are joined to be sent in one go."""
SLICE_SECONDS = 0.003
"""Seconds of work for one request before others get their turn."""


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
        self.is_owner = True
        self.is_waiting: bool = False
        """A request waits for its root, for a mount, or for files that are read."""
        self._service = service
        self._commands = commands
        self._reader = RequestReader()
        self._requests: deque[Pdu] = deque()
        self._request_bytes = 0
        """Bytes of the requests that wait."""
        self._work: Steps[None] | None = None
        """What is left to do for the latest request; replies at its end."""
        self._is_answered = True
        """The latest request has its reply."""
        self._is_scheduled = False
        """The loop calls `_take_turn` in its next iteration."""
        self._out: list[bytes] = []
        self._out_bytes = 0
        self._account = Account(service.accounts)
        self._has_spoken = False
        """A complete request came."""
        self.is_heavy: bool = False
        """It left so much behind that memory is worth being given back."""
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
        return sum(one.cursor.is_behind for _, one in self.subscriptions.values())

    @property
    def is_blocked(self) -> bool:
        return self.connection.is_blocked

    # -- from the socket

    def received(self, data: bytes) -> None:
        self._reader.limit = self._service.limits.request_bytes
        try:
            requests = self._reader.feed(data)
        except RemoteProtocolError as error:
            self._drop(error)
            return
        self._requests += requests
        self._request_bytes += sum(len(each.body) for each in requests)
        if requests and not self._has_spoken:
            self._has_spoken = True
            self._service.greeted(self.connection)
        self._charge()
        if self._account.is_exhausted and self._bytes_in > FREE_BYTES:
            self._drop(
                RemoteProtocolError(
                    f"its requests take {self._bytes_in} bytes, and clients together "
                    f"more than {self._service.limits.held_bytes}"
                )
            )
        elif not self._is_scheduled:
            self._take_turn()

    def _drop(self, error: Exception) -> None:
        """What the client sends makes no sense any more: say so, and close."""
        logger.warning("%s dropped: %s", self.name, printable(str(error)))
        self.reply(replies.error(str(error)))
        self.flush()
        self.connection.close()

    @property
    def _bytes_in(self) -> int:
        return self._request_bytes + self._reader.unfinished_bytes

    @property
    def _bytes_out(self) -> int:
        return self._out_bytes + self.connection.unsent_bytes

    def _charge(self) -> None:
        connection = self.connection
        held = self._bytes_in + self._out_bytes + connection.held_bytes
        self._account.hold(held if connection.is_open else 0)

    def packed(self) -> None:
        self._charge()
        self._service.packed()

    @property
    def has_room(self) -> bool:
        """The server may hold a large answer for it."""
        return not self._service.accounts.is_exhausted

    @property
    def usage(self) -> Usage:
        is_busy = self._work is not None or self.is_waiting
        terms = sum(one.query.price - 1 for _, one in self.subscriptions.values())
        requests = len(self._requests) + is_busy
        return Usage(self._bytes_in, self._bytes_out, requests, terms)

    @property
    def _is_clogged(self) -> bool:
        """So many replies wait that requests must wait too."""
        return self._bytes_out > self._service.limits.unread_bytes

    @property
    def _can_go_on(self) -> bool:
        return (
            (self._work is not None or bool(self._requests))
            and not self.is_waiting
            and self.connection.is_open
            and not self._is_clogged
        )

    def go_on(self) -> None:
        """Carry out what waits, in the iterations of the loop that follow."""
        if not self._is_scheduled and self._can_go_on:
            self._is_scheduled = True
            self._service.loop.call_soon(self._scheduled_turn)

    def work(self, steps: Steps[None]) -> None:
        """Do this for the present request, in slices; it replies at its end."""
        self._work = steps

    def _scheduled_turn(self) -> None:
        self._is_scheduled = False
        if self._can_go_on:
            self._take_turn()

    def _take_turn(self) -> None:
        """Carry out one request, or a slice of it."""
        if self._can_go_on:
            self.attempt(self._do_some)
        self._service.flush()
        self.flush()
        self._regulate_reading()
        self.go_on()

    def attempt(self, step: Callable[[], None]) -> None:
        """Do a step of the present request. If it fails, the request is answered with
        an error, so that no later answer takes its place."""
        try:
            step()
        except (BadRequest, MountStalled) as error:
            self._fail(str(error))
        except Exception as error:
            log_exception(logger, "%s: a bug, or no memory left", self.name)
            self._fail(f"internal error: {type(error).__name__}")

    def _fail(self, why: str) -> None:
        self._work = None
        if not self._is_answered:
            self.reply(replies.error(why))

    def _do_some(self) -> None:
        """Begin the next request, or go on with the present one."""
        if self._work is None:
            self._begin_request()
        if self._work is not None:
            self._do_slice(self._work)

    def _begin_request(self) -> None:
        self._is_answered = False
        self.codec, body = self._requests.popleft()
        if len(body) > MAX_INLINE_BYTES:
            self._work = self._reading(body)
            return
        self._request_bytes -= len(body)
        self._charge()
        self._carry_out(self._parsed(body))

    def _parsed(self, body: bytes) -> Request:
        """Raises BadRequest. Also called in a thread."""
        limits = query_limits(self._service.limits)
        value = self.codec.decode(body)
        return parse_request(value, is_owner=self.is_owner, limits=limits)

    def _carry_out(self, request: Request) -> None:
        self._service.drive.synchronise()
        self._commands.carry_out(request, self)

    def _reading(self, body: bytes) -> Steps[None]:
        """Carry out a large request. It is read in a thread: that may take half a
        second, and others get their turn meanwhile."""
        read: list[Request | BadRequest] = []

        def work() -> Iterator[None]:
            try:
                read.append(self._parsed(body))
            except BadRequest as error:
                # Its traceback would refer to this frame, and so to itself and to all
                # that was read.
                read.append(error.with_traceback(None))
            yield

        def start(_: Errands, done: Done) -> None:
            self._commands.reader.start(work(), done)

        yield start
        self._request_bytes -= len(body)
        self._charge()
        if not read:
            raise MemoryError
        if isinstance(read[0], BadRequest):
            raise read[0]
        self._carry_out(read[0])

    def _do_slice(self, work: Steps[None]) -> None:
        end = time.monotonic() + SLICE_SECONDS
        for step in work:
            if step is not None:
                self.is_waiting = True
                step(self._service.errands, self._wait_is_over)
                return
            if time.monotonic() >= end:
                return
        if self._work is work:  # it may have begun other work
            self._work = None

    def _wait_is_over(self) -> None:
        self.is_waiting = False
        self.go_on()

    def _regulate_reading(self) -> None:
        """Read no more from a client than it can be answered."""
        self._charge()
        limits = self._service.limits
        self.connection.read(
            len(self._requests) < limits.waiting_requests
            and self._request_bytes <= limits.waiting_bytes
            and not self._is_clogged
        )

    def writable(self) -> None:
        self.flush()
        for root, subscriber in list(self.subscriptions.values()):
            if subscriber.cursor.is_behind and not self.is_blocked:
                root.catch_up(subscriber)
                self.flush()
        self._regulate_reading()
        self.go_on()

    def lost(self) -> None:
        self.is_heavy = (
            self._account.held_bytes > FREE_BYTES
            or len(self.subscriptions) > HEAVY_SUBSCRIPTIONS
        )
        self._requests.clear()
        self._request_bytes = 0
        self._work = None
        self._out.clear()
        self._out_bytes = 0
        self._reader.clear()
        self._account.hold(0)
        for root, subscriber in self.subscriptions.values():
            self._commands.roots.unsubscribe(root, subscriber)
        self.subscriptions.clear()
        self._commands.client_left(self)

    # -- to the client

    def reply(self, reply: replies.Reply, rows: FileRows | None = None) -> None:
        if rows is None:
            self.send(self.codec.encode(reply))
            self._is_answered = True
        else:
            self.reply_around(reply, rows.member, rows.pieces(self.codec))

    def reply_around(
        self, reply: replies.Reply, member: str, pieces: Sequence[bytes]
    ) -> None:
        """A reply of which this member is encoded already."""
        self.send_pieces(self.codec.encode_around(reply, {member: pieces}))
        self._is_answered = True

    def send(self, data: bytes) -> None:
        """Sent at the end of the round. Subscriptions deliver nothing while the client
        does not read, so only replies gather here."""
        self._out.append(data)
        self._out_bytes += len(data)
        self._service.flush_later(self)

    def send_pieces(self, pieces: Sequence[bytes]) -> None:
        """As `send`, for one message in pieces."""
        self._out += pieces
        self._out_bytes += sum(map(len, pieces))
        self._service.flush_later(self)

    def flush(self) -> None:
        if self._out and not self.connection.is_blocked:
            pieces, self._out = self._out, []
            size, self._out_bytes = self._out_bytes, 0
            if len(pieces) == 1:
                self.connection.send(pieces[0])
            elif size <= MAX_JOINED_BYTES:
                self.connection.send(b"".join(pieces))
            else:
                self.connection.send_pieces(pieces)

    # -- from the core: its deliveries go to the roots

    def deliver(self, subscription: Subscription, effect: Deliver) -> None: ...

    def ready(self, subscription: Subscription) -> None: ...

    def note(self, effect: Trace) -> None: ...

"""The server's session for one connection of libgamin, libfam or `WatchMonitor`.

It carries out the client's requests and sends its events. `protocol.gam` encodes and
decodes the packets.
"""

import logging
import math
import time
from collections import deque
from collections.abc import Iterable
from functools import partial
from itertools import islice

from gamin.core.deliver.outbox import Outbox
from gamin.core.effects import Deliver, Trace
from gamin.core.model.subscription import Scope, Subscription
from gamin.core.throttle.listing_hold import ListingHold
from gamin.daemon.io.connection import Connection
from gamin.daemon.io.loop import Timer
from gamin.daemon.sessions.accounts import Usage
from gamin.daemon.sessions.gam_return import ClientReturn
from gamin.daemon.sessions.hub import Service
from gamin.errors import RemoteProtocolError
from gamin.events import (
    AnyRow,
)
from gamin.paths import printable
from gamin.protocol.gam.events import encode_first, encode_rows
from gamin.protocol.gam.packets import MAX_NUMBER, EventCode, encode_event
from gamin.protocol.gam.server import (
    HELLO,
    Cancel,
    Debug,
    Monitor,
    Request,
    ServerSession,
)

logger: logging.Logger = logging.getLogger(__name__)


SLICE_SECONDS = 0.002
"""Seconds of requests that are carried out before others get their turn."""
MAX_COMPARED = 64
"""Requests after the first one by which a client that comes back is recognized, if
another one of its process began in the same way."""
HEAVY_SUBSCRIPTIONS = 1000
"""Subscriptions of a leaving client above which the server returns free memory to the
system."""


class GamSession:
    """One client: its subscriptions by request number, and its unsent events."""

    language = "gam"

    def __init__(self, client: int, connection: Connection, service: Service) -> None:
        self.client = client
        self._connection = connection
        self._service = service
        self._session = ServerSession()
        monitor = service.monitor
        self._outbox = Outbox(self._encode, monitor.rows_to_send, monitor.moment)
        self._hold = ListingHold()
        self._release_timer: Timer | None = None
        self._standing: dict[int, Subscription] = {}
        """By request number."""
        self._further: dict[int, list[Subscription]] = {}
        """Those whose number was in use already."""
        self._in_order: dict[Subscription, None] | None = None
        """All of them as they came, while there are such; else `_standing` is so."""
        self._no_exists: set[Subscription] = set()
        self._debug: int | None = None
        self._requests: deque[Request] = deque()
        self._is_scheduled = False
        """The loop calls `_scheduled_turn` in its next iteration."""
        self.is_heavy: bool = False
        """After the client left: it had more than HEAVY_SUBSCRIPTIONS."""
        self._is_listing = False
        """The loop calls `_scheduled_flush` in its next iteration."""
        self._parts: tuple[Subscription | None, list[AnyRow]] = None, []
        """What of a long listing was taken that is compared as a whole."""
        self._count = 0
        self.is_greeted: bool = False
        memory = service.gam_memory
        self._memory = memory if memory is not None and memory.is_on else None
        self._return: ClientReturn | None = None
        """Where the state is kept."""
        if self._memory is not None:
            find = partial(self._memory.repetition, self)
            self._return = ClientReturn(find, self._looked, service.loop)
        self.requests_version: int = 0
        """Advances with each request and each cancel."""
        connection.session = self

    def __str__(self) -> str:
        return str(self.client)

    @property
    def name(self) -> str:
        return f"client {self.client} (pid {self._connection.peer.pid})"

    @property
    def subscription_count(self) -> int:
        return self._count

    @property
    def subscriptions(self) -> list[Subscription]:
        """In the order of their requests, in which libgamin repeats them."""
        in_order = self._in_order
        return list(self._standing.values() if in_order is None else in_order)

    @property
    def backlog(self) -> int:
        return self._outbox.backlog

    @property
    def peer_pid(self) -> int:
        return self._connection.peer.pid

    @property
    def is_behind(self) -> bool:
        """Whether something that was reported is not in the socket yet."""
        outbox = self._outbox
        waiting = outbox.backlog or outbox.buffered_bytes or self._hold.size
        return bool(waiting or self._connection.unsent_bytes)

    # -- from the socket

    def received(self, data: bytes) -> None:
        try:
            self._requests += self._session.received(data)
        except RemoteProtocolError as error:
            self._drop(error)
            return
        if not self.is_greeted:
            self.is_greeted = True
            self._service.greeted(self._connection)
            self._outbox.append(HELLO)
        if not self._is_scheduled:
            self._take_turn()

    def _take_turn(self) -> None:
        """Carry out requests for a slice of time; no more are read until all are."""
        requests, end = self._requests, time.monotonic() + SLICE_SECONDS
        try:
            self._service.drive.synchronise()
            while requests:
                self._carry_out(requests.popleft())
                if time.monotonic() >= end:
                    break
        except RemoteProtocolError as error:
            self._drop(error)
            return
        self._service.flush()
        self.flush()
        self._regulate_reading()
        if requests:
            self._is_scheduled = True
            self._service.loop.call_soon(self._scheduled_turn)

    def _scheduled_turn(self) -> None:
        self._is_scheduled = False
        if self._connection.is_open:
            self._take_turn()

    def _drop(self, error: Exception) -> None:
        """What the client sends makes no sense any more."""
        logger.warning("%s dropped: %s", self.name, printable(str(error)))
        self.flush()
        self._connection.close()

    def _regulate_reading(self) -> None:
        most = self._service.limits.unread_bytes
        is_full = self._outbox.is_blocked and self._outbox.buffered_bytes > most
        self._connection.read(not (self._requests or is_full))

    def writable(self) -> None:
        self._outbox.is_blocked = False
        self.flush()
        self._regulate_reading()
        self._note_client()

    def packed(self) -> None:
        self._service.packed()

    @property
    def usage(self) -> Usage:
        held = self._outbox.buffered_bytes + self._hold.size
        held += self._connection.unsent_bytes
        return Usage(0, held, len(self._requests), 0)

    def lost(self) -> None:
        self.is_heavy = self._count > HEAVY_SUBSCRIPTIONS
        self._service.leave(self.subscriptions)
        self._count = 0
        self._outbox.close()
        self._hold = ListingHold()
        self._plan_release()
        self._requests.clear()
        self._standing.clear()
        self._further.clear()
        self._in_order = None
        self._no_exists.clear()
        if self._return is not None:
            self._return.close()
        self._note_client()

    def _carry_out(self, request: Request) -> None:
        match request:
            case Monitor():
                self._monitor(request)
            case Cancel():
                self._cancel(request.sequence)
            case Debug():
                self._debug = request.sequence

    def _monitor(self, request: Monitor) -> None:
        if self._count >= MAX_NUMBER:
            raise RemoteProtocolError(f"more than {MAX_NUMBER} requests at once")
        scope = Scope.DIRECTORY if request.directory else Scope.FILE
        subscription = Subscription(
            self,
            request.sequence,
            request.path,
            scope,
            directory_events_only=True,
            way=self._service.absolute(request.path),
        )
        self._count += 1
        self.requests_version += 1
        if self._return is not None:
            self._welcome_back(self._return, request, subscription)
        if (
            self._standing.setdefault(request.sequence, subscription)
            is not subscription
        ):
            if self._in_order is None:
                self._in_order = dict.fromkeys(self._standing.values())
            self._further.setdefault(request.sequence, []).append(subscription)
        if self._in_order is not None:
            self._in_order[subscription] = None
        if request.no_exists:
            self._no_exists.add(subscription)
        self._service.subscribe(subscription)

    def _welcome_back(
        self, coming: ClientReturn, request: Monitor, subscription: Subscription
    ) -> None:
        """The request may be one that the client had made of an earlier server."""
        more = (each for each in self._requests if isinstance(each, Monitor))
        if coming.has_come_back(request, islice(more, MAX_COMPARED)):
            code = int(EventCode.END_EXIST)
            self._outbox.append(encode_event(request.sequence, code, request.path))
        coming.requested(request, subscription)

    def _note_client(self) -> None:
        """Its requests, or whether it has everything, are other than before."""
        if self._memory is not None:
            self._memory.note_client()

    def _cancel(self, sequence: int) -> None:
        several = self._further.get(sequence)
        if several is not None:
            subscription = several.pop()
            if not several:
                del self._further[sequence]
        elif sequence in self._standing:
            subscription = self._standing.pop(sequence)
        else:
            raise RemoteProtocolError(f"cancel of {sequence}, which does not stand")
        if self._in_order is not None:
            del self._in_order[subscription]
            if not self._further:
                self._in_order = None
        self._count -= 1
        self.requests_version += 1
        self._note_client()
        if self._return is not None:
            self._return.forget(subscription)
        self._no_exists.discard(subscription)
        self._outbox.forget(subscription)
        self._hold.forget(subscription)
        self._service.cancel(subscription)
        code = int(EventCode.ACKNOWLEDGE)
        self._outbox.append(encode_event(sequence, code, subscription.path))

    # -- from the core

    def deliver(self, subscription: Subscription, effect: Deliver) -> None:
        self._outbox.deliver(subscription, effect.rows)

    def ready(self, subscription: Subscription) -> None:
        if self._return is None or not self._return.look(subscription):
            self._outbox.ready(subscription)

    def _looked(self, subscriptions: list[Subscription]) -> None:
        """The difference can be said of these, which were ready before."""
        self._service.drive.synchronise()
        for subscription in subscriptions:
            self._outbox.ready(subscription)
        self._service.flush()
        self.flush()

    def note(self, effect: Trace) -> None:
        """Send a debug event to a client that asked for these."""
        if self._debug is not None and not self._outbox.is_blocked:
            code = effect.what.value
            path = effect.node.path()
            self._outbox.append(encode_event(self._debug, code, path))

    def flush(self) -> None:
        """Send all pending bytes, unless the client does not read."""
        connection = self._connection
        if self._hold.size and not connection.is_blocked:
            now, has_read = time.monotonic(), connection.has_read
            self._outbox.append(self._hold.release(now, has_read=has_read))
        while not connection.is_blocked and (data := self._outbox.take()):
            connection.send(data)
            if self._outbox.is_listing:
                self._go_on_listing()
                break
        if connection.is_blocked:
            self._outbox.is_blocked = True
        self._plan_release()

    def release_held(self) -> None:
        """Send what is held for a moment: the server ends."""
        if self._hold.size:
            self._outbox.append(self._hold.release(math.inf, has_read=True))
            self.flush()

    def _go_on_listing(self) -> None:
        """Send more of a long listing when others had their turn."""
        if not self._is_listing and not self._connection.is_blocked:
            self._is_listing = True
            self._service.loop.call_soon(self._scheduled_flush)

    def _scheduled_flush(self) -> None:
        self._is_listing = False
        self.flush()

    def _plan_release(self) -> None:
        """Have the loop flush when what is held is due. A client that does not read
        gets it when it does."""
        deadline = None if self._connection.is_blocked else self._hold.deadline()
        timer = self._release_timer
        if timer is not None:
            if timer.when() == deadline:
                return
            timer.cancel()
            self._release_timer = None
        if deadline is not None:
            call_at = self._service.loop.call_at
            self._release_timer = call_at(deadline, self._on_release_due)

    def _on_release_due(self) -> None:
        self._release_timer = None
        self.flush()
        self._note_client()

    def _encode(
        self,
        subscription: Subscription,
        rows: Iterable[AnyRow],
        first: bool,
        /,
        *,
        is_last: bool = True,
    ) -> bytes:
        number = subscription.client_key
        assert isinstance(number, int)
        if self._memory is not None:
            self._memory.note(subscription)
        if not first:
            data = encode_rows(number, subscription.path, rows)
            if not data or not self._hold.is_open:
                return data
            now, has_read = time.monotonic(), self._connection.has_read
            return self._hold.pass_on(subscription, data, now, has_read=has_read)
        quiet = subscription in self._no_exists
        if quiet and self._return is not None:
            if self._parts[0] is not subscription:
                self._parts = subscription, []
            self._parts[1].extend(rows)
            if not is_last:
                return b""
            (_, rows), self._parts = self._parts, (None, [])
            missed = self._return.take_rows(subscription, rows)
            if missed is not None:
                return encode_rows(number, subscription.path, missed)
        if is_last and not quiet:
            self._hold.listed(time.monotonic())
        return encode_first(number, subscription.path, rows, quiet, is_last=is_last)

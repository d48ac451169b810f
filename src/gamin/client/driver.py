"""What a watch does, written once for programs that block and for event loops.

`Driver.open` and `Driver.next_batch` are generators. They never wait: they yield what
they wait for, and whoever runs them sends back what came of it. Connecting, connecting
again, catching up, ctime checks, time-outs and the stop event are all here; a runner
(`watch`, `aio`) only knows how its kind of program waits.
"""

import socket
import time
from collections import deque
from collections.abc import Callable, Generator
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeVar

from gamin.client.arguments import WatchTimeout, resolve_stat
from gamin.client.channel import Channel
from gamin.client.connect import connect_watchman, unresponsive
from gamin.client.links import Links
from gamin.client.locate import ANSWER_PATIENCE
from gamin.client.path_change import PathChange
from gamin.events import Event
from gamin.protocol.watchman.client import held_clock
from gamin.protocol.watchman.client.events import is_full_listing
from gamin.protocol.watchman.client.watching import Batch, NeedsStat, Watching

T = TypeVar("T")
Connector = Callable[[], socket.socket]

STOP_EVENT_INTERVAL = 0.1
"""Seconds between two checks of a stop event that cannot wake a runner."""


class StopEvent(Protocol):
    """As `threading.Event`, `asyncio.Event`, `trio.Event` or `anyio.Event`."""

    def is_set(self) -> bool: ...


class Wait(NamedTuple):
    """Wait until `socket` can be read, the watch is woken, or `seconds` have passed.

    Answer: False if only the time has passed.
    """

    socket: socket.socket | None
    writable: bool
    """Return as well as soon as `socket` can be written."""
    seconds: float | None


class Call(NamedTuple):
    """Call `function`, which may block; the answer is its result, or its exception."""

    function: Callable[[], Any]
    discard: Callable[[Any], object] | None = None
    """What to do with a result that nobody waits for any more."""


Steps = Generator[Wait | Call, Any, T]


class Driver:
    """One watch: its channel, and whether it has ended.

    A generator that is closed half-way (a cancelled task) leaves a driver that a new
    one continues; nothing is lost. One at a time.
    """

    def __init__(
        self,
        watching: Watching,
        *,
        stop_event: StopEvent | None = None,
        connect: Connector = connect_watchman,
        monotonic: Callable[[], float] | None = None,
    ) -> None:
        monotonic = monotonic or time.monotonic
        self.channel: Channel = Channel(watching, monotonic)
        self.closed: bool = False
        """Set by any thread to end the iteration; the runner must be woken then."""
        self.stop_event = stop_event
        self.stop_event_interval: float | None = (
            None if stop_event is None else STOP_EVENT_INTERVAL
        )
        """Seconds between checks of the stop event; None if that wakes the runner."""
        self._connect = connect
        self._monotonic = monotonic
        self._answer_by = 0.0
        self._links = Links(self.channel, Call) if watching.follows_links else None
        self._requested: deque[PathChange] = deque()
        self._started: list[PathChange] = []
        self._settler = None
        self._carries = bool(watching.held) and watching.settle == 0
        """What an earlier watch held is still to be reported, by one that holds
        nothing."""
        if watching.settle > 0:
            # Imported late: few watches settle.
            from gamin.client.settler import Settler

            self._settler = Settler(self.channel, monotonic)

    @property
    def clock(self) -> str | None:
        """The clock to continue from after the last batch."""
        settler, clock = self._settler, self.channel.clock
        if self._carries:
            return held_clock.join(clock, self.channel.watching.held)
        return clock if settler is None else settler.clock

    @property
    def catching_up(self) -> bool:
        """Whether something that happened before the connection is still to come."""
        settler = self._settler
        is_late = settler is not None and settler.is_late
        return self.channel.catching_up or is_late

    @property
    def due_in(self) -> float | None:
        """Seconds until the driver is to be run again though nothing arrived."""
        return None if self._settler is None else self._settler.due_in()

    def request(self, change: PathChange) -> None:
        """Have a runner carry out a change of the paths; from any thread."""
        self._requested.append(change)

    def carry_out(self, change: PathChange) -> Steps[None]:
        """Run until the requested change is carried out, or the watch has ended."""
        while not (change.is_done or self.has_ended()):
            yield from self._advance(None)
            self._start_changes()
        yield from self._follow_links()

    def _start_changes(self) -> None:
        while self._requested:
            change = self._requested.popleft()
            change.start(self.channel)
            self._started.append(change)
        if self._started:
            watching = self.channel.watching
            self._started = [c for c in self._started if not c.is_carried_out(watching)]

    def open(self) -> Steps[None]:
        """Return when every path is really watched, or the watch has ended."""
        while not (self.has_ended() or self.channel.is_serving):
            yield from self._advance(None)
        yield from self._follow_links()
        if self._links is not None:
            self._links.begin()

    def _follow_links(self) -> Steps[None]:
        """Follow links until every one that was found is watched, too."""
        if self._links is None:
            return
        while not self.has_ended():
            if self._links.has_unscanned:
                yield from self._links.scan()
            elif self.channel.watching.ready:
                return
            else:
                yield from self._advance(None)

    def next_batch(self, timeout: float | None) -> Steps[list[Event] | None]:
        """Return the events of the next batch; None at the end. Raises as `next`."""
        batch = yield from self.next(timeout)
        return None if batch is None else batch.events

    def next(self, timeout: float | None) -> Steps[Batch | None]:
        """Return the next batch; None at the end. With `settle` it has no clock, which
        would say all that is held each time: whoever wants it asks for `clock`.

        Raises WatchTimeout after `timeout` seconds of silence; replacing a server that
        was lost may take longer. 0: only what has arrived.
        """
        channel, settler = self.channel, self._settler
        deadline = None if timeout is None else self._monotonic() + timeout
        while not self.has_ended():
            if self._carries:
                self._carries = False
                if events := self._carried():
                    return Batch(events, None)
            if settler is not None and (events := settler.released()):
                return Batch(events, None)
            if channel.batches:
                batch = channel.batches[0]
                if isinstance(batch, NeedsStat):
                    # It stays the first until then: a cancelled check is repeated.
                    batch = yield Call(partial(resolve_stat, batch))
                if self._links is not None:
                    batch = yield from self._links.look(batch)
                if settler is not None:
                    settler.take(batch)
                    if events := settler.released():
                        return Batch(events, None)
                    continue
                channel.take(batch)
                if batch.events:
                    return batch
            elif channel.watching.over:
                if settler is not None and (events := settler.flush()):
                    return Batch(events, None)
                self.closed = True
            elif self._links is not None and self._links.has_unscanned:
                yield from self._links.scan()
            elif not (yield from self._advance(deadline)):
                assert timeout is not None, "only a deadline can have passed"
                raise WatchTimeout(timeout)
        return None

    def _carried(self) -> list[Event]:
        """What an earlier watch held, as far as no listing follows."""
        from gamin.client.settler import events_of

        watching, batches = self.channel.watching, self.channel.batches
        roots = dict(watching.paths())
        listed = [roots[each.key] for each in batches if is_full_listing(each.events)]
        return events_of(watching.held, listed)

    def has_ended(self) -> bool:
        if self.stop_event is not None and self.stop_event.is_set():
            self.closed = True
        return self.closed

    def _advance(self, deadline: float | None) -> Steps[bool]:
        """Send and receive what goes, or wait. False if the deadline has passed."""
        channel = self.channel
        if self._requested or self._started:
            self._start_changes()
        if not channel.is_greeted:
            yield from self._begin()
            return True
        if channel.pump():
            return True
        assert channel.socket is not None, "it is greeted"
        seconds = self.stop_event_interval
        if self._settler is not None:
            seconds = _sooner(seconds, self._settler.due_in())
        if deadline is not None:
            seconds = _sooner(seconds, max(0.0, deadline - self._monotonic()))
        if (yield Wait(channel.socket, channel.wants_to_send, seconds)):
            return True
        return deadline is None or self._monotonic() < deadline

    def _begin(self) -> Steps[None]:
        """Connect, and wait for the server's first answer; returns early if it ends.

        Raises ServerUnresponsive, and what connecting raises.
        """
        channel = self.channel
        if channel.socket is None:
            yield from self._pause(channel.backoff.pause)
            if self.closed:
                return
            channel.connected((yield Call(self._connect, socket.socket.close)))
            self._answer_by = self._monotonic() + ANSWER_PATIENCE
        while channel.socket is not None and not channel.is_greeted:
            if self.has_ended():
                return
            if channel.pump():
                continue
            left = self._answer_by - self._monotonic()
            if left <= 0:
                error = unresponsive(channel.socket)
                channel.close()
                raise error
            interval = self.stop_event_interval
            seconds = left if interval is None else min(left, interval)
            yield Wait(channel.socket, channel.wants_to_send, seconds)

    def _pause(self, seconds: float) -> Steps[None]:
        end = self._monotonic() + seconds
        while not self.has_ended() and (left := end - self._monotonic()) > 0:
            interval = self.stop_event_interval
            yield Wait(None, False, left if interval is None else min(left, interval))


def _sooner(one: float | None, other: float | None) -> float | None:
    """The smaller of two times from now; None: never."""
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)

"""`gamin.awatch()`: an asynchronous iterator over what changes.

What is told is known to `Watching`; here is only waiting, on whatever event loop runs.
"""

import asyncio
import threading
import time
import warnings
from collections.abc import Callable, Iterable
from contextlib import suppress
from socket import socket
from types import TracebackType
from typing import Any, Protocol, Self

from gamin.client.arguments import (
    AnyPath,
    WatchTimeout,
    as_patterns,
    make_session,
    resolve_stat,
)
from gamin.client.channel import Channel
from gamin.client.connect import connect_modern
from gamin.events import Event
from gamin.protocol.watchman.client.watching import NeedsStat, Watching, WatchOptions

Connector = Callable[[], socket]


class AsyncStopEvent(Protocol):
    """As `asyncio.Event` or `anyio.Event`."""

    def is_set(self) -> bool: ...

    async def wait(self) -> Any: ...


def awatch(
    *paths: AnyPath,
    recursive: bool = True,
    ignore: Iterable[str] = (),
    vcs_ignore: bool = False,
    cross_mounts: bool = False,
    since: str | None = None,
    initial: bool = False,
    settle: float = 0.0,
    timeout: float | None = None,
    stop_event: AsyncStopEvent | None = None,
) -> "AsyncWatch":
    """Watch files and directories, as `gamin.watch` does with the same arguments.

    Everything really is watched once `async with` is entered, or the first batch is
    there. Arguments are checked at once (InvalidPath, ValueError), all other errors
    come out there. `stop_event` ends the iteration as soon as it is set.
    """
    options = WatchOptions(
        recursive=recursive,
        ignore=as_patterns(ignore),
        vcs_ignore=vcs_ignore,
        cross_mounts=cross_mounts,
        initial=initial,
        settle=settle,
    )
    watching = make_session(paths, options, since)
    return AsyncWatch(watching, timeout=timeout, stop_event=stop_event)


class AsyncWatch:
    """Iterate to get batches: lists of events, never empty, in their order.

    What holds for `Watch` holds here. Cancelling a wait loses nothing: the next one
    goes on. For one event loop, and one task at a time.
    """

    def __init__(
        self,
        watching: Watching,
        *,
        timeout: float | None = None,
        stop_event: AsyncStopEvent | None = None,
        connect: Connector = connect_modern,
    ) -> None:
        self._link = Channel(watching)
        self._timeout = timeout
        self._stop_event = stop_event
        self._connect = connect
        self._is_open = False
        self._closed = False
        self._waiter: asyncio.Future[None] | None = None

    @property
    def clock(self) -> str | None:
        """What to give as `since` to go on after the last batch that was yielded.

        None until everything is watched, and with `initial` until the first batch.
        """
        return self._link.clock

    def close(self) -> None:
        """End the iteration, wherever it is. May be repeated."""
        self._closed = True
        if self._waiter is None:
            self._link.close()
        else:
            self._awake()  # whoever waits there hangs up

    async def __aenter__(self) -> Self:
        try:
            await self._open()
        except BaseException:
            self.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[Event]:
        await self._open()
        try:
            batch = await self._next()
        finally:
            if self._closed:
                self._link.close()
        if batch is None:
            raise StopAsyncIteration
        return batch

    def __del__(self) -> None:
        if getattr(self, "_is_open", False) and not self._closed:
            warnings.warn(
                f"unclosed {self!r}", ResourceWarning, stacklevel=2, source=self
            )
            self.close()

    def __repr__(self) -> str:
        return f"<AsyncWatch of gamin, {'closed' if self._closed else self.clock}>"

    async def _open(self) -> None:
        while not (self._is_open or self._is_stopped()):
            if self._link.watching.ready:
                self._is_open = True
            else:
                await self._turn(None)

    async def _next(self) -> list[Event] | None:
        """The next batch; None at the end."""
        timeout, link = self._timeout, self._link
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self._is_stopped():
            if link.batches:
                batch = link.batches[0]
                if isinstance(batch, NeedsStat):
                    # It stays the first: a cancelled look is repeated.
                    batch = await asyncio.to_thread(resolve_stat, batch)
                link.take(batch)
                if batch.events:
                    return batch.events
            elif link.watching.over:
                self.close()
            elif timeout and deadline and time.monotonic() >= deadline:
                raise WatchTimeout(timeout)
            else:
                await self._turn(deadline)
        return None

    def _is_stopped(self) -> bool:
        if self._stop_event is not None and self._stop_event.is_set():
            self.close()
        return self._closed

    async def _turn(self, deadline: float | None) -> None:
        """Take in what came, or wait for it."""
        if self._link.socket is None:
            self._link.connected(await _connected(self._connect))
        elif not self._link.pump():
            await self._wait(self._link.socket, deadline)

    async def _wait(self, connected: socket, deadline: float | None) -> None:
        """Return when something came, or there is nothing to wait for any more."""
        loop = asyncio.get_running_loop()
        stopping = None
        self._waiter = waiter = loop.create_future()
        loop.add_reader(connected, self._awake)
        is_sending = self._link.wants_to_send
        if is_sending:
            loop.add_writer(connected, self._awake)
        if self._stop_event is not None:
            stopping = asyncio.ensure_future(self._stop_event.wait())
            stopping.add_done_callback(lambda _: self._awake())
        try:
            if deadline is None:
                await waiter
            else:
                left = max(0.0, deadline - time.monotonic())
                with suppress(TimeoutError):
                    async with asyncio.timeout(left):
                        await waiter
        finally:
            self._waiter = None
            loop.remove_reader(connected)
            if is_sending:
                loop.remove_writer(connected)
            if stopping is not None:
                stopping.cancel()

    def _awake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


async def _connected(connect: Connector) -> socket:
    """Connect in a thread; when cancelled, nothing of it remains."""
    calling = _Calling(connect)
    try:
        await asyncio.get_running_loop().run_in_executor(None, calling.call)
    except asyncio.CancelledError:
        calling.abandon()
        raise
    assert calling.connected is not None, "it was called"
    return calling.connected


class _Calling:
    """A call in another thread, which cannot be cancelled but may be unwanted."""

    def __init__(self, connect: Connector) -> None:
        self.connected: socket | None = None
        self._connect = connect
        self._lock = threading.Lock()
        self._is_unwanted = False

    def call(self) -> None:
        connected = self._connect()
        with self._lock:
            self.connected = connected
            self._hang_up_if_unwanted()

    def abandon(self) -> None:
        with self._lock:
            self._is_unwanted = True
            self._hang_up_if_unwanted()

    def _hang_up_if_unwanted(self) -> None:
        if self._is_unwanted and self.connected is not None:
            self.connected.close()

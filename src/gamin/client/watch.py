"""`gamin.watch()`: an iterator over what changes, for programs that wait.

What is told is known to `Watching`; here is only waiting, and ending when asked to.
"""

import os
import select
import threading
import time
import warnings
from collections.abc import Callable, Iterable
from socket import socket
from types import TracebackType
from typing import Protocol, Self

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

PACE = 0.1
"""Seconds between two looks at a stop event, which cannot wake anybody waiting here."""


class StopEvent(Protocol):
    """As `threading.Event`."""

    def is_set(self) -> bool: ...


def watch(
    *paths: AnyPath,
    recursive: bool = True,
    ignore: Iterable[str] = (),
    vcs_ignore: bool = False,
    cross_mounts: bool = False,
    since: str | None = None,
    initial: bool = False,
    settle: float = 0.0,
    timeout: float | None = None,
    stop_event: StopEvent | None = None,
) -> "Watch":
    """Watch files and directories; returns when every one of them really is watched.

    paths: need not exist; relative ones are seen from the current directory.
    recursive: everything below a directory, or only its entries.
    ignore: patterns of what not to tell, each as a line of a .gitignore.
    vcs_ignore: leave out what the .gitignore files of the tree exclude.
    cross_mounts: go down into other file systems, too.
    since: the `clock` of an earlier watch of the same paths. What changed meanwhile
        comes first; if the server cannot say, then all there is, as `Kind.EXISTS`
        with `recovered`.
    initial: first all there is, as `Kind.EXISTS`, parents before children.
    settle: seconds of silence to wait for before telling.
    timeout: seconds of silence after which WatchTimeout is raised.
    stop_event: ends the iteration within 0.1 s of being set.

    Starts the server if none runs. Raises InvalidPath, ValueError (no path, or a
    `since` of another number of paths), WatchRefused (a pattern or number makes no
    sense), ServerUnstable, and what `connect_modern` raises: ServerNotStarted,
    ServerUnresponsive, InvalidSetting, UnsafeSocketPath.
    """
    options = WatchOptions(
        recursive=recursive,
        ignore=as_patterns(ignore),
        vcs_ignore=vcs_ignore,
        cross_mounts=cross_mounts,
        initial=initial,
        settle=settle,
    )
    return Watch(
        make_session(paths, options, since), timeout=timeout, stop_event=stop_event
    )


class Watch:
    """Iterate to get batches: lists of events, never empty, in their order.

    A server that dies is replaced, and what happened meanwhile is told as one batch,
    marked `recovered`. Contents that changed within two seconds before its death may
    be told twice, and those of a directory that may be another one are all told. An
    error of `connect_modern`, raised then, leaves the watch intact: the next call
    tries again. So does WatchTimeout.

    Close it, or use it in a `with`. One thread may iterate and any other close.
    """

    def __init__(
        self,
        watching: Watching,
        *,
        timeout: float | None = None,
        stop_event: StopEvent | None = None,
        connect: Connector = connect_modern,
    ) -> None:
        self._link = Channel(watching)
        self._timeout = timeout
        self._stop_event = stop_event
        self._connect = connect
        self._closed = False
        self._closing = threading.Lock()  # taken once and for all by who closes
        self._busy = threading.Lock()  # held by who iterates
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._waiting = select.poll()
        self._waiting.register(self._wake, select.POLLIN)
        self._waits_for: tuple[int, int] | None = None  # the socket, registered too
        try:
            while not (self._is_stopped() or watching.ready):
                self._turn(None)
        except BaseException:
            self.close()
            raise

    @property
    def clock(self) -> str | None:
        """What to give as `since` to go on after the last batch that was yielded.

        None only before the first batch of a watch with `initial`.
        """
        return self._link.clock

    def close(self) -> None:
        """End the iteration, wherever it is; for any thread, and for signal handlers.

        May be repeated.
        """
        if not self._closing.acquire(blocking=False):
            return
        os.eventfd_write(self._wake, 1)  # before `_closed`: afterwards it may be gone
        self._closed = True
        self._release()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> list[Event]:
        try:
            with self._busy:
                batch = self._next()
        finally:
            if self._closed:
                self._release()
        if batch is None:
            raise StopIteration
        return batch

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if not getattr(self, "_closed", True):
            warnings.warn(
                f"unclosed {self!r}", ResourceWarning, stacklevel=2, source=self
            )
            self.close()

    def __repr__(self) -> str:
        return f"<Watch of gamin, {'closed' if self._closed else self.clock}>"

    def _next(self) -> list[Event] | None:
        """The next batch; None at the end."""
        timeout, link = self._timeout, self._link
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self._closed:
            if self._stop_event is not None and self._stop_event.is_set():
                self.close()
            elif link.batches:
                batch = link.batches[0]
                if isinstance(batch, NeedsStat):
                    batch = resolve_stat(batch)
                link.take(batch)
                if batch.events:
                    return batch.events
            elif link.watching.over:
                self.close()
            elif timeout and deadline and time.monotonic() >= deadline:
                raise WatchTimeout(timeout)
            else:
                self._turn(deadline)
        return None

    def _is_stopped(self) -> bool:
        if self._stop_event is not None and self._stop_event.is_set():
            self.close()
        return self._closed

    def _turn(self, deadline: float | None) -> None:
        """Wait a while, and take in what came."""
        connected = self._link.socket
        if connected is None:
            connected = self._connect()
            self._link.connected(connected)
        if self._wait(connected, deadline):
            self._link.pump()

    def _wait(self, connected: socket, deadline: float | None) -> bool:
        """Whether there is something to read or to send, or it is time to look."""
        patience = None if self._stop_event is None else PACE
        if deadline is not None:
            left = max(0.0, deadline - time.monotonic())
            patience = left if patience is None else min(left, patience)
        sending = select.POLLOUT if self._link.wants_to_send else 0
        wanted = (connected.fileno(), select.POLLIN | sending)
        if wanted != self._waits_for:
            self._wait_for(wanted)
        milliseconds = None if patience is None else patience * 1000
        return bool(self._waiting.poll(milliseconds))

    def _wait_for(self, wanted: tuple[int, int]) -> None:
        """Wait for this socket, and for these events, from now on."""
        if self._waits_for is not None and self._waits_for[0] != wanted[0]:
            self._waiting.unregister(self._waits_for[0])
        self._waiting.register(*wanted)
        self._waits_for = wanted

    def _release(self) -> None:
        """Let go of what is open, unless who iterates is about to do it."""
        if self._busy.acquire(blocking=False):
            try:
                self._link.close()
                if self._wake >= 0:
                    os.close(self._wake)
                self._wake = -1
            finally:
                self._busy.release()

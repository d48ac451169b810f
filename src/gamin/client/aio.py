"""`gamin.awatch()`: an asynchronous iterator over what changes.

It runs under asyncio (and uvloop) and under trio; anyio runs on either.
"""

import inspect
import sys
from collections.abc import Awaitable, Callable, Iterable
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from gamin.client.arguments import (
    AnyPath,
    WatchTimeout,
    absolute,
    as_patterns,
    make_session,
)
from gamin.client.base import BaseWatch
from gamin.client.connect import connect_watchman
from gamin.client.driver import Call, Connector, Driver, Steps, StopEvent, Wait
from gamin.client.path_change import PathChange
from gamin.events import Event
from gamin.protocol.watchman.client.watched_path import WatchOptions
from gamin.protocol.watchman.client.watching import Watching

T = TypeVar("T")

CHANGE_INTERVAL = 0.05
"""Seconds between two checks whether the task that carries out a change of the paths
has stopped iterating."""


class AsyncLibrary(Protocol):
    """How one asynchronous library waits. Both calls can be cancelled."""

    async def wait(
        self,
        descriptor: int,
        seconds: float | None,
        stop: Callable[[], Awaitable[Any]] | None,
    ) -> bool:
        """Wait until `descriptor` is readable or `stop()` returns.

        False when `seconds` have passed before.
        """

    async def call(self, call: Call) -> Any:
        """Make the call in a thread; return or raise what it does."""

    async def checkpoint(self) -> None:
        """Let other tasks run, where the library expects that of every call."""


def awatch(
    *paths: AnyPath,
    recursive: bool = True,
    ignore: Iterable[str] = (),
    vcs_ignore: bool = False,
    cross_mounts: bool = False,
    follow_symlinks: bool = False,
    details: bool = False,
    flow_control: bool = True,
    unreadable: bool = False,
    since: str | None = None,
    initial: bool = False,
    settle: float = 0.0,
    timeout: float | None = None,
    stop_event: StopEvent | None = None,
) -> "AsyncWatch":
    """Watch files and directories without blocking the event loop.

    For asyncio (uvloop too) and trio, and for anyio on either. Everything is really
    watched once `async with` is entered, or when the first batch is there.

    Args:
        paths: str, bytes or path objects. They need not exist; relative ones are
            resolved against the current directory.
        recursive: report everything below a directory, or only its entries.
        ignore: patterns of paths not to report, each as a line of a .gitignore.
        vcs_ignore: leave out what the .gitignore files of the tree exclude.
        cross_mounts: descend into other file systems, too, but not into those that
            the kernel makes up (/proc, /sys and the like).
        follow_symlinks: report also what is behind symbolic links to directories, under
            the name of the link. A link to a directory that contains it is not
            followed. `since` does not concern what is behind links.
        details: say in `Event.details` what exactly changed, and report also when a
            file is closed after it was open for writing.
        flow_control: report a file that changes all the time once a second. False:
            report each change, 20 ms after it at the latest.
        unreadable: ask which directories may not be read (`AsyncWatch.unreadable`).
        since: the `clock` of an earlier watch of the same paths. The changes since
            then come first; if the server cannot name them, everything that exists
            comes as `Kind.EXISTS` with `recovered`.
        initial: report first everything that exists, as `Kind.EXISTS`, parents before
            children.
        settle: report a path only when nothing has happened to it for so many seconds,
            each path by itself, and after 50 times that at the latest. What happened
            meanwhile is one event.
        timeout: raise WatchTimeout after so many seconds without a batch; 0 yields
            only what has arrived. None waits without limit.
        stop_event: ends the iteration when it is set: at once if it is an event of the
            library that runs (`asyncio.Event`, `trio.Event`, `anyio.Event`), within
            0.1 seconds if it is any other object with `is_set()`, as
            `threading.Event`.

    Returns:
        An asynchronous iterator of batches: lists of `Event`, never empty, in the order
        of the changes. Close it, or use it in an `async with`.

    Raises:
        InvalidPath: a path is empty, too long, or contains NUL.
        ValueError: no path, or a `since` of another number of paths.

    Entering it, or the first batch, raises:

    * `WatchRefused`: the server rejects a pattern or a number.
    * `ServerError`: there is no server to be had; ServerNotStarted,
      ServerUnresponsive, ServerUnstable, InvalidSetting and UnsafeSocketPath say
      why.
    * `OSError`: this process has no descriptors left.

    Example:

        async with gamin.awatch("src") as watch:
            async for batch in watch:
                print(batch)
    """
    options = WatchOptions(
        recursive=recursive,
        ignore=as_patterns(ignore),
        vcs_ignore=vcs_ignore,
        cross_mounts=cross_mounts,
        follow_symlinks=follow_symlinks,
        details=details,
        flow_control=flow_control,
        unreadable=unreadable,
        initial=initial,
        settle=settle,
    )
    session = make_session(paths, options, since)
    return AsyncWatch(session, timeout=timeout, stop_event=stop_event)


class AsyncWatch(BaseWatch):
    """An asynchronous iterator of batches: lists of events, never empty, in order.

    `gamin.awatch` makes it. A server that dies is replaced, and what happened meanwhile
    comes as one batch, marked `recovered`. It may repeat changes of content from the
    two seconds before. Cancelling a wait loses nothing.

    Close it, or use it in an `async with`. For one event loop, one task at a time.

    Iterating raises:

    * `WatchTimeout`: nothing happened for `timeout` seconds.
    * `ServerError`: the server was lost, and there is no other to be had.
    * `WatchRefused`: the server rejects the watch.
    * `RuntimeError`: another task is waiting for this watch.

    The watch stays intact: the next call tries again.
    """

    def __init__(
        self,
        watching: Watching,
        *,
        timeout: float | None = None,
        stop_event: StopEvent | None = None,
        connect: Connector = connect_watchman,
    ) -> None:
        super().__init__(Driver(watching, stop_event=stop_event, connect=connect))
        self._timeout = timeout
        self._stop: Callable[[], Awaitable[Any]] | None = None
        wait = getattr(stop_event, "wait", None)
        if inspect.iscoroutinefunction(wait):
            self._stop = wait
            self._driver.stop_event_interval = None
        self._library: AsyncLibrary | None = None

    async def next(
        self,
        timeout: float | None = None,  # noqa: ASYNC109 (it is an answer, not an error)
    ) -> list[Event] | None:
        """Wait for the next batch.

        Args:
            timeout: seconds to wait at most; 0 takes only what has arrived. None waits
                without limit, whatever `timeout` the watch was made with.

        Returns:
            The batch; None if there was none in time, or if the watch has ended
            (`closed` distinguishes the two).

        Raises:
            ServerError: the server was lost, and there is no other to be had. The next
                call tries again.
            WatchRefused: the server rejects the watch.

        Example:

            while (batch := await watch.next(timeout=5)) is not None:
                handle(batch)
        """
        try:
            return await self._next_batch(timeout)
        except WatchTimeout:
            return None

    async def add(self, *paths: AnyPath) -> None:
        """Watch more paths; return when all of them are really watched.

        They have the options of the watch, and need no connection of their own. Any
        task of the loop may call it, also while another one iterates.

        Raises:
            InvalidPath: a path is empty, too long, or contains NUL.
            ValueError: the watch is closed.
            ServerError: the server was lost, and there is no other to be had.
        """
        change = PathChange(
            add=[(absolute(path), None) for path in paths], wakes_descriptor=True
        )
        await self._carry_out(change)
        change.check(self._driver.channel.watching)

    async def remove(self, *paths: AnyPath) -> None:
        """Watch paths no more; nothing is reported of them any more.

        A watch without a path waits for one that is added.

        Raises:
            ValueError: a path is not watched, or the watch is closed.
        """
        keys = self._keys_of(paths)
        await self._carry_out(PathChange(remove=keys, wakes_descriptor=True))

    async def _carry_out(self, change: PathChange) -> None:
        try:
            await self._open()
            self._request(change)
            library = self._library
            assert library is not None, "it is open"
            while not (change.is_done or self.closed):
                if self._busy.locked():  # the task that iterates carries it out
                    await library.wait(change.descriptor, CHANGE_INTERVAL, None)
                else:
                    await self._drive(self._driver.carry_out(change))
        finally:
            change.close()

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
        batch = await self._next_batch(self._timeout)
        if batch is None:
            raise StopAsyncIteration
        return batch

    async def _open(self) -> None:
        if self._is_open or self.closed:
            return
        if self._readiness is None:
            self._library = _running_library()
            self._prepare()
        await self._drive(self._driver.open())
        self._is_open = True

    async def _next_batch(self, seconds: float | None) -> list[Event] | None:
        await self._open()
        if self._library is not None:
            await self._library.checkpoint()
        return await self._drive(self._driver.next_batch(seconds))

    async def _drive(self, steps: Steps[T]) -> T | None:
        if not self._busy.acquire(blocking=False):
            raise RuntimeError("another task is waiting for this watch")
        try:
            return None if self._readiness is None else await self._run(steps)
        finally:
            self._busy.release()
            if self._driver.closed:
                self._release()

    async def _run(self, steps: Steps[T]) -> T:
        """Run the driver's steps, letting other tasks run where it waits."""
        readiness, library = self._readiness, self._library
        assert readiness is not None, "nothing is closed while the driver runs"
        assert library is not None, "it is opened before it is run"
        try:
            step = next(steps)
            while True:
                if isinstance(step, Wait):
                    if step.socket is not None:
                        readiness.follow(step.socket, step.writable)
                    ready = await library.wait(
                        readiness.fileno(), step.seconds, self._stop
                    )
                    if readiness.is_nudged:
                        readiness.clear()
                    step = steps.send(ready)
                    continue
                try:
                    result = await library.call(step)
                except Exception as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(result)
        except StopIteration as done:
            found: T = done.value
            return found
        finally:
            steps.close()


def _running_library() -> AsyncLibrary:
    """The library whose task this is. Raises RuntimeError outside of any."""
    trio = sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_task():
        from gamin.client.trio_library import TrioLibrary

        return TrioLibrary()
    from gamin.client.asyncio_library import AsyncioLibrary

    return AsyncioLibrary()

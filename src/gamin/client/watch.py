"""`gamin.watch()`: an iterator over what changes, for programs that wait."""

from collections.abc import Iterable
from types import TracebackType
from typing import Self, TypeVar

from gamin.client.arguments import (
    AnyPath,
    WatchTimeout,
    absolute,
    as_patterns,
    make_session,
)
from gamin.client.base import BaseWatch
from gamin.client.connect import connect_watchman
from gamin.client.driver import Connector, Driver, Steps, StopEvent, Wait
from gamin.client.path_change import PathChange
from gamin.events import Event
from gamin.protocol.watchman.client.watched_path import WatchOptions
from gamin.protocol.watchman.client.watching import Watching

T = TypeVar("T")

CHANGE_INTERVAL = 0.05
"""Seconds between two checks whether a thread that carries out a change of the paths
has stopped iterating."""


def watch(
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
) -> "Watch":
    """Watch files and directories; return when all of them are really watched.

    Starts the server of this user if none runs.

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
        unreadable: ask which directories may not be read (`Watch.unreadable`).
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
        stop_event: an object with `is_set()`, as `threading.Event`. The iteration ends
            within 0.1 seconds after it is set.

    Returns:
        An iterator of batches: lists of `Event`, never empty, in the order of the
        changes. Close it, or use it in a `with`.

    Raises:
        InvalidPath: a path is empty, too long, or contains NUL.
        ValueError: no path, or a `since` of another number of paths.
        WatchRefused: the server rejects a pattern or a number.
        ServerError: there is no server to be had; ServerNotStarted,
            ServerUnresponsive, ServerUnstable, InvalidSetting and UnsafeSocketPath say
            why.
        OSError: this process has no descriptors left.

    Example:

        for batch in gamin.watch("src", ignore=["*.pyc"]):
            for event in batch:
                print(event.kind, event.path)
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
    return Watch(session, timeout=timeout, stop_event=stop_event)


class Watch(BaseWatch):
    """An iterator of batches: lists of events, never empty, in their order.

    `gamin.watch` makes it. A server that dies is replaced, and what happened meanwhile
    comes as one batch, marked `recovered`. It may repeat changes of content from the
    two seconds before.

    Close it, or use it in a `with`. One thread at a time iterates.

    Iterating raises:

    * `WatchTimeout`: nothing happened for `timeout` seconds.
    * `ServerError`: the server was lost, and there is no other to be had.
    * `WatchRefused`: the server that replaced a lost one rejects the watch.

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
        self._prepare()
        try:
            self._run(self._driver.open())
        except BaseException:
            self.close()
            raise
        self._is_open = True
        if self.closed:
            self._release()

    def next(self, timeout: float | None = None) -> list[Event] | None:
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
            WatchRefused: the server that replaced a lost one rejects the watch.

        Example:

            while (batch := watch.next(timeout=0)) is not None:
                handle(batch)
        """
        try:
            return self._next_batch(timeout)
        except WatchTimeout:
            readiness = self._readiness
            if readiness is not None:  # for a loop that waits for `fileno()` next
                readiness.alarm(self._driver.due_in)
            return None

    def add(self, *paths: AnyPath) -> None:
        """Watch more paths; return when all of them are really watched.

        They have the options of the watch, and need no connection of their own. Any
        thread may call it, also while another one iterates.

        Raises:
            InvalidPath: a path is empty, too long, or contains NUL.
            ValueError: the watch is closed.
            ServerError: the server was lost, and there is no other to be had.
        """
        change = PathChange(add=[(absolute(path), None) for path in paths])
        self._carry_out(change)
        change.check(self._driver.channel.watching)

    def remove(self, *paths: AnyPath) -> None:
        """Watch paths no more; nothing is reported of them any more.

        Any thread may call it. A watch without a path waits for one that is added.

        Raises:
            ValueError: a path is not watched, or the watch is closed.
        """
        self._carry_out(PathChange(remove=self._keys_of(paths)))

    def _carry_out(self, change: PathChange) -> None:
        self._request(change)
        while not (change.is_done or self.closed):
            if not self._busy.acquire(blocking=False):
                change.wait(CHANGE_INTERVAL)  # whoever iterates carries it out
                continue
            try:
                if self._readiness is not None:
                    self._run(self._driver.carry_out(change))
            finally:
                self._busy.release()
        if self.closed:
            self._release()

    def fileno(self) -> int:
        """The descriptor for other event loops; the same for the life of the watch.

        Returns:
            A descriptor that is readable when `next(0)` may have something to return.
            Call `next(0)` until it returns None, and wait for the descriptor then.

        Raises:
            ValueError: the watch is closed.
        """
        readiness = self._readiness
        if readiness is None:
            raise ValueError("the watch is closed")
        return readiness.fileno()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> list[Event]:
        batch = self._next_batch(self._timeout)
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

    def _next_batch(self, timeout: float | None) -> list[Event] | None:
        try:
            with self._busy:
                if self._readiness is None:
                    return None
                return self._run(self._driver.next_batch(timeout))
        finally:
            if self._driver.closed:
                self._release()

    def _run(self, steps: Steps[T]) -> T:
        """Run the driver's steps, blocking where it waits."""
        readiness = self._readiness
        assert readiness is not None, "nothing is closed while the driver runs"
        try:
            step = next(steps)
            while True:
                if isinstance(step, Wait):
                    if step.socket is not None:
                        readiness.follow(step.socket, step.writable)
                    step = steps.send(readiness.wait(step.seconds))
                    continue
                try:
                    result = step.function()
                except BaseException as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(result)
        except StopIteration as done:
            found: T = done.value
            return found

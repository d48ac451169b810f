"""The daemon's event loop: waits for descriptors, timers and signals, and calls back.

Its interface is a strict subset of that of asyncio's loop, which is not used because it
is a fifth of what a start imports, and adds 25 µs to the latency of a change when
little happens (measured).
"""

import logging
import os
import select
import signal
import time
from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Callable

from gamin.daemon.io.error_log import log_exception

logger: logging.Logger = logging.getLogger(__name__)

Callback = Callable[[], object]

MAX_EVENTS_PER_WAIT = 64
"""Descriptors per loop iteration; others that are ready follow in the next one."""

SOON_SECONDS = 0.005
"""Seconds of calls from `call_soon` in one iteration; the rest follow in the next, so
that descriptors, timers and signals do not wait for all of them."""

_IN = ~select.EPOLLOUT
"""Events for which the reader is called. A read also finds an end or an error."""

_OUT = ~select.EPOLLIN
"""Events for which the writer is called."""

_BUG = "a bug; what went wrong was left undone"


def _nothing() -> None:
    """What is done where there is no memory, unless the server has set it."""


class Timer:
    """A callback that is due at a time."""

    __slots__ = ("_loop", "call", "key")

    def __init__(self, loop: "Loop", key: tuple[float, int], call: Callback) -> None:
        self._loop = loop
        self.key: tuple[float, int] = key
        self.call: Callback = call

    def when(self) -> float:
        return self.key[0]

    def cancel(self) -> None:
        """Drop the callback. Does nothing if it was called already."""
        self._loop.forget(self)


class Loop:
    """Calls what is ready, iteration by iteration.

    Logs the exception of a callback and goes on: one bug must not end the server.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.time: Callable[[], float] = clock
        """The time by which timers are due, in seconds."""
        self.on_no_memory: Callback = _nothing
        """Called where there is no memory for what was to be done."""
        self._epoll = select.epoll()
        self._readers: dict[int, Callback] = {}
        self._writers: dict[int, Callback] = {}
        self._timers: dict[tuple[float, int], Timer] = {}
        self._times: list[tuple[float, int]] = []
        """The sorted keys of `_timers`: the time, and a number that makes it unique."""
        self._made = 0
        self._soon: deque[Callback] = deque()
        self._handlers: dict[int, Callback] = {}
        self._signals = -1
        """The pipe to which Python writes the number of each signal."""
        self._is_ended = False

    def run(self) -> None:
        """Iterate until `stop` is called."""
        while not self._is_ended:
            try:
                self.run_once()
            except MemoryError:
                self.on_no_memory()

    def stop(self) -> None:
        """Make this iteration the last one."""
        self._is_ended = True

    def run_once(self, longest: float | None = None) -> None:
        """Wait for at most `longest` seconds, and call everything that is ready."""
        if self._soon or self._times or self._is_ended:
            longest = self._timeout(longest)
        for fd, mask in self._epoll.poll(longest, MAX_EVENTS_PER_WAIT):
            # Looked up late, because an earlier callback may have removed it.
            try:
                if mask & _IN and (call := self._readers.get(fd)) is not None:
                    call()
                if mask & _OUT and (call := self._writers.get(fd)) is not None:
                    call()
            except Exception as error:
                self._log_failure(error)
        if self._times:
            # Timers that these calls make wait for the next iteration: one that sets
            # itself for the past, by a bug, must not keep the loop from all others.
            latest = self.time(), self._made
            for key in self._times[: bisect_right(self._times, latest)]:
                timer = self._timers.get(key)
                if timer is not None:  # no earlier one has cancelled it
                    self.forget(timer)
                    self._call(timer.call)
        if self._soon:
            end = time.monotonic() + SOON_SECONDS
            for _ in range(len(self._soon)):
                self._call(self._soon.popleft())
                if time.monotonic() >= end and not self._is_ended:
                    break

    def close(self) -> None:
        """Restore the default action of signals, and release all descriptors."""
        for number in self._handlers:
            signal.signal(number, signal.SIG_DFL)
        if self._signals >= 0:
            os.close(signal.set_wakeup_fd(-1))
            os.close(self._signals)
        self._epoll.close()

    def _timeout(self, longest: float | None) -> float | None:
        if self._soon or self._is_ended:
            return 0.0
        left = max(0.0, self._times[0][0] - self.time())
        return left if longest is None else min(left, longest)

    def _call(self, call: Callback) -> None:
        try:
            call()
        except Exception as error:
            self._log_failure(error)

    def _log_failure(self, error: Exception) -> None:
        if isinstance(error, MemoryError):
            self.on_no_memory()  # and there may be none for the log
        log_exception(logger, _BUG)

    # -- descriptors

    def add_reader(self, fd: int, call: Callback) -> None:
        """Call `call` whenever there is something to read, or an end or an error."""
        self._readers[fd] = call
        self._watch(fd)

    def remove_reader(self, fd: int) -> None:
        """Call this before closing `fd`. Does nothing where there is no reader."""
        if self._readers.pop(fd, None) is not None:
            self._watch(fd)

    def add_writer(self, fd: int, call: Callback) -> None:
        """Call `call` whenever there is room to write."""
        self._writers[fd] = call
        self._watch(fd)

    def remove_writer(self, fd: int) -> None:
        if self._writers.pop(fd, None) is not None:
            self._watch(fd)

    def _watch(self, fd: int) -> None:
        """Register exactly the events for which there are callbacks."""
        mask = select.EPOLLIN if fd in self._readers else 0
        mask |= select.EPOLLOUT if fd in self._writers else 0
        if not mask:
            self._epoll.unregister(fd)
            return
        try:
            self._epoll.modify(fd, mask)
        except FileNotFoundError:
            self._epoll.register(fd, mask)

    # -- later

    def call_soon(self, call: Callback) -> None:
        """Call in the next iteration, which does not wait then."""
        self._soon.append(call)

    def call_later(self, seconds: float, call: Callback) -> Timer:
        return self.call_at(self.time() + seconds, call)

    def call_at(self, when: float, call: Callback) -> Timer:
        """Call once at `when`, by the clock of the loop (`time`)."""
        self._made += 1
        key = (when, self._made)
        timer = self._timers[key] = Timer(self, key, call)
        insort(self._times, key)
        return timer

    def forget(self, timer: Timer) -> None:
        if self._timers.pop(timer.key, None) is not None:
            del self._times[bisect_left(self._times, timer.key)]

    # -- signals

    def add_signal_handler(self, number: int, call: Callback) -> None:
        """Call after the signal has arrived. Only for the loop of the main thread."""
        if self._signals < 0:
            self._signals, inlet = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
            signal.set_wakeup_fd(inlet, warn_on_full_buffer=False)
            self.add_reader(self._signals, self._signalled)
        self._handlers[number] = call
        signal.signal(number, _only_wake)

    def _signalled(self) -> None:
        for number in os.read(self._signals, 4096):
            if number in self._handlers:
                self._call(self._handlers[number])


def _only_wake(number: int, frame: object) -> None:
    """Does nothing: Python has written the number to the pipe, which wakes the loop."""

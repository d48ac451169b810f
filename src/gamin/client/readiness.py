"""One descriptor that is readable when a watch should be run.

It stays the same for the life of a watch, while the connection behind it is replaced,
and any thread or signal handler can make it readable.
"""

import contextlib
import os
import select
import socket
import threading
import time


class Readiness:
    """An epoll set with the present connection and an eventfd."""

    def __init__(self) -> None:
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        try:
            self._set = select.epoll()
        except BaseException:
            os.close(self._wake)
            raise
        self._set.register(self._wake, select.EPOLLIN)
        self._socket: socket.socket | None = None
        self._writable = False
        self.is_nudged: bool = False
        """`nudge` was called since the last `clear`. It is exact only for whoever calls
        both in one thread, as the tasks of an event loop; others ask the kernel."""
        self._is_awake = False
        self._closed = False
        self._timer = -1
        self._lock = threading.Lock()  # held while the eventfd is written or closed

    def fileno(self) -> int:
        return self._set.fileno()

    def follow(self, connected: socket.socket, writable: bool) -> None:
        """Be readable when `connected` can be read or, if asked for, written.

        Until `forget` or the next call.
        """
        events = select.EPOLLIN | (select.EPOLLOUT if writable else 0)
        if connected is not self._socket:
            self._set.register(connected, events)
        elif writable != self._writable:
            self._set.modify(connected, events)
        self._socket, self._writable = connected, writable

    def forget(self) -> None:
        """Follow no connection; to be called before the one followed is closed.

        Closing it would not take it out of the set if a forked process has it too.
        """
        if self._socket is not None:
            self._set.unregister(self._socket)
            self._socket = None

    def wait(self, seconds: float | None) -> bool:
        """Block until it is readable; False if `seconds` have passed before."""
        ready = self._set.poll(seconds)
        if (self._wake, select.EPOLLIN) in ready and not self._is_awake:
            self.clear()
        return bool(ready)

    def nudge(self) -> None:
        """Make it readable once; for any thread, but not for signal handlers."""
        self.is_nudged = True
        with self._lock:
            if not self._closed:
                os.eventfd_write(self._wake, 1)
        if self._is_awake:  # a signal handler may have found the lock held
            self.wake()

    def clear(self) -> None:
        """End what `nudge` began; for whoever runs the watch."""
        self.is_nudged = False
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._wake)
        if self._is_awake:  # `wake` may have been called since the caller knew
            self.wake()

    def alarm(self, seconds: float | None) -> None:
        """Be readable after so many seconds, until the next call; None: no more.

        Raises OSError when there are no more descriptors.
        """
        if seconds is None and self._timer < 0:
            return
        # Imported late: only a watch with `settle` in another loop needs it.
        from gamin.system.libc import timerfd_create, timerfd_settime

        if self._timer < 0:
            flags = os.O_CLOEXEC | os.O_NONBLOCK
            self._timer = timerfd_create(time.CLOCK_MONOTONIC, flags)
            self._set.register(self._timer, select.EPOLLIN)
        nanoseconds = 0 if seconds is None else max(1, int(seconds * 1e9))
        timerfd_settime(self._timer, nanoseconds)

    def wake(self) -> None:
        """Make it readable for good; for any thread, and for signal handlers."""
        self._is_awake = True
        if self._lock.acquire(blocking=False):  # else somebody is at it already
            try:
                if not self._closed:
                    os.eventfd_write(self._wake, 1)
            finally:
                self._lock.release()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._set.close()
            os.close(self._wake)
            if self._timer >= 0:
                os.close(self._timer)

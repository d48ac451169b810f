"""A thread for each mount on which a system call may take for ever.

Threads and not processes: a call that waits for a server holds neither the interpreter
nor the loop, a thread needs no memory of its own to speak of, and what it finds needs
no encoding. A thread that hangs in the kernel cannot be ended; it is left behind, and
goes away when its call returns. They are daemon threads, so the process ends without
waiting for them, and whoever ends closes sockets first: the kernel may keep the
remains of the process until that call returns.
"""

import logging
import os
import select
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import NamedTuple

from gamin.backends.combined import CombinedBackend
from gamin.backends.polling import PollingBackend
from gamin.config.mounts import Mount
from gamin.daemon.io.error_log import log_exception
from gamin.daemon.process.no_memory import end_without_memory
from gamin.engine.mount_executor import STALLED_SECONDS, MountExecutor
from gamin.engine.proxy import Batch, Request
from gamin.paths import printable
from gamin.system import errands, filesystem

logger: logging.Logger = logging.getLogger(__name__)


NO_ANSWER = "no answer"
"""Why a mount is stalled that lets system calls wait."""

BUG = "a bug ended its thread; see the log"
"""Why a mount is stalled whose thread is not there any more."""

RETRY_SECONDS = 0.5
"""Seconds after which a thread is started that could not be started before."""


class Stalled(NamedTuple):
    """A mount that gives no answer, or nothing but errors."""

    point: bytes
    seconds: float
    """Seconds since it last answered."""
    reason: str


class MountThreads:
    def __init__(
        self,
        call_later: Callable[[float, Callable[[], None]], object],
        *,
        has_kernel: bool = True,
    ) -> None:
        """`call_later` has a function called after so many seconds, as a loop does."""
        self._call_later = call_later
        self._has_kernel = has_kernel
        self._threads: dict[Mount, _MountThread] = {}
        self._answers: deque[tuple[_MountThread, Batch]] = deque()
        self._news = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)

    def fileno(self) -> int:
        """Readable when there are answers."""
        return self._news

    def send(self, mount: Mount, request: Request) -> None:
        thread = self._threads.get(mount)
        if thread is None:
            thread = _MountThread(mount, self._answers, self._news, self._has_kernel)
            self._threads[mount] = thread
            self._begin(thread)
        thread.send(request)

    def _begin(self, thread: "_MountThread") -> None:
        """Start it, or else try again later; its mount is stalled until then."""
        if self._threads.get(thread.mount) is thread and not thread.begin():
            self._call_later(RETRY_SECONDS, partial(self._begin, thread))

    def take(self) -> Sequence[tuple[Mount, Batch]]:
        with suppress(BlockingIOError):
            os.eventfd_read(self._news)
        taken = []
        while self._answers:
            thread, batch = self._answers.popleft()
            if self._threads.get(thread.mount) is thread:
                taken.append((thread.mount, batch))
        return taken

    def end(self, mount: Mount) -> None:
        thread = self._threads.pop(mount, None)
        if thread is not None:
            thread.end()

    def is_stalled(self, mount: Mount) -> bool:
        thread = self._threads.get(mount)
        return thread is not None and thread.stalled(time.monotonic()) is not None

    def stalled(self) -> list[Stalled]:
        """The mounts that do not answer now, be it to these threads or to errands."""
        now = time.monotonic()
        seen = (thread.stalled(now) for thread in self._threads.values())
        found = {each.point: each for each in seen if each is not None}
        for point, seconds in errands.stalled().items():
            if point not in found or found[point].seconds < seconds:
                found[point] = Stalled(point, seconds, NO_ANSWER)
        return list(found.values())

    def close(self) -> None:
        """End all threads; the descriptor stays open for one that hangs."""
        for mount in list(self._threads):
            self.end(mount)


class _MountThread(threading.Thread):
    def __init__(
        self,
        mount: Mount,
        answers: "deque[tuple[_MountThread, Batch]]",
        news: int,
        has_kernel: bool,
    ) -> None:
        super().__init__(name=os.fsdecode(mount.point), daemon=True)
        self.mount = mount
        self._answers = answers
        self._news = news
        self._requests: deque[Request] = deque()
        self._has_kernel = has_kernel
        self._wake = -1
        self._lock = threading.Lock()
        """Held while `_wake` is written to or closed."""
        self._is_ended = False
        self._kernel: CombinedBackend | None = None
        self._executor: MountExecutor | None = None
        self._failure: Stalled | None = None
        """Why it does not run; its seconds are the moment when that began."""

    def begin(self) -> bool:
        """Start; return whether that was possible. If not, it may be tried again."""
        point = self.mount.point
        try:
            self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
            self._kernel = CombinedBackend() if self._has_kernel else None
            polling = PollingBackend(cost=time.thread_time)
            self._executor = MountExecutor(
                point, self._kernel, polling, filesystem, time
            )
            self.start()
        except (OSError, RuntimeError) as error:  # there is no descriptor, or no thread
            self._close()
            self._executor = None
            if self._failure is None:
                self._fail(str(error))
                logger.warning("%s is not watched yet: %s", printable(point), error)
            return False
        self._failure = None
        self._notify()  # of what was sent before
        return True

    def _fail(self, reason: str) -> None:
        self._failure = Stalled(self.mount.point, time.monotonic(), reason)

    def send(self, request: Request) -> None:
        self._requests.append(request)
        self._notify()

    def end(self) -> None:
        self._is_ended = True
        self._notify()

    def _notify(self) -> None:
        with self._lock:
            if self._wake >= 0:
                os.eventfd_write(self._wake, 1)

    def stalled(self, now: float) -> Stalled | None:
        failure, executor = self._failure, self._executor
        if failure is not None or executor is None:
            return failure and failure._replace(seconds=now - failure.seconds)
        since = executor.call_since
        if since is not None and now - since >= STALLED_SECONDS:
            return Stalled(self.mount.point, now - since, NO_ANSWER)
        if executor.trouble:
            seconds = now - executor.down_since
            return Stalled(self.mount.point, seconds, executor.trouble)
        return None

    def run(self) -> None:
        # Signals are for the loop's thread.
        signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())
        errands.may_wait_for(self.mount.point)
        try:
            self._serve()
        except MemoryError:
            end_without_memory()
        except Exception:
            where = printable(self.mount.point)
            log_exception(logger, "a bug; %s is not watched any more", where)
            self._fail(BUG)
        finally:
            self._close()

    def _close(self) -> None:
        if self._kernel is not None:
            self._kernel.close()
            self._kernel = None
        with self._lock:
            if self._wake >= 0:
                os.close(self._wake)
            self._wake = -1

    def _serve(self) -> None:
        executor = self._executor
        assert executor is not None
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        is_kernel_polled = False
        while not self._is_ended:
            if self._kernel is not None and is_kernel_polled is executor.is_down:
                # While the mount is down nothing is read there, and what is queued
                # would wake this thread again and again.
                is_kernel_polled = not executor.is_down
                if is_kernel_polled:
                    poll.register(self._kernel.fileno(), select.POLLIN)
                else:
                    poll.unregister(self._kernel.fileno())
            deadline = executor.deadline()
            wait = None
            if deadline is not None:
                wait = max(0.0, deadline - time.monotonic()) * 1000
            poll.poll(wait)
            with suppress(BlockingIOError):
                os.eventfd_read(self._wake)
            requests = []
            while self._requests:
                requests.append(self._requests.popleft())
            if self._is_ended:
                return
            batch = executor.turn(requests)
            if batch and not self._is_ended:
                self._answers.append((self, batch))
                os.eventfd_write(self._news, 1)

"""A thread for jobs that may wait for a disk; all jobs share it.

Jobs are iterators that do a little at each step. They take turns, so a long one does
not delay a short one; each one's end is reported on the loop's thread. There is a
thread only while there are jobs.
"""

import logging
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress

from gamin.daemon.io.loop import Loop

logger: logging.Logger = logging.getLogger(__name__)

TURN_SECONDS = 0.05
"""Seconds for which one job works before another one continues."""

RETRY_SECONDS = 0.5
"""Seconds after which a thread is started that could not be started before."""


class Job:
    """Work that was given to a worker."""

    def __init__(self, steps: Iterator[None], done: Callable[[], None]) -> None:
        self._steps = steps
        self._done = done
        self._has_begun = False
        self.is_canceled: bool = False
        self._is_over = threading.Event()
        self.step_since: float | None = None
        """When the step began that the thread is at; None while it is at none."""
        self.error: Exception | None = None
        """What a step raised; the work ended with it."""

    def cancel(self) -> None:
        """Stop it at its next step, and report nothing."""
        self.is_canceled = True
        self._done = _nothing
        if not self._has_begun:
            # It may wait for ever behind one that hangs. Of one that has begun, the
            # thread lets go: what that has open may hang when it is closed.
            self._steps = iter(())

    def work(self, seconds: float) -> bool:
        """Work for at most `seconds`; return whether the job is finished."""
        self.step_since = time.monotonic()
        end = self.step_since + seconds
        self._has_begun = True
        try:
            for _ in self._steps:
                if self.is_canceled:
                    return True
                self.step_since = time.monotonic()
                if self.step_since >= end:
                    return False
        except Exception as error:
            self.error = error
        finally:
            self.step_since = None
        return True

    def wait(self, seconds: float) -> bool:
        """Wait, on the loop's thread, until it is over or so much time has passed;
        return whether it is over."""
        return self._is_over.wait(seconds)

    def end(self) -> None:
        """The thread has finished it."""
        self._is_over.set()

    def report(self) -> None:
        if self.error is not None:
            logger.error("a bug; work in a thread was left undone", exc_info=self.error)
        if not self.is_canceled:
            self._done()


def _nothing() -> None:
    """What is called at the end of a job for which nobody waits."""


class Worker:
    def __init__(self, loop: Loop, name: str) -> None:
        self._loop = loop
        self._name = name
        self._jobs: deque[Job] = deque()
        self._done: deque[Job] = deque()
        self._lock = threading.Lock()
        """Held while `_thread` begins or ends."""
        self._thread: threading.Thread | None = None
        self._current: Job | None = None
        self._news = -1
        """Readable when jobs are done; open once there was a job."""

    def start(self, steps: Iterator[None], done: Callable[[], None]) -> Job:
        """Do the steps in the thread; `done` is called on the loop's thread."""
        job = Job(steps, done)
        self._jobs.append(job)
        self._ensure_thread()
        return job

    @property
    def silent_seconds(self) -> float:
        """For how long the thread has been at the same step."""
        since = None if self._current is None else self._current.step_since
        return 0.0 if since is None else time.monotonic() - since

    def _ensure_thread(self) -> None:
        """Start a thread if there are jobs and no thread; later if that fails."""
        with self._lock:
            if self._thread is not None or not self._jobs:
                return
            thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            try:
                if self._news < 0:
                    self._news = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
                    self._loop.add_reader(self._news, self._report)
                thread.start()  # it waits for the lock
            except (OSError, RuntimeError):  # there is no descriptor, or no thread
                self._loop.call_later(RETRY_SECONDS, self._ensure_thread)
            else:
                self._thread = thread

    def _report(self) -> None:
        with suppress(BlockingIOError):
            os.eventfd_read(self._news)
        while self._done:
            # Each by itself: one that raises must not keep the others from reporting.
            self._loop.call_soon(self._done.popleft().report)

    def _run(self) -> None:
        # Signals are for the loop's thread.
        signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())
        while (job := self._next()) is not None:
            if job.is_canceled:
                continue
            self._current = job
            if job.work(TURN_SECONDS):
                job.end()
                self._done.append(job)
                os.eventfd_write(self._news, 1)
            else:
                self._jobs.append(job)

    def _next(self) -> Job | None:
        """The job whose turn it is; None ends the thread."""
        with self._lock:
            if self._jobs:
                return self._jobs.popleft()
            self._thread = None
            return None

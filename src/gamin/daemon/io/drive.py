"""Drives the executor from the daemon's loop, on the real kernel, disk and clock."""

import time
from collections.abc import Generator
from typing import Protocol

from gamin.backends.base import KernelBackend
from gamin.backends.polling import PollingBackend
from gamin.core.effects import Effect
from gamin.core.monitor import Monitor
from gamin.daemon.io.loop import Loop, Timer
from gamin.engine.executor import Executor
from gamin.engine.known_listings import KnownListings
from gamin.engine.ports import AT_ONCE, Asked, Delivery, MountThreads
from gamin.engine.question import bring_up_to_date
from gamin.system import filesystem


class Threads(MountThreads, Protocol):
    def fileno(self) -> int:
        """Readable when `take` returns something."""

    def close(self) -> None:
        """End all threads, without waiting for one."""


class Drive:
    """Calls the executor when the kernel has something to read and when its deadline
    has come, with one reader and one timer.

    Whatever else calls the executor does so through here, for after each call the
    deadline may be another one.
    """

    def __init__(
        self,
        monitor: Monitor,
        kernel: KernelBackend | None,
        polling: PollingBackend,
        delivery: Delivery,
        loop: Loop,
        threads: Threads | None = None,
    ) -> None:
        self._threads = threads
        self.files: KnownListings = KnownListings(filesystem)
        self.executor: Executor = Executor(
            monitor, kernel, polling, self.files, time, delivery, threads=threads
        )
        self._monitor, self._kernel, self._polling = monitor, kernel, polling
        self._loop = loop
        self._timer: Timer | None = None
        self._is_reading = False
        """Whether the loop waits for the kernel's descriptor."""
        self._is_due_soon = False
        """Whether the loop calls in its next iteration."""
        self._is_closed = False
        if threads is not None:
            loop.add_reader(threads.fileno(), self._answered)
        self._plan()

    def do(self, effects: list[Effect]) -> None:
        """Carry effects out; see `Executor.do`."""
        try:
            self.executor.do(effects)
        finally:
            self._plan()

    def synchronise(self) -> int:
        """Apply everything that happened before; see `Executor.synchronise`."""
        try:
            return self.executor.synchronise()
        finally:
            self._plan()

    def bringing_up_to_date(self, subscription: Asked) -> Generator[None, None, bool]:
        """Detect now what would be detected later, a slice at a time; see
        `engine.question`."""
        steps = bring_up_to_date(
            self.executor, self._monitor, self._polling, time, subscription
        )
        while True:
            try:
                next(steps)
            except StopIteration as end:
                is_certain: bool = end.value
                return is_certain
            finally:
                self._plan()
            yield

    def removing(self) -> Generator[None, None, None]:
        """Remove large directories that are gone, a slice at a time, until the tree has
        none. It may still have one that an error left."""
        executor, monitor = self.executor, self._monitor
        while monitor.is_removing and executor.is_scanning:
            try:
                executor.scan_slice()
            finally:
                self._plan()
            yield

    def drain(self) -> None:
        """Apply what the kernel has reported, and send; see `Executor.drain`."""
        try:
            self.executor.drain()
        finally:
            self._plan()

    def _answered(self) -> None:
        try:
            self.executor.answered()
        finally:
            self._plan()

    def close(self) -> None:
        """Call the executor no more, and close the kernel's descriptors."""
        self._is_closed = True
        if self._threads is not None:
            self._loop.remove_reader(self._threads.fileno())
            self._threads.close()
        if self._timer is not None:
            self._timer.cancel()
        if self._kernel is not None:
            if self._is_reading:
                self._loop.remove_reader(self._kernel.fileno())
            self._kernel.close()

    def _plan(self) -> None:
        """Have the loop call when the executor wants to be called."""
        executor, kernel = self.executor, self._kernel
        if kernel is not None and self._is_reading is executor.is_drain_scheduled:
            self._is_reading = not self._is_reading
            if self._is_reading:
                self._loop.add_reader(kernel.fileno(), self.drain)
            else:
                self._loop.remove_reader(kernel.fileno())
        deadline, timer = executor.deadline(), self._timer
        if deadline is None:
            if timer is not None:
                timer.cancel()
                self._timer = None
        elif deadline <= AT_ONCE:
            if not self._is_due_soon:
                self._is_due_soon = True
                self._loop.call_soon(self._on_due_soon)
        elif timer is None or timer.when() > deadline:
            if timer is not None:
                timer.cancel()
            self._timer = self._loop.call_at(deadline, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._due()

    def _on_due_soon(self) -> None:
        self._is_due_soon = False
        self._due()

    def _due(self) -> None:
        if self._is_closed:
            return
        try:
            self.executor.due()
        finally:
            self._plan()

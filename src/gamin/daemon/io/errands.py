"""Has threads look at mounts that may not answer, while the loop goes on.

A generator that needs to know what is on the disk does `yield from aside(call)`: the
call is made at once if it is safe. Otherwise a thread makes it, and the generator goes
on when it is over. It is a `Step` that such a generator yields: None where others may
get their turn, or what to start.
"""

import os
from collections import deque
from collections.abc import Callable, Generator
from contextlib import suppress
from functools import partial
from typing import TypeVar

from gamin.daemon.io.loop import Loop
from gamin.errors import GaminError
from gamin.paths import printable
from gamin.system.errands import STALLED_SECONDS, Distant, Errand, is_stalled

RETRY_SECONDS = 0.5
"""Seconds after which a thread is started that could not be started before."""

T = TypeVar("T")
Done = Callable[[], None]
Step = Callable[["Errands", Done], None] | None
"""What a generator waits for: it is called with what is to be called afterwards."""
Steps = Generator[Step, None, T]


class MountStalled(GaminError):
    """A mount does not answer, so a question cannot be answered."""

    def __init__(self, point: bytes) -> None:
        super().__init__(
            f"the file system at {printable(point)} does not answer; "
            "gamin status shows when it does"
        )


def aside(call: Callable[[], T], seconds: float | None = STALLED_SECONDS) -> Steps[T]:
    """What the call returns, be it made by a thread. Raises MountStalled if there is no
    answer in time (None: it may take for ever), and what the call raises."""
    try:
        return call()
    except Distant as distant:
        errand = Errand(distant.point, call)
    yield lambda errands, done: errands.start(errand, done, seconds)
    if not errand.is_over:
        raise MountStalled(errand.point)
    return errand.result()


def run_in_background(steps: Steps[None], errands: "Errands") -> None:
    """Run a generator for which no client waits; it begins in the loop's next
    iteration."""

    def go_on() -> None:
        for step in steps:
            if step is None:
                errands.loop.call_soon(go_on)
            else:
                step(errands, go_on)
            return

    errands.loop.call_soon(go_on)


class Answer:
    """Something that others will give; a step waits for it."""

    def __init__(self) -> None:
        self.is_given: bool = False
        self._finish: Done = lambda: None

    def give(self) -> None:
        self.is_given = True
        self._finish()

    def wait(self, seconds: float, errands: "Errands", done: Done) -> None:
        """A step: go on when it is given, or after so many seconds."""
        self._finish = errands.once(done, seconds)
        if self.is_given:
            self._finish()


class Errands:
    """The loop's side of `system.errands`."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self._over: deque[Callable[[], None]] = deque()
        self._news = -1

    def start(self, errand: Errand[T], done: Done, seconds: float | None) -> None:
        """Have a thread make the call; `done` is called on the loop when it is over, or
        after so many seconds, or soon if the mount is known to be stalled."""
        if seconds is not None and is_stalled(errand.point):
            self.loop.call_soon(done)
            return

        def over() -> None:
            if not errand.is_over:
                errand.is_given_up = True
            done()

        finish = self.once(over, seconds)
        self._begin(errand, finish)

    def _begin(self, errand: Errand[T], finish: Done) -> None:
        if errand.is_given_up:
            return
        try:
            if self._news < 0:
                self._news = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
                self.loop.add_reader(self._news, self._collect)
            errand.start(lambda: self._notify(finish))
        except OSError:  # there is no descriptor, or no thread
            self.loop.call_later(RETRY_SECONDS, partial(self._begin, errand, finish))

    def once(self, done: Done, seconds: float | None) -> Done:
        """A function that calls `done`, but only the first time, and that is called
        after so many seconds at the latest."""
        is_over = False

        def finish() -> None:
            nonlocal is_over
            if not is_over:
                is_over = True
                if timer is not None:
                    timer.cancel()
                done()

        timer = None if seconds is None else self.loop.call_later(seconds, finish)
        return finish

    def _notify(self, finish: Done) -> None:
        """In the errand's thread."""
        self._over.append(finish)
        with suppress(OSError):  # closed: the server ends
            os.eventfd_write(self._news, 1)

    def _collect(self) -> None:
        with suppress(BlockingIOError):
            os.eventfd_read(self._news)
        while self._over:
            # Each by itself: one that raises must not keep the others from going on.
            self.loop.call_soon(self._over.popleft())

    def close(self) -> None:
        """Call nobody any more. The descriptor stays open for threads that hang."""
        if self._news >= 0:
            self.loop.remove_reader(self._news)

"""Threads that make system calls on mounts that may not answer, one for each mount.

`at` makes a call where that is safe, and raises Distant where only such a thread may
make it. Threads and not processes: a call that waits for a server holds neither the
interpreter nor the loop. A thread that hangs in the kernel cannot be ended. They are
daemon threads, so that the process does not wait for them at its end.
"""

import errno
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from gamin.system import reach

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

STALLED_SECONDS = 2.0
"""A mount that needs so many seconds for one call is stalled."""


class Distant(Exception):
    """The path is on a mount that may not answer, and the thread must not wait for it.
    No OSError: what is there is not known."""

    def __init__(self, point: bytes) -> None:
        super().__init__(point)
        self.point = point
        """Where the mount is."""


class _Thread(threading.local):
    known: frozenset[bytes] | None = None
    """The mounts that this thread may wait for; None: it must not wait at all."""


_thread = _Thread()


def at(path: bytes, call: Callable[[], T], *, follows: bool = True) -> T:
    """What the call returns, which looks at what the path leads to and nowhere else.

    `follows`: it follows a symlink at the end of the path. Raises Distant on the loop's
    thread if the path is distant. The thread of one mount has that of another one make
    the call; OSError if that gives no answer in time.
    """
    known = _thread.known
    point = reach.distant_point(path, known or (), follows=follows)
    if point is None:
        return call()
    if known is None:
        raise Distant(point)
    errand = Errand(point, lambda: at(path, call, follows=follows), known | {point})
    errand.start(lambda: None)
    return errand.wait(STALLED_SECONDS)


def may_wait_for(point: bytes) -> None:
    """The present thread exists to wait for the mount at that point."""
    _thread.known = frozenset((point,))


class Errand(Generic[T_co]):
    """A call that the thread of a mount makes for somebody else."""

    def __init__(
        self,
        point: bytes,
        call: Callable[[], T_co],
        known: frozenset[bytes] | None = None,
    ) -> None:
        """`known` are the mounts that the call may wait for; that at the point alone if
        None."""
        self.point = point
        self._call = call
        self._known = known or frozenset((point,))
        self._done: Callable[[], None] = lambda: None
        self._over = threading.Event()
        self._result: list[T_co] = []
        self._error: BaseException | None = None
        self.is_given_up: bool = False
        """Nobody waits for it any more, so it need not be begun."""

    def start(self, done: Callable[[], None]) -> None:
        """Have the mount's thread make the call; it calls `done` at the end.

        Raises OSError if no thread can be started; then it may be tried again."""
        self._done = done
        _threads.add(self)

    def run(self) -> None:
        """Make the call, in the present thread."""
        if self.is_given_up:
            return
        _thread.known = self._known
        try:
            self._result.append(self._call())
        except BaseException as error:
            self._error = error
        self._over.set()
        self._done()

    @property
    def is_over(self) -> bool:
        return self._over.is_set()

    def wait(self, seconds: float) -> T_co:
        """The result, if it comes in time; else OSError."""
        if not self._over.wait(0 if is_stalled(self.point) else seconds):
            self.is_given_up = True
            raise OSError(errno.ETIMEDOUT, "the mount does not answer", self.point)
        return self.result()

    def result(self) -> T_co:
        """What the call returned, or raised."""
        if self._error is not None:
            raise self._error
        return self._result[0]


class _Queue(threading.Thread):
    """The thread of one mount; it ends when it has nothing to do."""

    def __init__(self, point: bytes) -> None:
        super().__init__(name=os.fsdecode(point), daemon=True)
        self.errands: deque[Errand[object]] = deque()
        self.busy_since: float | None = None
        """When the call that is under way began."""

    def run(self) -> None:
        # Signals are for the loop's thread.
        signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())
        while (errand := _threads.next(self)) is not None:
            self.busy_since = time.monotonic()
            errand.run()
            self.busy_since = None


class _Threads:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queues: dict[bytes, _Queue] = {}

    def add(self, errand: "Errand[object]") -> None:
        with self._lock:
            queue = self._queues.get(errand.point)
            if queue is None:
                queue = _Queue(errand.point)
                try:
                    queue.start()  # it waits for the lock
                except RuntimeError as error:
                    raise OSError(errno.ENOMEM, str(error), errand.point) from error
                self._queues[errand.point] = queue
            queue.errands.append(errand)

    def next(self, queue: _Queue) -> "Errand[object] | None":
        with self._lock:
            if queue.errands:
                return queue.errands.popleft()
            self._queues = {p: q for p, q in self._queues.items() if q is not queue}
            return None

    def silent(self) -> dict[bytes, float]:
        now = time.monotonic()
        with self._lock:
            queues = list(self._queues.items())
        return {
            point: now - since
            for point, queue in queues
            if (since := queue.busy_since) is not None
            and now - since >= STALLED_SECONDS
        }


_threads = _Threads()


def stalled() -> dict[bytes, float]:
    """The points of the mounts that do not answer, and for how many seconds."""
    return _threads.silent()


def is_stalled(point: bytes) -> bool:
    return point in _threads.silent()

"""The real core and executor on a disk in memory, with a clock that tests move.

Everything the daemon has is here but loop, sockets and waiting: the doubles of kernel,
poller and disk stand behind the executor's ports.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Protocol

from gamin.config.flow_settings import FlowSettings
from gamin.config.gaminrc import FilesystemRule, PathRule
from gamin.config.mounts import Mount, Mounts
from gamin.config.policy import Policy
from gamin.core.effects import Deliver, Effect, Listing, Trace
from gamin.core.model.node import Node
from gamin.core.model.subscription import Subscription
from gamin.core.monitor import Monitor
from gamin.engine.drain_schedule import Slices
from gamin.engine.executor import Executor
from gamin.engine.mount_executor import MountExecutor
from gamin.engine.question import bring_up_to_date
from gamin.events import (
    AnyChange,
    Row,
    as_rows,
)
from testkit.doubles.calls import SystemCalls
from testkit.doubles.clients import Client, V1Client, View
from testkit.doubles.disk import Disk
from testkit.doubles.files import FilesInMemory
from testkit.doubles.kernel import WHOLE_QUEUE, KernelInMemory
from testkit.doubles.polling import PollingInMemory
from testkit.doubles.threads import ThreadsInMemory

ROOM = 65_536
"""The most directories that the kernel watches."""
SLICES = Slices(
    crawl_seconds=0.0,
    crawl_batch=4,
    scan_seconds=-1.0,
    scan_batch=2,
    answer_seconds=-1.0,
    drain_pieces=2,
)
"""Slices so small that even small examples need several."""
START = 1000.5
"""The time of the clock, in seconds, when a test begins."""
MAX_ROUNDS = 10_000
"""An executor that has not come to rest after this many calls never will."""


class Listener(Protocol):
    """The methods of a client that the core calls."""

    def deliver(self, subscription: Subscription, rows: Iterable[Row]) -> None: ...

    def ready(self, subscription: Subscription) -> None: ...

    def flush(self) -> None:
        """Everything reported so far can be sent."""


class NoMemory(MemoryError):
    """What `Shell.lacks_memory` makes calls raise."""


class Shell:
    """Drives an executor as the daemon's loop does, and stands for its delivery and
    its clock."""

    def __init__(
        self,
        policy: Policy | None = None,
        settings: FlowSettings | None = None,
        *,
        has_kernel: bool = True,
        room: int = ROOM,
        piece: int = WHOLE_QUEUE,
        slices: Slices = SLICES,
    ) -> None:
        """`room`: how many directories the kernel watches at the most; `piece`: how
        many events one drain of the kernel returns at the most."""
        self.now = START
        self.set_back = 0.0
        """Seconds by which somebody has set the real-time clock back."""
        self.system_calls = SystemCalls()
        self.disk = Disk(self.time_ns)
        self.kernel = KernelInMemory(self.disk, room, self.system_calls, piece)
        self.files = FilesInMemory(self.disk, self.system_calls)
        self.polling = PollingInMemory(self.disk, self.monotonic, self.system_calls)
        self.monitor = Monitor(policy or plain_policy(), settings)
        self.has_kernel = has_kernel
        self.files = FilesInMemory(self.disk, self.system_calls)
        self.threads = ThreadsInMemory(self.disk, self._mount_executor)
        self.executor = Executor(
            self.monitor,
            self.kernel if has_kernel else None,
            self.polling,
            self.files,
            self,
            self,
            slices,
            self.threads,
        )
        self.lacks_memory = 0
        """How many of the next calls of `detected` and `listed` raise NoMemory."""
        self.is_drained_by_loop = False
        """Whether the kernel is drained only when there is something to read and the
        executor has not set a time for it. Else what happened is known at once."""
        self.clients: list[Client] = []
        self.listeners: list[Listener] = []
        """Everyone who receives reports, by number, `clients` included."""
        self.notes: list[Trace] = []

    def _mount_executor(self, point: bytes) -> MountExecutor:
        """What a distant mount's thread has; it polls, for the kernel in memory has one
        queue only."""
        polling = PollingInMemory(self.disk, self.monotonic, self.system_calls)
        return MountExecutor(point, None, polling, self.files, self)

    def answer(self, *, newest_first: bool = False) -> None:
        """The threads of distant mounts work until all is answered and applied."""
        while self.threads.work(newest_first=newest_first):
            self.answered()
            self.run_once()

    def v1(self) -> V1Client:
        client = V1Client(self, len(self.listeners))
        self.clients.append(client)
        self.listeners.append(client)
        return client

    def view(self) -> View:
        view = View(self, len(self.listeners))
        self.clients.append(view)
        self.listeners.append(view)
        return view

    @property
    def calls(self) -> int:
        """System calls made so far."""
        return self.system_calls.count

    @property
    def meanwhile(self) -> Callable[[], None]:
        """Called before every system call: what other programs do just then."""
        return self.system_calls.meanwhile

    @meanwhile.setter
    def meanwhile(self, call: Callable[[], None]) -> None:
        self.system_calls.meanwhile = call

    # -- requests

    def begin(self, subscription: Subscription) -> None:
        self.call(self.synchronise)
        effects = self.monitor.subscribe(subscription, self.now)
        self.call(lambda: self.do(effects))
        self.flush()
        self.run_once()

    def end(self, subscription: Subscription) -> None:
        effects = self.monitor.cancel(subscription, self.now)
        self.call(lambda: self.do(effects))
        self.flush()
        self.run_once()

    def change_policy(self, policy: Policy) -> None:
        self.call(self.synchronise)
        effects = self.monitor.policy_changed(policy, self.now)
        self.call(lambda: self.do(effects))
        self.flush()
        self.run_once()

    def do(self, effects: list[Effect]) -> None:
        self.executor.do(effects)

    def synchronise(self) -> None:
        self.executor.synchronise()

    def bring_up_to_date(self, subscription: Subscription) -> bool:
        """Detect now what would be detected later; nothing else happens meanwhile."""
        steps = bring_up_to_date(
            self.executor, self.monitor, self.polling, self, subscription
        )
        while True:
            try:
                next(steps)
            except StopIteration as end:
                is_certain: bool = end.value
                return is_certain

    # -- what the loop does

    def call(self, callback: Callable[[], object]) -> None:
        """Call it as the loop does, which logs an exception and goes on."""
        with suppress(NoMemory):
            callback()

    def drain(self) -> None:
        """The kernel's descriptor is readable."""
        self.call(self.executor.drain)

    def answered(self) -> None:
        """The threads of distant mounts have answered something."""
        self.call(self.executor.answered)

    def run_once(self) -> None:
        """Drain, unless that is left to the loop, and do all that the loop would do."""
        if not self.is_drained_by_loop:
            self.drain()
        for _ in range(MAX_ROUNDS):
            if self.kernel.inotify.queue and not self._is_drain_scheduled():
                self.drain()
            elif self._is_due(self.now):
                self.call(self.executor.due)
            else:
                return
        raise AssertionError("the executor does not come to rest")

    def _is_drain_scheduled(self) -> bool:
        return self.is_drained_by_loop and self.executor.is_drain_scheduled

    def _is_due(self, by: float) -> bool:
        deadline = self.executor.deadline()
        return deadline is not None and deadline <= by

    def rows_since(self, asked: Subscription, tick: int) -> list[Row] | None:
        """What happened after `tick`, as `Monitor.changes_since` says it."""
        rows = self.monitor.changes_since(asked, tick)
        return None if rows is None else list(rows)

    def sleep(self, seconds: float) -> None:
        """Let time pass, with all that is due meanwhile."""
        end = self.now + seconds
        self.run_once()
        while (deadline := self.executor.deadline()) is not None and deadline <= end:
            self.now = max(self.now, deadline)
            self.run_once()
        self.now = end

    def settle(self) -> None:
        """Let time pass until the core has nothing pending any more."""
        for _ in range(MAX_ROUNDS):
            self.run_once()
            deadline = self.monitor.deadline()
            if deadline is None:
                return
            self.sleep(max(0.0, deadline - self.now))
        raise AssertionError("something is always pending")

    # -- the executor's clock

    def monotonic(self) -> float:
        return self.now

    def time_ns(self) -> int:
        return int((self.now - self.set_back) * 1e9)

    # -- the executor's delivery

    def deliver(self, effect: Deliver) -> None:
        for subscription in effect.subscriptions:
            self.listeners[subscription.client].deliver(
                subscription, as_rows(effect.rows)
            )

    def ready(self, subscription: Subscription) -> None:
        self.listeners[subscription.client].ready(subscription)

    def note(self, effect: Trace) -> None:
        self.notes.append(effect)

    def detected(self, changes: Sequence[AnyChange]) -> None:
        """There is no debug log."""
        self._need_memory()

    def reader(self, node: Node) -> None:
        """Nothing is read with a scan."""

    def was_read(self, node: Node, read: object) -> None:
        """Nothing was."""

    def listed(self, listings: Sequence[Listing]) -> None:
        """No session reads files before their directory is known."""
        self._need_memory()

    def _need_memory(self) -> None:
        if self.lacks_memory:
            self.lacks_memory -= 1
            raise NoMemory

    def packed(self) -> None:
        """No memory is given back."""

    def no_memory(self) -> None:
        """`_need_memory` fails where nothing is lost: this server goes on."""

    def flush(self) -> None:
        for listener in self.listeners:
            listener.flush()


def plain_policy(
    *rules: PathRule | FilesystemRule,
    mounts: Iterable[bytes] = (),
    poll_only: bool = False,
) -> Policy:
    """`mounts` may name a point several times: the last one is on top."""
    points = [Mount(b"/", "ext4")]
    points += [
        Mount(point, "ext4", id=b"%d" % number)
        for number, point in enumerate(mounts, start=1)
    ]
    return Policy(rules, Mounts(points), poll_only)

"""A tree that the real core and executor watch, with the backend under test.

Shows what the core believes to be there; nothing is reported to anyone.
"""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gamin.backends.base import KernelBackend
from gamin.backends.polling import PollingBackend
from gamin.config.flow_settings import FlowSettings
from gamin.config.mounts import Mounts
from gamin.config.policy import Policy
from gamin.core.effects import Deliver, Listing, Trace
from gamin.core.model.node import Node
from gamin.core.model.subscription import Scope, Subscription
from gamin.core.monitor import Monitor
from gamin.daemon.io.drive import Drive
from gamin.daemon.io.loop import Loop
from gamin.events import AnyChange

MAX_ROUNDS = 1000
RESCAN_PAUSE = 0.1
"""Seconds to wait for a rescan whose time has not come; less where work waits."""

NEVER_BUSY = FlowSettings(
    reports_per_second=1_000_000,
    churn_per_second=1_000_000,
    raw_events_per_second=1_000_000,
)


class _Nobody:
    """Receives everything, and keeps nothing."""

    def deliver(self, effect: Deliver) -> None: ...

    def ready(self, subscription: Subscription) -> None: ...

    def note(self, effect: Trace) -> None: ...

    def detected(self, changes: Sequence[AnyChange]) -> None: ...

    def reader(self, node: Node) -> None:
        """Nothing is read with a scan."""

    def was_read(self, node: Node, read: object) -> None:
        """Nothing was."""

    def listed(self, listings: Sequence[Listing]) -> None: ...

    def packed(self) -> None:
        """No memory is given back."""

    def no_memory(self) -> None: ...

    def flush(self) -> None: ...


class Follower:
    def __init__(self, kernel: KernelBackend, root: Path, loop: Loop) -> None:
        self._loop = loop
        self._monitor = Monitor(Policy((), Mounts()), NEVER_BUSY)
        polling = PollingBackend()
        self._drive = Drive(self._monitor, kernel, polling, _Nobody(), loop)
        self._subscription = Subscription(1, 1, os.fsencode(root), Scope.TREE)
        self._drive.do(self._monitor.subscribe(self._subscription, time.monotonic()))
        self.catch_up()

    def close(self) -> None:
        self._drive.close()

    def catch_up(self) -> None:
        """Apply whatever happened before this call, and find what was lost."""
        executor, recovery = self._drive.executor, self._monitor.recovery
        for _ in range(MAX_ROUNDS):
            self._drive.drain()  # a part of what waits, as between other work
            self._drive.synchronise()
            if not (executor.is_crawling or recovery.is_unresolved):
                return
            self._loop.run_once(RESCAN_PAUSE)
        raise AssertionError("the executor does not come to rest")

    def believed(self) -> set[tuple[bytes, bool]]:
        """Paths, and whether each is a directory."""
        rows = self._monitor.listing(self._subscription)
        return {(row.path, row.is_dir) for row in rows}


@contextmanager
def following(kernel: KernelBackend, root: Path) -> Iterator[Follower]:
    loop = Loop()
    follower = Follower(kernel, root, loop)
    try:
        yield follower
    finally:
        follower.close()
        loop.close()


def on_disk(root: Path) -> set[tuple[bytes, bool]]:
    """Paths, and whether each is a directory; symbolic links are not."""
    found = set()
    for above, directories, files in os.walk(os.fsencode(root)):
        for name in directories + files:
            path = os.path.join(above, name)
            found.add((path, os.path.isdir(path) and not os.path.islink(path)))
    return found

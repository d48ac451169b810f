"""The executor on the real loop, kernel and disk, driven by its deadlines."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from gamin.backends.inotify import InotifyBackend
from gamin.backends.polling import PollingBackend
from gamin.config.mounts import Mounts
from gamin.config.policy import Policy
from gamin.core.deliver.cursor import Cursor
from gamin.core.effects import Deliver, Listing, Trace
from gamin.core.model.node import Node
from gamin.core.model.subscription import Scope, Subscription
from gamin.core.monitor import Monitor
from gamin.daemon.io.drive import Drive
from gamin.daemon.io.loop import Loop
from gamin.events import AnyChange
from gamin.system.inotify import BUFFER

PATIENCE = 20.0
"""Seconds until a test gives up."""
MORE_THAN_A_PIECE = BUFFER // 32 + 100
"""Events that do not fit into one read."""


class Names:
    """Keeps the reported names."""

    def __init__(self) -> None:
        self.all: set[bytes] = set()
        self.trigger = b""
        self.new: list[Path] = []
        """Files to create once the trigger is reported."""

    def deliver(self, effect: Deliver) -> None:
        reported = {os.path.basename(path) for _, path, *_ in effect.rows}
        self.all |= reported
        if self.trigger in reported:
            self.trigger = b""
            for path in self.new:
                path.touch()

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


class Driven:
    """A drive that follows one tree."""

    def __init__(self, root: Path, kernel: InotifyBackend | None) -> None:
        self.loop = Loop()
        self.names = Names()
        self.monitor = Monitor(Policy((), Mounts(), poll_only=kernel is None))
        self.drive = Drive(
            self.monitor, kernel, PollingBackend(), self.names, self.loop
        )
        subscription = Subscription(1, 1, os.fsencode(root), Scope.TREE)
        self.drive.do(self.monitor.subscribe(subscription, time.monotonic()))
        self.turn()
        self.monitor.rows_to_send(subscription, Cursor())

    def turn(self) -> None:
        """Run what is due now, and what becomes due by that."""
        for _ in range(10):
            self.loop.run_once(0)

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline
            self.loop.run_once(0.01)

    def close(self) -> None:
        self.drive.close()
        self.loop.close()


@pytest.fixture
def driven(tmp_path: Path) -> Iterator[Driven]:
    driven = Driven(tmp_path, InotifyBackend())
    yield driven
    driven.close()


def test_an_event_of_the_kernel_is_reported(driven: Driven, tmp_path: Path) -> None:
    (tmp_path / "new").touch()
    driven.until(lambda: b"new" in driven.names.all)


def test_events_of_a_storm_are_reported_though_the_reader_is_paused(
    driven: Driven, tmp_path: Path
) -> None:
    for number in range(MORE_THAN_A_PIECE):
        os.mknod(tmp_path / f"{number}")
    driven.drive.drain()
    assert driven.drive.executor.is_drain_scheduled
    (tmp_path / "last").touch()
    driven.until(lambda: len(driven.names.all) == MORE_THAN_A_PIECE + 1)
    driven.until(lambda: not driven.drive.executor.is_drain_scheduled)
    (tmp_path / "after").touch()
    driven.until(lambda: b"after" in driven.names.all)


def test_events_read_ahead_during_a_request_are_reported_without_another_event(
    driven: Driven, tmp_path: Path
) -> None:
    for number in range(MORE_THAN_A_PIECE):
        os.mknod(tmp_path / f"{number}")
    fillers = [tmp_path / f"filler-{number}" for number in range(MORE_THAN_A_PIECE)]
    driven.names.trigger, driven.names.new = b"0", [*fillers, tmp_path / "late"]
    driven.drive.synchronise()
    assert b"late" not in driven.names.all
    driven.turn()
    assert b"late" in driven.names.all


def test_a_loss_is_recovered_though_nothing_else_happens(
    driven: Driven, tmp_path: Path
) -> None:
    (tmp_path / "lost").touch()
    driven.drive.synchronise()
    driven.names.all.clear()
    node = driven.monitor.tree.find(os.fsencode(tmp_path))
    assert node is not None
    del node.names[b"lost"]
    driven.monitor.recovery.on_overflow(time.monotonic())
    driven.drive.do([])
    driven.until(lambda: b"lost" in driven.names.all)


def test_polling_is_driven_by_its_deadline(tmp_path: Path) -> None:
    driven = Driven(tmp_path, None)
    try:
        (tmp_path / "new").touch()
        driven.until(lambda: b"new" in driven.names.all)
    finally:
        driven.close()


def test_a_closed_drive_does_not_call_the_executor(tmp_path: Path) -> None:
    driven = Driven(tmp_path, InotifyBackend())
    for number in range(MORE_THAN_A_PIECE):
        os.mknod(tmp_path / f"{number}")
    fillers = [tmp_path / f"filler-{number}" for number in range(MORE_THAN_A_PIECE)]
    driven.names.trigger, driven.names.new = b"0", [*fillers, tmp_path / "late"]
    driven.drive.synchronise()
    assert driven.drive.executor.is_drain_scheduled  # in the next iteration
    driven.drive.close()
    driven.turn()
    assert b"late" not in driven.names.all
    driven.loop.close()

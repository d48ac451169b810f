"""Brings a tree up to date before a question about it is answered.

The answer says what is on the disk, so everything is detected first that would be
detected later.
"""

from collections.abc import Generator
from typing import Protocol

from gamin.core.effects import Effect
from gamin.core.monitor import Monitor
from gamin.engine.ports import Asked, Clock, Poller

MAX_RESCANS = 3
"""Rescans before one answer: the kernel may lose events again during each of them."""


class Work(Protocol):
    """What the executor does for a question."""

    @property
    def is_scanning(self) -> bool:
        """Directories wait to be scanned that are new or may have lost events."""

    def do(self, effects: list[Effect]) -> None:
        """Carry effects out."""

    def recover(self, *, at_once: bool) -> bool:
        """Begin the rescan that is pending after a loss."""

    def scan_slice(self) -> None:
        """Scan for a slice of time."""

    def hurry(self, subscription: Asked) -> bool:
        """Scan next what is crawled for the subscription; whether there is any."""


def bring_up_to_date(
    work: Work,
    monitor: Monitor,
    polling: Poller,
    clock: Clock,
    subscription: Asked,
) -> Generator[None, None, bool]:
    """Detect now what would be detected later at or below the path of a ready
    subscription: what is polled, waits to be scanned, or was hidden by a loss. Call it
    after `Executor.synchronise`; it sends nothing.

    Yields after each slice, for others to get their turn. Returns False if the kernel
    loses events faster than a rescan finds them.
    """
    directory = subscription.bound_directory
    effects = monitor.retry(clock.monotonic())
    if effects:
        work.do(effects)
    for _ in range(MAX_RESCANS):
        work.recover(at_once=True)
        while work.hurry(subscription) or work.is_scanning:
            work.scan_slice()
            yield
        if directory is not None and polling.deadline() is not None:
            # Few are, in a tree that may have many directories.
            for node in polling.polled_below(directory.path()):
                changes = polling.final_poll(node)
                work.do(monitor.changed(changes, clock.monotonic()))
                yield
        if not (monitor.recovery.is_unresolved or work.is_scanning):
            return True
    return False

"""watchdog's observer over the service, and a handler that keeps what it is given.

Importing this needs watchdog.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from watchdog.events import FileSystemEvent, FileSystemEventHandler

from gamin.compat.observer import GaminObserver
from testkit.waiting import eventually


class Recorder(FileSystemEventHandler):
    """Keeps every event."""

    def __init__(self) -> None:
        self.seen: list[FileSystemEvent] = []

    def on_any_event(self, event: FileSystemEvent) -> None:
        self.seen.append(event)

    def until(self, *wanted: FileSystemEvent) -> None:
        """Return when these events have come."""
        eventually(
            lambda: all(event in self.seen for event in wanted), what=f"{wanted}"
        )


@contextmanager
def ending(observer: GaminObserver) -> Iterator[GaminObserver]:
    """An observer, started or not, that has ended after the block."""
    try:
        yield observer
    finally:
        if observer.is_alive():
            observer.stop()
            observer.join()


@contextmanager
def observing(**options: Any) -> Iterator[GaminObserver]:
    """An observer that runs in this block."""
    with ending(GaminObserver(**options)) as observer:
        observer.start()
        yield observer


def uses_own_engine(observer: GaminObserver) -> list[bool]:
    """For each path, in order, whether watchdog's own engine watches it."""
    emitters = sorted(observer.emitters, key=lambda each: str(each.watch.path))
    return [vars(emitter)["_own"] is not None for emitter in emitters]

"""watchfiles' engine and watchdog's observer over the service, as tests compare them
with a model: sets of what was reported, by path."""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Protocol

from gamin.compat.engine import ADDED, DELETED, MODIFIED, Engine
from testkit.actions.modelled import Expected, ModelledTree

PATIENCE = 20.0
"""Seconds in which whatever an operation causes has been reported."""


class Reported:
    """What one library reported since the last operation."""

    def __init__(self) -> None:
        self.created: set[str] = set()
        self.changed: set[str] = set()
        self.deleted: set[str] = set()

    def has(self, expected: Expected) -> bool:
        """Whether nothing is missing. A creation may stand for a change, as that of a
        file that another one was renamed over."""
        return (
            expected.created <= self.created | self.changed
            and expected.changed <= self.created | self.changed
            and expected.deleted <= self.deleted
        )

    def missing(self, expected: Expected) -> set[str]:
        """The paths of which too little was reported."""
        there = self.created | self.changed
        return {*((expected.created | expected.changed) - there)} | {
            *(expected.deleted - self.deleted)
        }

    @property
    def paths(self) -> set[str]:
        return self.created | self.changed | self.deleted


class Peer(Protocol):
    """A library that watches a directory."""

    def read(self, seconds: float) -> None:
        """Wait for reports, at most so long, and add them to `reported`."""

    reported: Reported

    def close(self) -> None: ...


class WatchfilesPeer:
    def __init__(self, path: str) -> None:
        self.reported = Reported()
        self._engine = Engine([path])

    def read(self, seconds: float) -> None:
        changes = self._engine.watch(1, 1, max(1, int(seconds * 1000)), None)
        assert changes == "timeout" or not isinstance(changes, str)
        for kind, path in () if isinstance(changes, str) else changes:
            sets = {
                ADDED: self.reported.created,
                MODIFIED: self.reported.changed,
                DELETED: self.reported.deleted,
            }
            sets[kind].add(path)

    def close(self) -> None:
        self._engine.close()


class WatchdogPeer:
    def __init__(self, path: str) -> None:
        from watchdog.events import FileSystemEvent, FileSystemEventHandler

        from gamin.compat.observer import GaminObserver

        queue: SimpleQueue[FileSystemEvent] = SimpleQueue()

        class Handler(FileSystemEventHandler):
            def on_any_event(self, event: FileSystemEvent) -> None:
                queue.put(event)

        self.reported = Reported()
        self._queue, self._root = queue, path
        self._observer = GaminObserver()
        self._observer.schedule(Handler(), path, recursive=True)
        self._observer.start()

    def read(self, seconds: float) -> None:
        try:
            event = self._queue.get(timeout=seconds)
        except Empty:
            return
        path = os.fsdecode(event.src_path)
        if event.event_type == "created":
            self.reported.created.add(path)
        elif event.event_type == "deleted":
            self.reported.deleted.add(path)
        elif event.event_type == "moved":
            self.reported.deleted.add(path)
            self.reported.created.add(os.fsdecode(event.dest_path))
        elif not (event.is_directory and event.event_type == "modified"):
            self.reported.changed.add(path)
        elif path != self._root:
            self._parent_changed(path)

    def _parent_changed(self, path: str) -> None:
        """In 6.0 a directory is reported as modified for each entry and for a chmod."""
        from watchdog import events

        if not hasattr(events, "DirAttribEvent"):
            self.reported.changed.add(path)

    def close(self) -> None:
        self._observer.stop()
        self._observer.join()


PEERS: dict[str, Callable[[str], Peer]] = {
    "watchfiles": WatchfilesPeer,
    "watchdog": WatchdogPeer,
}


class Findings:
    """What was wrong in a run."""

    def __init__(self) -> None:
        self.less: list[str] = []
        """Operations of which too little was reported."""
        self.wrong: list[str] = []
        """Reports of paths that the operation did not concern."""


def compare(
    name: str,
    top: Path,
    seed: int,
    operations: int,
    *,
    monotonic: Callable[[], float] = time.monotonic,
) -> Findings:
    """Do random operations, and compare what the library reports with the model."""
    tree, found = ModelledTree(top, seed), Findings()
    peer = PEERS[name](tree.root)
    late: frozenset[str] = frozenset()
    try:
        for number in range(operations):
            expected = tree.act()
            mark = f"{tree.root}/mark{number % 2}-{number}"
            os.mkdir(mark)
            marked = replace(expected, created=expected.created | {mark})
            deadline = monotonic() + PATIENCE
            while not peer.reported.has(marked) and monotonic() < deadline:
                peer.read(deadline - monotonic())
            os.rmdir(mark)
            gone = Expected("mark", deleted=frozenset((mark,)))
            while not peer.reported.has(gone) and monotonic() < deadline:
                peer.read(deadline - monotonic())
            missing = peer.reported.missing(marked)
            if missing:
                found.less.append(f"{number}: {expected.what}: {sorted(missing)}")
            wrong = peer.reported.paths - expected.allowed - {mark} - late
            if wrong:
                found.wrong.append(f"{number}: {expected.what}: {sorted(wrong)}")
            # A change of attributes is reported 20 ms later, and so is a late close.
            late = expected.allowed
            peer.reported = Reported()
        tree.check()
    finally:
        peer.close()
    return found

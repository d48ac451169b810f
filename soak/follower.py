"""Clients of the random run: each follows the tree in a thread of its own.

`soak.__main__` compares what they believe with the disk.
"""

import os
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

import gamin
from gamin.errors import GaminError
from gamin.protocol.gam.packets import EventCode
from testkit.beliefs import belief
from testkit.beliefs.watch import Belief, Folder, differences, there, version_of
from testkit.scenario.libgamin import FamError

PATIENCE = 0.05
"""Seconds between two checks of what the follower is to do."""


class Follower(threading.Thread, ABC):
    """Applies the events that it receives; it can be made to stop reading."""

    outlives_servers = True
    """It survives a restart of the server without `resume`."""

    def __init__(self, name: str, root: Path) -> None:
        super().__init__(name=name, daemon=True)
        self.root = root
        self.reads = threading.Event()
        self.reads.set()
        self.resume = threading.Event()
        """Set to make it disconnect and connect again."""
        self.ready = threading.Event()
        self.ended = threading.Event()
        self.lock = threading.Lock()
        self.error: BaseException | None = None
        self.events = 0

    def run(self) -> None:
        try:
            self.follow()
        except BaseException as error:
            self.error = error
            raise

    @abstractmethod
    def follow(self) -> None:
        """Watch and apply events until `ended` is set; `run` calls it."""

    @abstractmethod
    def wrong(self) -> list[str]:
        """The differences between what it believes and the disk."""

    @property
    def contradictions(self) -> list[str]:
        """The events that contradicted what it believed."""
        return []

    def summary(self) -> str:
        return f"{self.events} events"

    def end(self) -> None:
        self.ended.set()
        self.reads.set()
        self.join()


class WatchFollower(Follower):
    """`gamin.watch` on a tree; `resume` makes it leave and continue from its clock."""

    def __init__(self, name: str, root: Path, **options: Any) -> None:
        super().__init__(name, root)
        self.belief = Belief(root)
        self.resumed = 0
        self.listings = 0
        """How often it received a fresh listing instead of a difference."""
        self.recovered = 0
        self.received: deque[gamin.Event] = deque(maxlen=20_000)
        self._options = options

    def follow(self) -> None:
        clock: str | None = None
        while not self.ended.is_set():
            self.resume.clear()
            with gamin.watch(
                self.root,
                initial=clock is None,
                since=clock,
                timeout=PATIENCE,
                **self._options,
            ) as watch:
                self._iterate(watch)
                clock = watch.clock

    def _iterate(self, watch: gamin.Watch) -> None:
        while not (self.ended.is_set() or self.resume.is_set()):
            self.reads.wait()
            try:
                batch = next(watch)
            except gamin.WatchTimeout:
                self.ready.set()
                continue
            except GaminError as error:
                if isinstance(error, gamin.WatchRefused):
                    raise
                continue  # no server for a moment
            with self.lock:
                self.events += len(batch)
                self.recovered += any(event.recovered for event in batch)
                self.listings += any(e.kind is gamin.Kind.EXISTS for e in batch)
                self.belief.take(batch)
                self.received += batch
        self.resumed += self.resume.is_set()

    def wrong(self) -> list[str]:
        with self.lock:
            crosses = bool(self._options.get("cross_mounts"))
            return differences(self.belief.top, there(self.root, cross_mounts=crosses))

    @property
    def contradictions(self) -> list[str]:
        return self.belief.contradictions

    def summary(self) -> str:
        return (
            f"{self.events} events, came back {self.resumed} times, "
            f"{self.recovered} recoveries, {self.listings} listings, "
            f"{self.belief.repeated} repeated deletions"
        )


class V1Connection(Protocol):
    """The methods of a libgamin client that a follower needs."""

    def watch_directory(self, path: bytes) -> int: ...

    def next_event(self, timeout: float) -> "V1Event | None": ...

    def close(self) -> None: ...


class V1Event(Protocol):
    @property
    def number(self) -> int: ...

    @property
    def code(self) -> int: ...

    @property
    def path(self) -> bytes: ...


class V1Follower(Follower):
    """One libgamin connection that watches some directories; `resume` makes it start
    again with a new connection."""

    def __init__(
        self,
        name: str,
        folders: list[Path],
        connect: Callable[[], V1Connection],
        *,
        outlives_servers: bool = True,
    ) -> None:
        super().__init__(name, folders[0])
        self._connect = connect
        self._folders = folders
        self.outlives_servers = outlives_servers
        self._beliefs = V1Beliefs()

    def follow(self) -> None:
        while not self.ended.is_set():
            self.resume.clear()
            with closing(self._connect()) as client:
                self._ask(client)
                self.ready.set()
                while not (self.ended.is_set() or self.resume.is_set()):
                    self.reads.wait()
                    self._receive(client)

    def _ask(self, client: V1Connection) -> None:
        with self.lock:
            self._beliefs = V1Beliefs()
        for folder in self._folders:
            number = client.watch_directory(os.fsencode(folder))
            with self.lock:
                self._beliefs.add(number, folder)

    def _receive(self, client: V1Connection) -> None:
        try:
            event = client.next_event(PATIENCE)
        except (GaminError, FamError):
            return  # no server for a moment
        if event is not None:
            self._on_event(event.number, event.code, os.fsdecode(event.path))

    def _on_event(self, number: int, code: int, name: str) -> None:
        with self.lock:
            self.events += 1
            self._beliefs.apply(number, code, name)

    def wrong(self) -> list[str]:
        with self.lock:
            return self._beliefs.wrong()


class V1Beliefs:
    """What a client of libgamin's language believes of the directories it watches."""

    def __init__(self) -> None:
        self._beliefs: dict[int, belief.Belief] = {}
        self._paths: dict[int, Path] = {}

    def add(self, number: int, folder: Path) -> None:
        """A directory is watched by the request with this number."""
        self._beliefs[number] = belief.Belief()
        self._paths[number] = folder

    def apply(self, number: int, code: int, name: str) -> None:
        """Apply an event."""
        known, folder = self._beliefs[number], self._paths[number]
        is_itself = name.startswith("/")
        path = os.fsencode(name)
        match code:
            case EventCode.DELETED if is_itself:
                known.clear()
            case EventCode.DELETED:
                known.deleted(path, is_belated=True)
            case EventCode.EXISTS | EventCode.CREATED | EventCode.CHANGED:
                # After a loss this protocol sends a listing again, and a change
                # may be the first event about an entry.
                if not is_itself:
                    known.created(path, False, version_of(str(folder / name)))

    def wrong(self) -> list[str]:
        """The differences between what it believes and the disk."""
        return [
            f"{folder}: {each}"
            for number, folder in self._paths.items()
            for each in differences(_versions(self._beliefs[number]), _entries(folder))
        ]


def _versions(known: belief.Belief) -> Folder:
    below = known.root.below
    return {os.fsdecode(name): entry.version for name, entry in below.items()}


def _entries(folder: Path) -> Folder:
    """The entries of a directory, as far as a client of this protocol can know them."""
    if not folder.is_dir():
        return {}
    return {name: version_of(str(folder / name)) for name in os.listdir(folder)}

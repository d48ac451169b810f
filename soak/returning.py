"""Clients of `soak.saves`, which come back after the end of a server.

Nothing happens in the background: a client asks when it is asked to, and one that holds
a subscription receives then, and connects again when it finds that its server has
ended. So no server is started before its time, and the last events of a server may be
read after its end.
"""

import json
import os
import select
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path

import gamin
from gamin import Event, Kind
from gamin.client.connect import connect_watchman
from gamin.errors import GaminError
from soak.asking import FIELDS, apply_files
from soak.follower import V1Beliefs, V1Connection
from testkit.beliefs import belief
from testkit.beliefs.watch import (
    Belief,
    differences,
    folder_of,
    there,
    version_of,
)
from testkit.scenario.libgamin import FamError

PAUSE_SECONDS = 0.05
"""Seconds without an event after which the disk is compared."""
REST_SECONDS = 45.0
"""Seconds after the last act after which every subscriber must be right: a busy
directory is reported once a second, and the machine may be busy."""


class AskingClient:
    """Asks now and then what changed since its last clock: `gamin.changes`."""

    def __init__(self, name: str, root: Path, chance: float) -> None:
        """`chance` is the probability with which it asks in a round."""
        self.name = name
        self.chance = chance
        self.is_current = False
        """Its clock is of the server that ran last."""
        self.events = 0
        """Changes in differences."""
        self.repeated = 0
        """Those of files that were as the client knew them."""
        self._belief = Belief(root)
        self._root = root
        self._clock: str | None = None

    def ask(self) -> bool:
        """Apply the answer; return whether it is a listing instead of a difference."""
        before = self._belief.top
        events, clock = gamin.changes(self._root, since=self._clock)
        is_first = self._clock is None
        is_listing = any(event.kind is Kind.EXISTS for event in events)
        self._clock, self.is_current = clock, True
        if not is_listing:
            self.events += len(events)
            self.repeated += sum(self._is_known(event, before) for event in events)
        self._belief.take(events)
        return is_listing and not is_first

    def _is_known(self, event: Event, known: object) -> bool:
        """Whether it is the change of a file that is as the client knows it."""
        if event.kind is not Kind.CHANGED or event.is_dir:
            return False
        for name in Path(event.path).relative_to(self._root).parts:
            known = known.get(name) if isinstance(known, dict) else None
        return known is not None and known == version_of(event.path)

    def wrong(self) -> list[str]:
        found = differences(self._belief.top, there(self._root))
        return [f"{self.name}: {each}" for each in found + self._belief.contradictions]


class Subscriber(ABC):
    """Is sent what changes. `chance` is the probability with which it reads in a
    round; otherwise it misses that server."""

    def __init__(self, name: str, root: Path, chance: float) -> None:
        self.name = name
        self.root = root
        self.chance = chance
        self.listings = 0
        """How often it received a listing, or asked for one, when it came back."""

    @property
    @abstractmethod
    def clock(self) -> str | None:
        """That of the last event; None where there are no clocks."""

    @abstractmethod
    def receive(self, seconds: float) -> bool:
        """Apply what comes within so many seconds; return whether anything did."""

    @abstractmethod
    def believes(self) -> list[str]:
        """The differences between what it believes and the disk, and what it received
        that contradicts what it believed."""

    @abstractmethod
    def before_the_end(self, *, is_undisturbed: bool) -> None:
        """The server is about to end, and may be hindered to save."""

    @abstractmethod
    def close(self) -> None: ...

    def wrong(self) -> list[str]:
        """What is wrong once it has come to rest; returns when nothing is."""
        end = time.monotonic() + REST_SECONDS
        while True:
            while self.receive(PAUSE_SECONDS) and time.monotonic() < end:
                pass
            found = self.believes()
            if not found or time.monotonic() >= end:
                return [f"{self.name}: {each}" for each in found]

    def server(self) -> str:
        """The process of the server that its clock is of; empty without a clock."""
        return self.clock.split(":")[2] if self.clock else ""


class WatchSubscriber(Subscriber):
    """`gamin.watch`. One that `leaves` is made again, with its clock, for each server;
    the other one outlives them."""

    def __init__(self, name: str, root: Path, chance: float, *, leaves: bool) -> None:
        super().__init__(name, root, chance)
        self._leaves = leaves
        self._belief = Belief(root)
        self._watch: gamin.Watch | None = None
        self._clock: str | None = None

    @property
    def clock(self) -> str | None:
        return self._clock

    def receive(self, seconds: float) -> bool:
        if self._watch is None:
            self._watch = gamin.watch(
                self.root, initial=self._clock is None, since=self._clock
            )
        batch: Sequence[Event] | None = None
        with suppress(gamin.WatchTimeout):
            batch = self._watch.next(seconds)
        server, self._clock = self.server(), self._watch.clock
        if batch:
            is_listing = any(event.kind is Kind.EXISTS for event in batch)
            self.listings += is_listing and bool(server)
            self._belief.take(batch)
        return bool(batch) or self.server() != server

    def believes(self) -> list[str]:
        found = differences(self._belief.top, there(self.root))
        return found + self._belief.contradictions

    def before_the_end(self, *, is_undisturbed: bool) -> None:
        if self._leaves:
            self.close()

    def close(self) -> None:
        if self._watch is not None:
            self._watch.close()
            self._watch = None


class WatchmanSubscriber(Subscriber):
    """A subscription in Watchman's language. After the end of a server it is made
    again, with the clock of the last update."""

    def __init__(self, name: str, root: Path, chance: float) -> None:
        super().__init__(name, root, chance)
        self._belief = belief.Belief()
        self._clock: str | None = None
        self._socket: socket.socket | None = None
        self._rest = b""

    @property
    def clock(self) -> str | None:
        return self._clock

    def receive(self, seconds: float) -> bool:
        if self._socket is None:
            self._subscribe()
        assert self._socket is not None
        if not select.select([self._socket], [], [], seconds)[0]:
            return False
        try:
            data = self._socket.recv(1 << 20)
        except ConnectionError:
            data = b""
        if not data:
            self.close()
            return True
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._apply(json.loads(line))
        return True

    def _subscribe(self) -> None:
        query: dict[str, object] = {"fields": FIELDS}
        if self._clock is not None:
            query["since"] = self._clock
        root = str(self.root)
        self._socket = connect_watchman()
        for request in (["watch", root], ["subscribe", root, self.name, query]):
            self._socket.sendall(json.dumps(request).encode() + b"\n")

    def _apply(self, answer: dict[str, object]) -> None:
        assert "error" not in answer, answer
        files = answer.get("files")
        if not isinstance(files, list):
            return
        if answer["is_fresh_instance"]:
            self.listings += self._clock is not None
            self._belief.clear()
        self._clock = str(answer["clock"])
        apply_files(self._belief, self.root, files)

    def believes(self) -> list[str]:
        return differences(folder_of(self._belief.root), there(self.root))

    def before_the_end(self, *, is_undisturbed: bool) -> None:
        """It keeps its connection, and may have updates that it has not read."""

    def close(self) -> None:
        self._rest = b""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class GamSubscriber(Subscriber):
    """A client over libgamin, which asks the next server for no listing: that one knows
    what the client was sent.

    The difference is exact after an orderly end that saved. Otherwise the client opens
    a new connection, as the page on guarantees says.
    """

    def __init__(
        self, root: Path, folders: list[Path], connect: Callable[[], V1Connection]
    ) -> None:
        super().__init__("libgamin", root, 1.0)
        self._folders = folders
        self._connect = connect
        self._connection: V1Connection | None = None
        self._beliefs = V1Beliefs()
        self._has_listed = False

    @property
    def clock(self) -> str | None:
        return None

    def receive(self, seconds: float) -> bool:
        if self._connection is None:
            self._connection = self._connect()
            self._beliefs = V1Beliefs()
            self.listings += self._has_listed
            self._has_listed = True
            for folder in self._folders:
                number = self._connection.watch_directory(os.fsencode(folder))
                self._beliefs.add(number, folder)
        try:
            event = self._connection.next_event(seconds)
        except (GaminError, FamError):
            return True  # the server has ended; the next call connects again
        if event is not None:
            self._beliefs.apply(event.number, event.code, os.fsdecode(event.path))
        return event is not None

    def believes(self) -> list[str]:
        return self._beliefs.wrong()

    def before_the_end(self, *, is_undisturbed: bool) -> None:
        if not is_undisturbed or self.wrong():
            self.close()

    def close(self) -> None:
        if self._connection is not None:
            with suppress(FamError), closing(self._connection):
                pass
            self._connection = None

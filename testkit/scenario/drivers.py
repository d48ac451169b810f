"""The clients of a scenario: one interface, and several drivers behind it.

A driver makes clients; a client makes requests and keeps what it received. How a server
is started is `servers.py`'s affair, and what should be received is the scenario's.
"""

import os
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import NamedTuple, Protocol

from testkit.scenario.pattern import CODES

ANSWER_DEADLINE = 30.0  # a net: a busy machine is slow
BARRIER_FILES = 48


class ReceivedEvent(NamedTuple):
    number: int
    code: int
    path: bytes


class Client(Protocol):
    """One program with its own requests."""

    def watch_directory(self, path: bytes) -> int:
        """Asks, and returns the number of the request once it is really watched."""

    def watch_file(self, path: bytes) -> int: ...

    def no_exists(self) -> None:
        """Directory requests made from now on have no listing."""

    def cancel(self, number: int) -> None: ...

    def barrier(self) -> list[ReceivedEvent]:
        """What was received since the last barrier.

        Nothing is missing that follows from what happened before the call.
        """

    def disconnect(self) -> None: ...


class Driver(Protocol):
    def client(self, name: str) -> Client: ...

    def close(self) -> None: ...


class Connection(Protocol):
    """A client library, connected; libgamin's binding and ours both look so."""

    def watch_directory(self, path: bytes) -> int: ...

    def watch_file(self, path: bytes) -> int: ...

    def no_exists(self) -> None: ...

    def cancel(self, number: int) -> None: ...

    def next_event(self, timeout: float) -> tuple[int, int, bytes] | None: ...

    def close(self) -> None: ...


class WireClient:
    """A client of a real server, with a barrier that needs no words in the protocol.

    All events of one connection come in order, so what was caused before the event
    of a file of our own has been received when that event is. The sign is a *Changed*
    by chmod, because that goes through everything that may hold a change back; each
    time of another file, because one that changes all the time is reported late.
    """

    def __init__(self, connection: Connection, directory: bytes, rounds: int) -> None:
        self._connection = connection
        self._rounds = rounds
        self._received: list[ReceivedEvent] = []
        self._no_exists = False
        self._gone = False
        os.mkdir(directory)
        names = [b"%d" % number for number in range(BARRIER_FILES)]
        for name in names:
            os.close(os.open(directory + b"/" + name, os.O_CREAT | os.O_WRONLY, 0o600))
        self._names = cycle(names)
        self._directory = directory
        self._modes = cycle((0o644,) * BARRIER_FILES + (0o600,) * BARRIER_FILES)
        self._number = connection.watch_directory(directory)
        self._until_end_of_listing(self._number)
        self._received.clear()

    def watch_directory(self, path: bytes) -> int:
        number = self._connection.watch_directory(path)
        if self._no_exists:
            self._pass_barrier()
        else:
            self._until_end_of_listing(number)
        return number

    def watch_file(self, path: bytes) -> int:
        number = self._connection.watch_file(path)
        self._until_end_of_listing(number)
        return number

    def no_exists(self) -> None:
        self._no_exists = True
        self._connection.no_exists()

    def cancel(self, number: int) -> None:
        self._connection.cancel(number)

    def barrier(self) -> list[ReceivedEvent]:
        for _ in range(self._rounds):
            self._pass_barrier()
        received, self._received = self._received, []
        return received

    def disconnect(self) -> None:
        """May be repeated, which a library's own close may not."""
        if not self._gone:
            self._gone = True
            self._connection.close()

    def _pass_barrier(self) -> None:
        name = next(self._names)
        os.chmod(self._directory + b"/" + name, next(self._modes))
        self._until(lambda event: event == (self._number, CODES["changed"], name))

    def _until_end_of_listing(self, number: int) -> None:
        self._until(lambda event: event[:2] == (number, CODES["end-exist"]))

    def _until(self, is_the_one: Callable[[ReceivedEvent], bool]) -> None:
        for event in self._events():
            if event.number != self._number:
                self._received.append(event)
            if is_the_one(event):
                return
        raise AssertionError(
            f"no answer within {ANSWER_DEADLINE} s; heard so far: {self._received}"
        )

    def _events(self) -> Iterator[ReceivedEvent]:
        """Ends when nothing comes for a long time."""
        while event := self._connection.next_event(ANSWER_DEADLINE):
            yield ReceivedEvent(*event)


class WireDriver:
    """Clients of one running server.

    `rounds` is how many barriers make one: a server that polls looks at one place
    after the other, so only after its second look at the barrier has it looked at
    everything else since the first.
    """

    def __init__(
        self, connect: Callable[[], Connection], root: bytes, rounds: int = 1
    ) -> None:
        self._connect = connect
        self._root = root
        self._rounds = rounds
        self._clients: list[WireClient] = []

    def client(self, name: str) -> WireClient:
        directory = self._root + b"/.barrier-" + os.fsencode(name)
        client = WireClient(self._connect(), directory, self._rounds)
        self._clients.append(client)
        return client

    def close(self) -> None:
        for client in self._clients:
            client.disconnect()

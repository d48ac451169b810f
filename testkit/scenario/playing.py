"""A scenario played by a driver, whose events are compared with what it says.

It knows neither how clients reach a server nor how expectations are written down.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from testkit.scenario.commands import Command, Comparison, Expectation, Scenario, Skip
from testkit.scenario.drivers import Client, Driver
from testkit.scenario.pattern import EventRecord, matches

LINES_SHOWN = 20


@dataclass(slots=True)
class Request:
    client: str
    number: int
    path: bytes
    """As the scenario writes it."""
    received: list[EventRecord] = field(default_factory=list)


@dataclass(slots=True)
class Play:
    """One performance. `patience` is what a server may take beyond its barrier."""

    driver: Driver
    disk: Callable[[Command], None]
    root: bytes
    traits: frozenset[str]
    patience: float = 0.0
    _clients: dict[str, Client] = field(default_factory=dict)
    _on_stage: str = "first"
    _requests: dict[str, Request] = field(default_factory=dict)

    def perform(self, scenario: Scenario) -> None:
        """Raises AssertionError where the events are not those that are expected."""
        for step in scenario.steps:
            match step:
                case Command():
                    self._do(step)
                case Comparison():
                    self._compare(step)
                case Skip(ways) if ways & self.traits:
                    return
        self._compare(Comparison(0, ()))

    def _do(self, command: Command) -> None:
        match command.verb, command.words:
            case "client", (name,):
                self._on_stage = name.decode()
            case "watch", (path, *_):
                number = self._client().watch_directory(self._full(path))
                self._asked(command, number)
            case "watch-file", (path, *_):
                number = self._client().watch_file(self._full(path))
                self._asked(command, number)
            case "no-exists", _:
                self._client().no_exists()
            case "cancel", (name,):
                request = self._requests[name.decode()]
                self._clients[request.client].cancel(request.number)
            case "disconnect", _:
                self._leave()
            case "sync", _:
                self._listen()
            case _:
                self.disk(command)

    def _client(self) -> Client:
        if self._on_stage not in self._clients:
            self._clients[self._on_stage] = self.driver.client(self._on_stage)
        return self._clients[self._on_stage]

    def _full(self, path: bytes) -> bytes:
        return self.root + b"/" + path

    def _asked(self, command: Command, number: int) -> None:
        name = command.words[-1].decode()
        self._requests[name] = Request(self._on_stage, number, command.words[0])

    def _leave(self) -> None:
        self._clients.pop(self._on_stage).disconnect()
        for name, request in list(self._requests.items()):
            if request.client == self._on_stage:
                del self._requests[name]

    def _listen(self) -> None:
        """Gives every request what its client has received for it."""
        for name, client in self._clients.items():
            mine = {r.number: r for r in self._requests.values() if r.client == name}
            for number, code, path in client.barrier():
                request = mine.get(number)
                assert request, f"{name} heard of no request of his: {number} {path!r}"
                request.received.append(EventRecord(code, self._word(path, request)))

    def _word(self, path: bytes, request: Request) -> bytes:
        """`path` as a scenario writes it.

        A path below the scenario's directory loses that; it is taken for the path of
        the request only if it is exactly that, byte for byte.
        """
        within = path.removeprefix(self.root + b"/")
        if within == path:
            return b"bare:" + path if b"/" in path or path == request.path else path
        return within if within == request.path or b"/" in within else b"/" + within

    def _compare(self, comparison: Comparison) -> None:
        expected = {name: comparison.of(name, self.traits) for name in self._requests}
        patience = max([self.patience, *(each.within for each in expected.values())])
        end = time.monotonic() + patience
        self._listen()
        while wrong := self._differences(expected):
            # Another barrier paces this loop.
            assert time.monotonic() < end, "\n".join([f"{comparison}:", *wrong])
            self._listen()
        for request in self._requests.values():
            request.received.clear()

    def _differences(self, expected: dict[str, Expectation]) -> list[str]:
        return [
            line
            for name, request in self._requests.items()
            if not matches(expected[name].pattern, request.received)
            for line in (
                f"  {name} should have heard",
                *_shown(expected[name].pattern),
                "  but heard",
                *_shown(request.received),
            )
        ]


def _shown(things: Sequence[object]) -> list[str]:
    lines = [f"    {thing}" for thing in things[:LINES_SHOWN]] or ["    nothing"]
    if len(things) > LINES_SHOWN:
        lines.append(f"    … and {len(things) - LINES_SHOWN} more")
    return lines

"""When the garbage collector and the C library are asked to give memory back."""

import gc
from collections.abc import Iterator

import pytest

from gamin.daemon.io.loop import Loop
from gamin.daemon.process import memory
from gamin.daemon.process.memory import Memory
from gamin.system import libc


class Server:
    """A `Memory` whose answers the test sets; it counts the calls."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.has_clients = True
        self.is_letting_go = False
        self.collected: list[int] = []
        self.trimmed = 0
        self.memory = Memory(loop, lambda: self.has_clients, lambda: self.is_letting_go)

    def trim_memory(self) -> None:
        self.trimmed += 1

    def run(self) -> None:
        """Run what is due now, and what becomes due by that."""
        for _ in range(3):
            self.loop.run_once(0)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    loop = Loop()
    server = Server(loop)
    monkeypatch.setattr(memory, "DELAY_SECONDS", 0.0)
    monkeypatch.setattr(gc, "collect", server.collected.append)
    monkeypatch.setattr(libc, "trim_memory", server.trim_memory)
    yield server
    loop.close()


def test_a_client_that_left_little_costs_nothing(server: Server) -> None:
    server.memory.client_left(is_heavy=False)
    server.run()
    assert (server.collected, server.trimmed) == ([], 0)


def test_only_young_objects_are_collected_after_a_heavy_client(
    server: Server,
) -> None:
    server.memory.client_left(is_heavy=True)
    server.memory.client_left(is_heavy=True)
    server.run()
    assert (server.collected, server.trimmed) == ([memory.YOUNG], 1)


def test_all_objects_are_collected_after_the_last_client(server: Server) -> None:
    server.has_clients = False
    server.memory.client_left(is_heavy=False)
    server.run()
    assert (server.collected, server.trimmed) == ([2], 1)


def test_a_release_in_progress_is_waited_for(server: Server) -> None:
    server.is_letting_go = True
    server.memory.client_left(is_heavy=True)
    server.run()
    assert server.collected == []
    server.is_letting_go = False
    server.run()
    assert server.collected == [memory.YOUNG]

"""A client that asks for much gets its turns, and so does everybody else."""

import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from testkit.daemon import Daemon, daemon, is_hung_up, works
from testkit.waiting import eventually

QUERIES = 300
"""Queries that the greedy client sends at once."""


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A tree of 10,000 files."""
    tree = tmp_path / "large"
    for folder in range(20):
        (tree / f"{folder:03}").mkdir(parents=True)
        for number in range(500):
            (tree / f"{folder:03}" / f"a-rather-long-name-{number:05}").touch()
    return tree


def line(*request: object) -> bytes:
    return json.dumps(request).encode() + b"\n"


class Greedy:
    """A client that sends much, and counts the answers it reads."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self.socket.settimeout(30)
        self._lines = self.socket.makefile("rb")
        self.answers = 0

    def ask(self, *request: object) -> dict[str, Any]:
        self.socket.sendall(line(*request))
        answer: dict[str, Any] = json.loads(self._lines.readline())
        return answer

    def read_all(self) -> None:
        for _ in self._lines:
            self.answers += 1


@contextmanager
def greedy(served: Daemon, tree: Path) -> Iterator[Greedy]:
    with served.modern() as connected:
        client = Greedy(connected)
        assert "error" not in client.ask("watch", str(tree))
        yield client
        connected.shutdown(socket.SHUT_RDWR)


@contextmanager
def reading(client: Greedy) -> Iterator[None]:
    """The client reads its answers until the end of its connection."""
    thread = threading.Thread(target=client.read_all)
    thread.start()
    try:
        yield
    finally:
        client.socket.shutdown(socket.SHUT_RDWR)
        thread.join(30)


@contextmanager
def flooded(served: Daemon, tree: Path) -> Iterator[Greedy]:
    """A client has sent many queries of a large tree, and reads the answers."""
    with served.modern() as connected:
        client = Greedy(connected)
        client.ask("watch", str(tree))
        with reading(client):
            connected.sendall(line("query", str(tree), {"fields": ["name"]}) * QUERIES)
            yield client


def test_many_queries_at_once_delay_nobody(
    session: str, tmp_path: Path, large: Path
) -> None:
    with daemon(session, tmp_path) as served, flooded(served, large) as client:
        assert works(served, tmp_path / "box")
        assert client.answers < QUERIES


def test_stop_is_obeyed_while_queries_are_answered(
    session: str, tmp_path: Path, large: Path
) -> None:
    with daemon(session, tmp_path) as served, flooded(served, large) as client:
        with served.modern() as other:
            other.sendall(line("gamin-stop"))
            assert is_hung_up(other)
        served.process.wait(10)
        assert client.answers < QUERIES


def test_sigterm_is_obeyed_while_queries_are_answered(
    session: str, tmp_path: Path, large: Path
) -> None:
    with daemon(session, tmp_path) as served, flooded(served, large) as client:
        served.process.send_signal(signal.SIGTERM)
        served.process.wait(10)
        assert client.answers < QUERIES


def test_one_expensive_query_delays_nobody(
    session: str, tmp_path: Path, large: Path
) -> None:
    names = [["name", f"nothing-{number}"] for number in range(900)]
    with daemon(session, tmp_path) as served, greedy(served, large) as client:
        query = {"fields": ["name"], "expression": ["anyof", *names]}
        client.socket.sendall(line("query", str(large), query))
        with reading(client):
            assert works(served, tmp_path / "box")
            assert client.answers == 0
            with served.modern() as other:
                other.sendall(line("gamin-stop"))
                assert is_hung_up(other)


def test_who_reads_no_answers_gets_no_more_of_them(
    session: str, tmp_path: Path, large: Path
) -> None:
    with daemon(session, tmp_path) as served, greedy(served, large) as client:
        query = line("query", str(large), {"fields": ["name", "size", "mtime"]})
        client.socket.sendall(query * 50)
        assert works(served, tmp_path / "box")
        assert memory(served) < 150 << 20
        with reading(client):
            eventually(lambda: client.answers == 50, what="every answer")


def memory(served: Daemon) -> int:
    """Resident bytes of the server."""
    text = Path(f"/proc/{served.process.pid}/statm").read_text()
    return int(text.split()[1]) * os.sysconf("SC_PAGE_SIZE")

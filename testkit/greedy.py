"""Clients that ask for much, and what innocent ones beside them get."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from testkit.daemon import Daemon, works
from testkit.waiting import eventually

QUERIES = 100
"""Queries that the greedy client sends at once, again and again."""


def line(*request: object) -> bytes:
    return json.dumps(request).encode() + b"\n"


class Greedy:
    """A client that sends much, and counts the answers it reads."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self.socket.settimeout(30)
        self._lines = self.socket.makefile("rb")
        self.answers = 0
        self.sent = 0

    def ask(self, *request: object) -> dict[str, Any]:
        self.socket.sendall(line(*request))
        answer: dict[str, Any] = json.loads(self._lines.readline())
        return answer

    def read_lines(self) -> Iterator[dict[str, Any]]:
        for text in self._lines:
            yield json.loads(text)

    def read_all(self) -> None:
        with suppress(OSError):
            for _ in self._lines:
                self.answers += 1

    def send_for_ever(self, request: bytes) -> None:
        """Send it again and again, faster than it is answered, until the connection
        ends."""
        with suppress(OSError):
            while True:
                self.sent += QUERIES
                self.socket.sendall(request * QUERIES)

    @property
    def is_waiting(self) -> bool:
        """Whether there were always requests without an answer so far."""
        return self.sent > self.answers


@contextmanager
def greedy(served: Daemon, tree: Path) -> Iterator[Greedy]:
    with served.watchman() as connected:
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
def flooded(
    served: Daemon, tree: Path, query: dict[str, Any] | None = None
) -> Iterator[Greedy]:
    """A client that sends query after query of a large tree, and reads the answers: how
    long one of them takes does not matter."""
    request = line("query", str(tree), query or {"fields": ["name"]})
    with greedy(served, tree) as client:
        sending = threading.Thread(target=client.send_for_ever, args=(request,))
        with reading(client):
            sending.start()
            eventually(lambda: client.sent, what="the first queries")
            yield client
        sending.join(30)


def status(served: Daemon) -> dict[str, Any]:
    with served.watchman() as connected:
        answer = Greedy(connected).ask("gamin-status")
    report: dict[str, Any] = answer["status"]
    return report


def works_in_both_languages(served: Daemon, place: Path) -> bool:
    """Whether innocent clients are served, from their listing to a creation."""
    place.mkdir(exist_ok=True)
    with greedy(served, place) as innocent:
        query = {"fields": ["name"], "settle": 0}
        innocent.ask("subscribe", str(place), "innocent", query)
        assert next(innocent.read_lines())["is_fresh_instance"]
        assert works(served, place)
        names = {name for each in take(innocent, 2) for name in each["files"]}
        return names == {"new"}


def take(client: Greedy, count: int) -> Iterator[dict[str, Any]]:
    for _, message in zip(range(count), client.read_lines(), strict=False):
        yield message

"""A client that asks for much is served in slices, and delays nobody else."""

import json
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from gamin.config.client_limits import ClientLimits
from testkit.daemon import Daemon, daemon, is_hung_up, packet, works
from testkit.server_state import QUEUE, standing_still
from testkit.waiting import eventually

FILE, CANCEL = 1, 3
QUERIES = 300
"""Queries that the greedy client sends at once."""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree of 10,000 files. A test that moves it moves it back."""
    tree = tmp_path_factory.mktemp("large") / "tree"
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

    def read_lines(self) -> Iterator[dict[str, Any]]:
        for text in self._lines:
            yield json.loads(text)

    def read_all(self) -> None:
        for _ in self._lines:
            self.answers += 1


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
def flooded(served: Daemon, tree: Path) -> Iterator[Greedy]:
    """A client that has sent many queries of a large tree, and reads the answers."""
    with served.watchman() as connected:
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
        with served.watchman() as other:
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
            with served.watchman() as other:
                other.sendall(line("gamin-stop"))
                assert is_hung_up(other)


def test_a_client_that_reads_no_answers_gets_no_more_of_them(
    session: str, tmp_path: Path, large: Path
) -> None:
    with daemon(session, tmp_path) as served, greedy(served, large) as client:
        query = line("query", str(large), {"fields": ["name", "size", "mtime"]})
        client.socket.sendall(query * UNREAD)
        assert works(served, tmp_path / "box")
        assert status(served)["held_bytes"] < 4 << 20
        with reading(client):
            eventually(lambda: client.answers == UNREAD, what="every answer")


SUBSCRIPTIONS_AT_ONCE = 256
UNREAD = 20
"""Queries whose answers the greedy client does not read, 700 KB each."""
LIMITS = ClientLimits()


def test_a_client_with_the_most_subscriptions_leaves_and_delays_nobody(
    session: str, tmp_path: Path
) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    with daemon(session, tmp_path) as served:
        with greedy(served, tree) as client:
            query = {"fields": ["name"]}
            for first in range(0, LIMITS.subscriptions, SUBSCRIPTIONS_AT_ONCE):
                names = range(first, first + SUBSCRIPTIONS_AT_ONCE)
                client.socket.sendall(
                    b"".join(line("subscribe", str(tree), f"{n}", query) for n in names)
                )
                # Unread answers keep the server from reading on.
                replies = (a for a in client.read_lines() if "subscribe" in a)
                for _ in names:
                    next(replies)
            refused = line("subscribe", str(tree), "one more", query)
            client.socket.sendall(refused)
            for answer in client.read_lines():
                if "error" in answer:
                    break
            assert f"{LIMITS.subscriptions} subscriptions" in answer["error"]
            assert works(served, tmp_path / "box")
        assert works(served, tmp_path / "box")
        clients = status(served)["clients"]
        assert sum(each["subscriptions"] for each in clients) == 0


@pytest.mark.parametrize(
    "query",
    [
        pytest.param({"ignore": ["*a*b*c*d*e"] * 400_000}, id="ignore of 4 MB"),
        pytest.param({"ignore": ["*a*b*c*d*e"] * 2_000}, id="wildcards of ignore"),
        pytest.param({"glob": ["*a*b*c*d*e"] * 10_000}, id="globs"),
        pytest.param({"path": ["a"] * 100_000}, id="paths"),
        pytest.param(
            {"expression": ["anyof", *(["name", "x"] for _ in range(10_000))]},
            id="terms",
        ),
        pytest.param(
            {"expression": ["anyof", *(["pcre", f"{n}.*"] for n in range(300))]},
            id="regular expressions",
        ),
    ],
)
def test_an_oversized_query_is_refused(
    session: str, tmp_path: Path, query: dict[str, Any]
) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    with daemon(session, tmp_path) as served, greedy(served, tree) as client:
        assert "more than" in client.ask("query", str(tree), query)["error"]
        assert "more than" in client.ask("subscribe", str(tree), "x", query)["error"]
        assert "files" in client.ask("query", str(tree), {"fields": ["name"]})
        assert works(served, tmp_path / "box")


def anonymous(served: Daemon) -> int:
    """Bytes of the server's own memory: not of files that other servers map, too."""
    rollup = Path(f"/proc/{served.process.pid}/smaps_rollup").read_text()
    [line] = [each for each in rollup.splitlines() if each.startswith("Pss_Anon:")]
    return int(line.split()[1]) << 10


def leave_unfinished_requests(served: Daemon, *_: Path) -> None:
    with ExitStack() as several:
        for _number in range(15):
            connected = several.enter_context(served.watchman())
            connected.sendall(b"[" * (15 << 20))
        assert status(served)["held_bytes"] > 100 << 20


def leave_requests_of_gamin(served: Daemon, place: Path, _: Path) -> None:
    with served.connect() as connected:
        for number in range(5_000):
            connected.sendall(packet(number, FILE + 16, place / f"none-{number}"))
        connected.sendall(packet(0, CANCEL))
        connected.settimeout(20)
        assert connected.recv(1 << 16)


def leave_cursors(served: Daemon, place: Path, _: Path) -> None:
    with greedy(served, place) as client:
        for number in range(500):
            since = f"n:{number:01000}"
            assert "files" in client.ask("query", str(place), {"since": since})
        too_long = {"since": "n:" + "x" * (10 << 20)}
        assert "too long" in client.ask("query", str(place), too_long)["error"]


def leave_an_answer(served: Daemon, place: Path, large: Path) -> None:
    with greedy(served, large) as client:
        client.socket.sendall(line("query", str(large), {}) * 20)
        eventually(
            lambda: status(served)["held_bytes"] > 400_000, what="an answer that waits"
        )


@pytest.mark.parametrize(
    "leave",
    [
        leave_unfinished_requests,
        leave_requests_of_gamin,
        leave_cursors,
        leave_an_answer,
    ],
)
def test_the_memory_of_a_client_is_released_when_it_leaves(
    session: str, tmp_path: Path, large: Path, leave: Callable[..., None]
) -> None:
    with daemon(session, tmp_path) as served:
        place = tmp_path / "box"
        place.mkdir()
        with greedy(served, large):
            assert works(served, place)  # the modules of both protocols are loaded
        leave(served, place, large)
        before = anonymous(served)
        leave(served, place, large)
        leave(served, place, large)
        eventually(lambda: anonymous(served) < before * 1.2, what="memory as before")
        assert status(served)["held_bytes"] == 0
        assert works(served, place)


def test_requests_that_are_never_finished_have_one_budget(
    session: str, tmp_path: Path
) -> None:
    with daemon(session, tmp_path) as served, ExitStack() as several:
        closed = 0
        for _ in range(40):
            connected = several.enter_context(served.watchman())
            try:
                connected.sendall(b"[" * (15 << 20))
            except OSError:
                closed += 1
        assert closed > 10
        assert works(served, tmp_path / "box")
        assert status(served)["held_bytes"] <= LIMITS.held_bytes + (16 << 20)
        assert memory(served) < 2 * LIMITS.held_bytes


def status(served: Daemon) -> dict[str, Any]:
    with served.watchman() as connected:
        answer = Greedy(connected).ask("gamin-status")
    report: dict[str, Any] = answer["status"]
    return report


def memory(served: Daemon) -> int:
    """Resident bytes of the server."""
    text = Path(f"/proc/{served.process.pid}/statm").read_text()
    return int(text.split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_different_lists_of_rules_on_one_tree_are_limited(
    session: str, tmp_path: Path
) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    with daemon(session, tmp_path) as served, greedy(served, tree) as client:
        for number in range(LIMITS.rule_lists + 1):
            query = {"fields": ["name"], "ignore": [f"{number}"], "watch": True}
            client.socket.sendall(line("subscribe", str(tree), f"{number}", query))
        errors: list[str] = []
        while not errors:
            answer = next(client.read_lines())
            errors = [answer["error"]] if "error" in answer else []
        assert f"{LIMITS.rule_lists} different lists" in errors[0]
        assert works(served, tmp_path / "box")


def rename_a_tree(served: Daemon, place: Path, large: Path) -> None:
    """A tree is renamed into a watched directory, and out of it again."""
    with greedy(served, place):
        large.rename(place / "large")
        (place / "large").rename(large)
        large.rename(place / "large")
        assert works_in_both_languages(served, place.parent / "during")
        (place / "large").rename(large)


def overflow_the_queue(served: Daemon, place: Path, large: Path) -> None:
    """Events are lost below a watched tree, and a query asks for what is there."""
    files = [next((large / name).iterdir()) for name in ("000", "001")]
    with greedy(served, large) as client:
        with standing_still(served.process.pid):
            for number in range(int(QUEUE.read_text()) + 100):
                os.truncate(files[number % 2], 0)
            (large / "lost").touch()
        client.socket.sendall(line("query", str(large), {"fields": ["name"]}))
        assert works_in_both_languages(served, place.parent / "during")
        [answer] = [json.loads(client._lines.readline())]
        assert "lost" in answer["files"]
    assert status(served)["recoveries"]["overflows"] == 1


def subscribe_to_all(served: Daemon, place: Path, large: Path) -> None:
    with greedy(served, large) as client, reading(client):
        for number in range(10):
            query = {"fields": ["name", "size"]}
            client.socket.sendall(line("subscribe", str(large), f"{number}", query))
        assert works_in_both_languages(served, place.parent / "during")


def ask_of_gamin(served: Daemon, place: Path, _: Path) -> None:
    with served.connect() as connected:
        for number in range(5_000):
            connected.sendall(packet(number, FILE + 16, place / f"none-{number}"))
        assert works_in_both_languages(served, place.parent / "during")


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


@pytest.mark.parametrize(
    "act", [rename_a_tree, overflow_the_queue, subscribe_to_all, ask_of_gamin]
)
def test_greedy_clients_delay_no_client_of_either_language(
    session: str, tmp_path: Path, large: Path, act: Callable[..., None]
) -> None:
    place = tmp_path / "box"
    place.mkdir()
    with daemon(session, tmp_path) as served:
        act(served, place, large)
        assert works_in_both_languages(served, tmp_path / "after")
        report = status(served)
        assert report["held_bytes"] == 0
        assert sum(each["subscriptions"] for each in report["clients"]) == 0

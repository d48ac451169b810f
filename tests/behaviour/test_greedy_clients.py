"""A client that asks for much is served in slices, and delays nobody else."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gamin.config.client_limits import ClientLimits
from testkit.daemon import Daemon, daemon, is_hung_up, packet, works
from testkit.greedy import (
    flooded,
    greedy,
    line,
    reading,
    status,
    works_in_both_languages,
)
from testkit.server_state import QUEUE, standing_still
from testkit.waiting import eventually

FILE, CANCEL = 1, 3


def test_many_queries_at_once_delay_nobody(
    session: str, tmp_path: Path, large: Path
) -> None:
    with daemon(session, tmp_path) as served, flooded(served, large) as client:
        assert works(served, tmp_path / "box")
        assert client.is_waiting


def test_stop_is_obeyed_while_queries_are_answered(
    session: str, tmp_path: Path, large: Path
) -> None:
    with daemon(session, tmp_path) as served, flooded(served, large) as client:
        with served.watchman() as other:
            other.sendall(line("gamin-stop"))
            assert is_hung_up(other)
        served.process.wait(10)
        assert client.is_waiting


def test_sigterm_is_obeyed_while_queries_are_answered(
    session: str, tmp_path: Path, large: Path
) -> None:
    with daemon(session, tmp_path) as served, flooded(served, large) as client:
        served.process.send_signal(signal.SIGTERM)
        served.process.wait(10)
        assert client.is_waiting


@pytest.mark.parametrize(
    "expression",
    [
        ["anyof", *(["name", f"nothing-{number}"] for number in range(900))],
        ["anyof", *(["pcre", f"({number}.*)+x$"] for number in range(250))],
    ],
    ids=["names", "regular expressions"],
)
def test_expensive_queries_delay_nobody(
    session: str, tmp_path: Path, large: Path, expression: list[object]
) -> None:
    query = {"fields": ["name"], "expression": expression}
    with daemon(session, tmp_path) as served, flooded(served, large, query) as client:
        assert works(served, tmp_path / "box")
        with served.watchman() as other:
            other.sendall(line("gamin-stop"))
            assert is_hung_up(other)
        assert client.is_waiting


def test_a_gaminrc_sets_what_a_query_may_ask(session: str, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    rules = "limit query_terms 2\nlimit request_bytes 5000\n"
    with daemon(session, tmp_path, rules=rules) as served, greedy(served, tree) as asks:
        terms = ["anyof", ["name", "a"], ["name", "b"]]
        answer = asks.ask("query", str(tree), {"expression": terms})
        assert "more than 2 terms" in answer["error"]
        assert "files" in asks.ask("query", str(tree), {"expression": ["not", "true"]})
        answer = asks.ask("query", str(tree), {"ignore": ["x"] * 5_000})
        assert "more than 5000 bytes" in answer["error"]
        assert is_hung_up(asks.socket)


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


def follow_ignore_files(served: Daemon, place: Path, _: Path) -> None:
    """A tree has more large ignore files than are followed."""
    for number in range(40):
        (place / f"{number}").mkdir()
        text = "".join(f"*{number}x{line}*a*b*c\n" for line in range(1_000))
        (place / f"{number}" / ".gitignore").write_text(text[:14_000])
    with greedy(served, place.parent) as client:
        query = {"fields": ["name"], "vcs_ignore": True, "watch": True}
        client.socket.sendall(line("subscribe", str(place), "rules", query))
        assert works_in_both_languages(served, place.parent / "during")
        assert "subscribe" in next(client.read_lines())


def leave_a_large_tree(served: Daemon, _: Path, large: Path) -> None:
    """The last client of a large tree does not want it any more."""
    with greedy(served, large) as client:
        client.socket.sendall(line("watch-del", str(large)))
        assert works_in_both_languages(served, served.folder / "during")


def ask_of_gamin(served: Daemon, place: Path, _: Path) -> None:
    with served.connect() as connected:
        for number in range(5_000):
            connected.sendall(packet(number, FILE + 16, place / f"none-{number}"))
        assert works_in_both_languages(served, place.parent / "during")


@pytest.mark.parametrize(
    "act",
    [
        rename_a_tree,
        overflow_the_queue,
        subscribe_to_all,
        follow_ignore_files,
        leave_a_large_tree,
        ask_of_gamin,
    ],
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
        with served.watchman() as other:
            other.sendall(line("gamin-stop"))
            assert is_hung_up(other)

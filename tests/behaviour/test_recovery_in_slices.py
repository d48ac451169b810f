"""While a large tree is rescanned after a loss, the server serves everybody else."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from testkit.daemon import Daemon, daemon
from testkit.greedy import Greedy, line
from testkit.server_state import overflow, standing_still

DIRECTORIES = 4_000
"""Directories of the tree that is rescanned, which takes some 30 slices."""
STATUSES = 400
"""Requests that wait when the rescan begins. The server answers one of them at most
between two slices, so what it answers says how far it is with the rescan."""
ATTEMPTS = 10
"""The test acts while the rescan is not over. It tries again if it got no processor
time then."""


@pytest.fixture
def wide(tmp_path: Path) -> Path:
    tree = tmp_path / "wide"
    for number in range(DIRECTORIES):
        (tree / f"{number % 20}" / f"{number}").mkdir(parents=True)
    return tree


def test_status_events_and_stop_do_not_wait_for_the_end_of_a_rescan(
    session: str, tmp_path: Path, wide: Path
) -> None:
    for number in range(ATTEMPTS):
        box = tmp_path / f"box-{number}"
        box.mkdir()
        with daemon(session, tmp_path / "home") as served:
            if is_served_meanwhile(served, wide, box):
                return
    raise AssertionError("the server did nothing else until the rescan was over")


def is_served_meanwhile(served: Daemon, wide: Path, box: Path) -> bool:
    """Whether a client got a status, another one's change, and the end of the server
    that a third one asked for, all before the rescan was over."""
    with served.watchman() as first, served.watchman() as second:
        assert "error" not in Greedy(first).ask("watch", str(wide))
        client = Greedy(second)
        messages = subscribed(client, box)
        with standing_still(served.process.pid):
            overflow(wide)
            client.socket.sendall(line("gamin-status") * STATUSES)
        if not any(map(is_rescanning, statuses(messages))):
            return False
        (box / "new").touch()
        if not any("new" in each.get("files", ()) for each in messages):
            return False
        if not is_rescanning(next(statuses(messages), {})):
            return False
        first.sendall(line("gamin-stop"))
        last = list(statuses(messages))[-1:]
        served.process.wait(10)
        return all(map(is_rescanning, last))


def subscribed(client: Greedy, box: Path) -> Iterator[dict[str, Any]]:
    """What the client receives from now on, until all statuses are answered or the
    server ends."""
    query = {"fields": ["name"], "settle": 0}
    client.ask("watch", str(box))
    client.ask("subscribe", str(box), "box", query)
    messages = client.read_lines()
    assert next(messages)["is_fresh_instance"]
    return until_answered(messages)


def until_answered(messages: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    left = STATUSES
    with suppress(ConnectionResetError):
        for message in messages:
            left -= "status" in message
            yield message
            if not left:
                return


def statuses(messages: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    return (each for each in messages if "status" in each)


def is_rescanning(message: dict[str, Any]) -> bool:
    return bool(message.get("status", {}).get("recoveries", {}).get("rescanning"))

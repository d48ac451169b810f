"""What a greedy client leaves behind is given back, and unfinished requests are few."""

import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from gamin.config.client_limits import ClientLimits
from testkit.daemon import Daemon, daemon, packet, works
from testkit.greedy import greedy, line, status, take
from testkit.waiting import eventually

FILE, CANCEL = 1, 3
LIMITS = ClientLimits()


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
            lambda: any(each["bytes_out"] > 400_000 for each in clients(served)),
            what="an answer that waits",
        )


def clients(served: Daemon) -> list[dict[str, int]]:
    found: list[dict[str, int]] = status(served)["clients"]
    return found


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


def test_an_answer_that_is_not_read_takes_a_tenth_of_its_size(
    session: str, tmp_path: Path, large: Path
) -> None:
    fields = ["name", "size", "mode", "mtime_ms", "ctime_ms", "ino", "uid", "gid"]
    with daemon(session, tmp_path) as served, greedy(served, large) as client:
        client.socket.sendall(line("query", str(large), {"fields": fields}))
        eventually(lambda: is_compressed(status(served)), what="a compressed answer")
        [answer] = take(client, 1)
        assert len(answer["files"]) == 10_020
        assert status(served)["held_bytes"] == 0


def is_compressed(report: dict[str, Any]) -> bool:
    unread = max(each["bytes_out"] for each in report["clients"])
    return bool(unread > 1_000_000 and report["held_bytes"] < unread // 4)


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


def memory(served: Daemon) -> int:
    """Resident bytes of the server."""
    text = Path(f"/proc/{served.process.pid}/statm").read_text()
    return int(text.split()[1]) * os.sysconf("SC_PAGE_SIZE")

"""One session has one server, whatever happens to its addresses."""

import shutil
import socket
import subprocess
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from gamin.client.connect import connect_gam
from gamin.system.address import find
from gamin.system.peercred import peer_of
from testkit.daemon import PROGRAM, Daemon, daemon
from testkit.server_state import standing_still
from testkit.waiting import eventually

CLIENTS = 100


def pids_of_a_hundred_clients(served: Daemon) -> set[int]:
    """Of the servers that clients reach which all call at once."""
    found: list[int] = []
    with ExitStack() as connections:
        lock = threading.Lock()

        def call() -> None:
            connected = connect_gam(start=False, environ=served.environ)
            with lock:
                connections.callback(connected.close)
                found.append(peer_of(connected).pid)

        callers = [threading.Thread(target=call) for _ in range(CLIENTS)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
    assert len(found) == CLIENTS
    return set(found)


def test_a_server_with_a_full_backlog_stays_the_only_one(
    session: str, tmp_path: Path
) -> None:
    with daemon(session, tmp_path) as served:
        name = find(served.environ, 0).abstract
        with standing_still(served.process.pid), ExitStack() as waiting:
            while True:
                caller = waiting.enter_context(socket.socket(socket.AF_UNIX))
                caller.setblocking(False)
                try:
                    caller.connect(name)
                except BlockingIOError:
                    break
            second = subprocess.run([PROGRAM], env=served.environ, check=False)
            assert second.returncode == 0
        assert pids_of_a_hundred_clients(served) == {served.process.pid}


@pytest.fixture
def in_directory(session: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("GAMIN_SOCKET", "directory")
    return session


def test_a_server_whose_directory_is_removed_is_found_again(
    in_directory: str, tmp_path: Path
) -> None:
    with daemon(in_directory, tmp_path) as served:
        before = served.sockets()
        with standing_still(served.process.pid):  # or a new one comes before the end
            shutil.rmtree(before[0].parent)
        eventually(lambda: served.sockets() == before, what="the sockets")
        environ = {**served.environ, "GAMIN_SOCKET": "directory"}
        assert subprocess.run([PROGRAM], env=environ, check=False).returncode == 0
        with connect_gam(start=False, environ=environ) as connected:
            assert peer_of(connected).pid == served.process.pid


def test_a_server_that_another_one_has_replaced_ends(
    in_directory: str, tmp_path: Path
) -> None:
    with daemon(in_directory, tmp_path) as first, ExitStack() as still:
        still.enter_context(standing_still(first.process.pid))
        shutil.rmtree(first.sockets()[0].parent)  # it cannot see to its sockets
        with daemon(in_directory, tmp_path):
            still.close()
            assert first.process.wait(30) == 0

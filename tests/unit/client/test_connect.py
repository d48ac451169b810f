"""Connecting, with a server started when none runs."""

import os
import signal
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gamin.client.connect import connect_gam, connect_watchman
from gamin.client.locate import NoServer, ServerNotStarted
from gamin.system.peercred import peer_of
from testkit import original, small_server
from testkit.processes import beside, end

Connect = Callable[..., socket.socket]
BOTH = pytest.mark.parametrize("connect", [connect_gam, connect_watchman])


@pytest.fixture
def environ(session: str, tmp_path: Path) -> dict[str, str]:
    """Settings of a session of its own, whose server would be the small one."""
    return {
        "PATH": os.environ["PATH"],
        "GAM_CLIENT_ID": session,
        "GAMIN_SOCKET_DIR": str(tmp_path),
        "GAMIN_DEBUG_SERVER": str(small_server.program(tmp_path)),
    }


@pytest.fixture
def started(environ: dict[str, str]) -> Iterator[int]:
    """The pid of a server that a first client started."""
    with connect_gam(environ=environ) as connected:
        pid = peer_of(connected).pid
    yield pid
    end(pid)


def server_of(connect: Connect, environ: dict[str, str]) -> int:
    with connect(environ=environ) as connected:
        return peer_of(connected).pid


@BOTH
def test_a_running_server_is_used(connect: Connect, environ: dict[str, str]) -> None:
    with beside(small_server.serve, environ) as server:
        server.recv()
        connect(start=False, environ=environ).close()


@BOTH
def test_a_missing_server_that_may_not_be_started_is_an_error(
    connect: Connect, environ: dict[str, str]
) -> None:
    with pytest.raises(NoServer, match=environ["GAM_CLIENT_ID"]):
        connect(start=False, environ=environ)


def test_a_server_is_started_once_and_serves_all(
    started: int, environ: dict[str, str]
) -> None:
    assert server_of(connect_gam, environ) == started
    assert server_of(connect_watchman, environ) == started


@pytest.mark.parametrize("transport", ["abstract", "directory"])
def test_clients_that_come_at_once_from_many_threads_share_one_server(
    transport: str, environ: dict[str, str]
) -> None:
    environ["GAMIN_SOCKET"] = transport
    with ThreadPoolExecutor(4) as threads:
        tasks = [
            threads.submit(server_of, connect, environ)
            for connect in (connect_gam, connect_watchman) * 2
        ]
    pids = {task.result() for task in tasks}
    for pid in pids:
        end(pid)
    assert len(pids) == 1


def test_a_killed_server_is_replaced(started: int, environ: dict[str, str]) -> None:
    environ["GAMIN_SOCKET"] = "directory"
    killed = server_of(connect_gam, environ)
    os.kill(killed, signal.SIGKILL)
    successor = server_of(connect_gam, environ)
    end(successor)
    assert successor not in (killed, started)


def test_a_session_given_as_an_argument_wins(environ: dict[str, str]) -> None:
    other = environ["GAM_CLIENT_ID"] + "-other"
    with connect_gam(environ=environ, session=other) as connected:
        pid = peer_of(connected).pid
    try:
        connect_gam(start=False, environ={**environ, "GAM_CLIENT_ID": other}).close()
    finally:
        end(pid)


@BOTH
@pytest.mark.parametrize("program", ["/bin/true", "/no/such/program"])
def test_a_program_that_does_not_serve_is_named(
    connect: Connect, program: str, environ: dict[str, str]
) -> None:
    environ["GAMIN_DEBUG_SERVER"] = program
    with pytest.raises(ServerNotStarted) as reported:
        connect(environ=environ, patience=0.05)
    assert program in str(reported.value)
    assert environ["GAM_CLIENT_ID"] in str(reported.value)


def test_the_original_server_can_be_started_too(environ: dict[str, str]) -> None:
    original.require_original()
    environ["GAMIN_DEBUG_SERVER"] = str(original.SERVER)
    pid = server_of(connect_gam, environ)
    end(pid)


def test_a_running_original_server_is_used(environ: dict[str, str]) -> None:
    original.require_original()
    with original.start_original_server(environ["GAM_CLIENT_ID"]) as server:
        assert server_of(connect_gam, environ) == server.pid


def test_an_original_server_in_the_way_of_ours_is_named(
    environ: dict[str, str],
) -> None:
    original.require_original()
    environ["GAMIN_DEBUG_SERVER"] = "/bin/true"  # ends at once, as the loser would
    with original.start_original_server(environ["GAM_CLIENT_ID"]) as server:
        with pytest.raises(ServerNotStarted) as reported:
            connect_watchman(environ=environ, patience=0.05)
        assert f"process {server.pid} holds it" in reported.value.problem

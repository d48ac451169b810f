"""Forked servers are what the program would be: environment, end and rights."""

import os
import signal
from pathlib import Path

import pytest

from gamin.client.connect import connect_gam
from gamin.client.launch import server_command
from gamin.errors import GaminError
from gamin.system.peercred import peer_of
from testkit.forked_servers import ForkedServer, launch_forked
from testkit.waiting import eventually
from testkit.watches import signal_server


@pytest.fixture
def environ(session: str, tmp_path: Path) -> dict[str, str]:
    places = {"GAMIN_SOCKET_DIR": str(tmp_path), "HOME": str(tmp_path)}
    return {**os.environ, **places, "GAM_CLIENT_ID": session}


def pid_that_answers(environ: dict[str, str]) -> int | None:
    try:
        with connect_gam(start=False, environ=environ) as connected:
            return peer_of(connected).pid
    except (OSError, GaminError):
        return None


def test_it_serves_in_the_given_environment_until_it_is_signalled(
    environ: dict[str, str], tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with ForkedServer(["--notimeout"], environ, log=str(log)) as server:
        pid = eventually(lambda: pid_that_answers(environ), what="listening")
        assert pid == server.pid
        assert os.readlink(f"/proc/{pid}/fd/2") == str(log)
        server.terminate()
        assert server.wait(30) == 0
    assert server.returncode == 0


def test_a_killed_one_has_the_status_of_a_killed_program(
    environ: dict[str, str],
) -> None:
    with ForkedServer([], environ) as server:
        server.kill()
        assert server.wait(30) == -signal.SIGKILL


def test_a_wrong_word_ends_it_as_it_ends_the_program(
    environ: dict[str, str], tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with ForkedServer(["--frobnicate"], environ, log=str(log)) as server:
        assert server.wait(30) == 64
    assert "--frobnicate" in log.read_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may read everything")
def test_an_ordinary_one_has_not_the_rights_of_root(environ: dict[str, str]) -> None:
    with ForkedServer([], environ, is_ordinary=True) as server:
        eventually(lambda: pid_that_answers(environ), what="listening")
        status = Path(f"/proc/{server.pid}/status").read_text()
        [rights] = [line for line in status.splitlines() if line.startswith("CapEff")]
        assert not int(rights.split()[1], 16) & 0b110
        server.terminate()


def test_a_launched_one_leads_a_session_of_its_own(
    environ: dict[str, str], session: str
) -> None:
    launch_forked(server_command({}), session.encode(), environ)
    pid = eventually(lambda: pid_that_answers(environ), what="listening")
    assert os.getsid(pid) == pid
    signal_server(signal.SIGTERM, ends=True, environ=environ)


def test_another_program_is_executed(environ: dict[str, str], tmp_path: Path) -> None:
    program, made = tmp_path / "program", tmp_path / "made"
    program.write_text(
        f"#!/bin/sh\necho $GAM_CLIENT_ID > {made}.part\nmv {made}.part {made}\n"
    )
    program.chmod(0o700)
    launch_forked([str(program)], b"a session", environ)
    eventually(made.exists, what="the program")
    assert made.read_text() == "a session\n"

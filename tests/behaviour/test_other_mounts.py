"""Programs in another mount namespace mean other files by the same paths."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from testkit.daemon import daemon, works
from testkit.servers import can_mount
from testkit.waiting import eventually

pytestmark = pytest.mark.skipif(
    not can_mount(), reason="no rights to have mounts of its own"
)
OWN_MOUNTS = ["unshare", "--mount", "--propagation=private"]

OLD_PROGRAM = """\
import os, socket, sys
from gamin.system.address import find
with socket.socket(socket.AF_UNIX) as old:
    old.connect(find(os.environ, os.getuid()).abstract)
    try:
        old.sendall(b"\\0")
        print(len(old.recv(1)))
    except ConnectionError:
        print(0)
"""

NEW_PROGRAM = """\
from gamin.client.connect import connect_gam
from gamin.system.peercred import peer_of
print(peer_of(connect_gam()).pid)
"""


def output(program: str, environ: dict[str, str], prefix: list[str]) -> int:
    run = subprocess.run(
        [*prefix, sys.executable, "-c", program],
        env=os.environ | environ,
        stdout=subprocess.PIPE,
        check=True,
    )
    return int(run.stdout)


def test_a_program_with_other_mounts_is_refused_and_the_log_says_why(
    session: str, tmp_path: Path
) -> None:
    with daemon(session, tmp_path) as served:
        assert output(OLD_PROGRAM, served.environ, OWN_MOUNTS) == 0
        eventually(
            lambda: any("mount namespace" in line for line in served.log()),
            what="a line in the log",
        )
        assert works(served, tmp_path / "box")
        assert output(OLD_PROGRAM, served.environ, []) == 1


def test_a_program_with_other_mounts_gets_a_server_of_its_own(
    session: str, tmp_path: Path
) -> None:
    with daemon(session, tmp_path) as served:
        pid = output(NEW_PROGRAM, served.environ, OWN_MOUNTS)
        try:
            assert pid != served.process.pid
            assert works(served, tmp_path / "box")
            assert output(NEW_PROGRAM, served.environ, []) == served.process.pid
        finally:
            os.kill(pid, signal.SIGTERM)
        # It is nobody's child, and removes its socket.
        eventually(lambda: not os.path.exists(f"/proc/{pid}"), what="its end")


def test_programs_may_allow_other_mounts(
    session: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAMIN_MOUNTS", "any")
    with daemon(session, tmp_path) as served:
        pid = output(NEW_PROGRAM, served.environ, OWN_MOUNTS)
        assert pid == served.process.pid

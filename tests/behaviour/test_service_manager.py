"""A server that a service manager starts with passed sockets, as systemd does."""

import os
import socket
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from gamin.system.address import find
from testkit.daemon import daemon, works
from testkit.waiting import eventually

MANAGER = """
import os, socket, sys
path, reports, *command = sys.argv[1:]
os.makedirs(os.path.dirname(path), mode=0o700)
listening = socket.socket(socket.AF_UNIX)
listening.bind(path)
listening.listen()
os.dup2(listening.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="x")
os.environ.update(NOTIFY_SOCKET=reports, WATCHDOG_USEC="20000")
os.execv(command[0], command)
"""
"""Binds the socket of Watchman's language, and becomes the server: so the server has
the process id that LISTEN_PID names."""


def test_a_server_serves_the_passed_socket_and_reports_its_life(
    session: str, tmp_path: Path
) -> None:
    # A service manager binds paths of up to 107 bytes, so the directory is a short one.
    with TemporaryDirectory(dir="/tmp") as home:
        _serve_as_a_service(session, Path(home), tmp_path / "box")


def _serve_as_a_service(session: str, home: Path, box: Path) -> None:
    environ = {"GAMIN_SOCKET_DIR": str(home), "GAM_CLIENT_ID": session}
    address = find(environ, os.getuid())
    path = address.watchman_directories[0] + b"/" + address.watchman_file
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as reports:
        reports.bind(str(home / "reports"))
        reports.settimeout(10)
        starter = (sys.executable, "-c", MANAGER, os.fsdecode(path))
        prefix = (*starter, str(home / "reports"))
        with daemon(session, home, prefix=prefix) as served:
            before = os.lstat(path)
            assert works(served, box)
            heard = {reports.recv(100), reports.recv(100)}
            assert heard == {b"READY=1", b"WATCHDOG=1"}
            eventually(lambda: reports.recv(100) == b"WATCHDOG=1", what="its life")
        eventually(lambda: reports.recv(100) == b"STOPPING=1", what="its end")
        assert os.lstat(path).st_ino == before.st_ino

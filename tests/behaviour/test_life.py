"""How a server starts and ends, what it keeps to itself, and who may call it."""

import json
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from gamin.client.connect import connect_gam, connect_watchman
from gamin.daemon.io.addresses import acquire
from gamin.daemon.io.loop import Loop
from gamin.daemon.process.lifecycle import Server
from gamin.system.address import find
from testkit.daemon import PROGRAM, daemon, is_hung_up, nothing_comes, watched, works
from testkit.processes import NOBODY, beside, require_root
from testkit.waiting import eventually


@pytest.mark.parametrize("name", ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM"])
def test_a_signal_ends_a_server_cleanly(
    session: str, tmp_path: Path, name: str
) -> None:
    with daemon(session, tmp_path, is_program=True) as served:
        assert works(served, tmp_path / "box")
        assert served.sockets()
        with served.connect() as client:
            served.process.send_signal(signal.Signals[name])
            assert is_hung_up(client)
        assert served.process.wait(10) == 0
        assert served.sockets() == []
        assert served.log() == []


def test_a_server_obeys_signals_that_its_starter_blocked(
    session: str, tmp_path: Path
) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    try:
        with daemon(session, tmp_path, is_program=True) as served:
            served.process.terminate()
            assert served.process.wait(10) == 0
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])


def test_a_second_server_leaves_at_once_and_disturbs_nobody(
    session: str, tmp_path: Path
) -> None:
    with (
        daemon(session, tmp_path, is_program=True) as served,
        served.connect() as client,
    ):
        sockets = served.sockets()
        second = subprocess.run(
            [PROGRAM, "--notimeout", session],
            env=os.environ | served.environ,
            capture_output=True,
            timeout=10,
        )
        assert (second.returncode, second.stdout, second.stderr) == (0, b"", b"")
        assert served.sockets() == sockets
        assert nothing_comes(client, 0)
        assert works(served, tmp_path / "box")


def test_unknown_words_on_the_command_line_are_a_wrong_usage(tmp_path: Path) -> None:
    done = subprocess.run([PROGRAM, "--frobnicate"], capture_output=True, timeout=10)
    assert done.returncode == 64
    assert b"usage:" in done.stderr


def test_another_user_is_disconnected_without_a_byte(
    session: str, tmp_path: Path
) -> None:
    require_root()
    with daemon(session, tmp_path, is_program=True) as served:
        name = find(served.environ, os.getuid()).abstract
        with beside(_call, name, uid=NOBODY) as stranger:
            assert stranger.recv() == b""
        assert works(served, tmp_path / "box")
        [line] = served.log()
        assert "refused" in line


def _call(pipe: Connection, name: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as calling:
        calling.connect(name)
        try:
            calling.sendall(b"\0")
            pipe.send(calling.recv(100))
        except ConnectionError:
            pipe.send(b"")


def test_a_server_goes_on_although_nobody_reads_its_log(
    session: str, tmp_path: Path
) -> None:
    unread, written = os.pipe()
    try:
        with daemon(session, tmp_path, stderr=written) as served:
            for _ in range(2000):
                with served.connect() as bad:
                    bad.sendall(b"nonsense, again and again")
            assert works(served, tmp_path / "box")
    finally:
        os.close(unread)
        os.close(written)


@contextmanager
def lonely(
    session: str, folder: Path, idle_seconds: float
) -> Iterator[threading.Thread]:
    """A server in a thread, which ends after so many seconds without a client."""
    address = find({"GAMIN_SOCKET_DIR": str(folder)}, os.getuid(), session=session)
    loop = Loop()
    listening = acquire(address)
    server = Server(listening, loop, None, cwd=b"/", idle_seconds=idle_seconds)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield thread
    finally:
        thread.join(10)
        assert not thread.is_alive()
        loop.close()


def test_a_server_without_clients_ends_after_a_while(
    session: str, tmp_path: Path
) -> None:
    with lonely(session, tmp_path, 0.05):
        pass
    assert [path for path in tmp_path.rglob("*") if path.is_socket()] == []


def test_a_server_stays_while_there_is_a_client(session: str, tmp_path: Path) -> None:
    with lonely(session, tmp_path, 0.2) as thread:
        with connect_gam(start=False, session=session, environ={}) as client:
            assert nothing_comes(client, 0.5)
            assert thread.is_alive()
        thread.join(10)
        assert not thread.is_alive()


def root_of(clock: object) -> str:
    """What a clock says of its root. The rest is the server's tick, which also counts
    what happens beside the root, such as in the home that all tests share."""
    return str(clock).rpartition(":")[0]


def test_a_server_stays_while_a_root_is_watched_permanently(
    session: str, tmp_path: Path
) -> None:
    environ = {"GAMIN_SOCKET_DIR": str(tmp_path)}

    def reply(*request: str) -> dict[str, object]:
        with connect_watchman(start=False, session=session, environ=environ) as client:
            client.sendall(json.dumps(request).encode() + b"\n")
            with client.makefile("rb") as lines:
                answer: dict[str, object] = json.loads(lines.readline())
                return answer

    root = tmp_path / "root"
    root.mkdir()
    with lonely(session, tmp_path, 0.2) as thread:
        before = reply("watch", str(root))
        clock = reply("clock", str(root))["clock"]
        thread.join(0.6)
        assert thread.is_alive(), before
        later = reply("clock", str(root))["clock"]
        assert root_of(later) == root_of(clock)
        reply("watch-del", str(root))
        thread.join(10)
        assert not thread.is_alive()


def test_a_server_with_a_large_load_ends_at_once(session: str, tmp_path: Path) -> None:
    with (
        daemon(session, tmp_path, is_program=True) as served,
        served.client() as client,
    ):
        for number in range(500):
            place = tmp_path / "box" / str(number)
            place.mkdir(parents=True)
            client.watch_directory(place)
        served.process.terminate()
        assert served.process.wait(10) == 0


def test_debug_events_do_not_cause_debug_events(
    session: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = tmp_path / "box"
    box.mkdir()
    monkeypatch.setenv("TMPDIR", str(box))
    with (
        daemon(session, tmp_path, is_program=True) as served,
        served.client() as client,
    ):
        watched(client, box)
        served.process.send_signal(signal.SIGUSR2)
        assert works(served, box / "other")
        [file] = eventually(lambda: list(box.glob("gamin_debug_*")))
        eventually(lambda: b"other" in file.read_bytes())
        while nothing_comes(client, 0.5) is False:
            client.next_event(0)
        text = file.read_text()
        # By name: the log also has what others do.
        assert text.count(file.name) < 20, text[-2000:]

"""Which server `gamin watchman` asks, and how it reads what comes back."""

import os
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.cli.watchman_service import (
    Connection,
    Options,
    Service,
    StateDirectoryRefused,
    Unreachable,
)
from gamin.errors import RemoteProtocolError


class Peer:
    """The other end of a connection."""

    def __init__(self) -> None:
        ours, self.socket = socket.socketpair()
        self.connection = Connection(ours)

    def close(self) -> None:
        self.connection.close()
        self.socket.close()

    def received(self) -> list[bytes]:
        """All messages until the other end is closed."""
        self.socket.close()
        messages = []
        while (message := self.connection.receive()) is not None:
            messages.append(message)
        return messages


@pytest.fixture
def peer() -> Iterator[Peer]:
    with closing(Peer()) as made:
        yield made


LINES = [b'{"a":1}\n', b"[]\n"]


@given(st.lists(st.integers(1, 9), max_size=12))
def test_messages_are_whole_however_they_are_cut(cuts: list[int]) -> None:
    data = b"".join(LINES)
    with closing(Peer()) as peer:
        for cut in cuts:
            peer.socket.sendall(data[:cut])
            data = data[cut:]
        peer.socket.sendall(data)
        assert peer.received() == LINES


def test_a_server_that_closes_amid_a_reply_is_an_error(peer: Peer) -> None:
    peer.socket.sendall(b'{"a":')
    with pytest.raises(RemoteProtocolError, match="amid a reply"):
        peer.received()


def service(session: str, folder: Path, sockname: Path | None = None) -> Service:
    environ = {"GAM_CLIENT_ID": session, "GAMIN_SOCKET_DIR": str(folder)}
    options = Options(sockname=None if sockname is None else str(sockname))
    return Service(options, environ)


def test_without_a_server_nothing_is_reached(session: str, tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="No such file"):
        service(session, tmp_path).connect(start=False)


def test_the_socket_is_that_of_the_session(session: str, tmp_path: Path) -> None:
    path = os.fsdecode(service(session, tmp_path).path)
    assert Path(path).is_relative_to(tmp_path)
    assert session in path


def test_a_socket_that_is_named_is_asked_instead(session: str, tmp_path: Path) -> None:
    name = tmp_path / "sock"
    asked = service(session, tmp_path, name)
    assert asked.path == os.fsencode(name)
    with pytest.raises(Unreachable):  # nothing is there
        asked.connect(start=False)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(name))
        with pytest.raises(Unreachable):  # nobody listens
            asked.connect(start=False)
        listening.listen()
        with asked.connect(start=False) as connection:
            connection.send(b"hello\n")
            accepted, _ = listening.accept()
            with accepted:
                assert accepted.recv(9) == b"hello\n"


def test_a_file_that_is_no_socket_is_unreachable(session: str, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(Unreachable):
        service(session, tmp_path, folder / "missing" / "sock").connect(start=False)


def test_each_socket_has_a_session_of_its_own(session: str, tmp_path: Path) -> None:
    sessions = {
        service(session, tmp_path, name).session
        for name in (None, tmp_path / "a", tmp_path / "b")
    }
    assert len(sessions) == 3


def test_what_is_in_the_state_directory_may_be_elsewhere(tmp_path: Path) -> None:
    environ = {"USER": "me"}
    own = Service(Options(state_dir=str(tmp_path), pidfile="/elsewhere"), environ)
    assert own.options.sockname == str(tmp_path / "me-state" / "sock")
    assert own.options.pidfile == "/elsewhere"
    assert own._words() == [
        f"--test-state-dir={tmp_path}",
        "--pidfile=/elsewhere",
        f"--statefile={tmp_path / 'me-state' / 'state'}",
    ]


def test_a_client_makes_and_checks_the_state_directory(tmp_path: Path) -> None:
    environ = {"USER": "me", "HOME": str(tmp_path)}
    own = Service(Options(state_dir=str(tmp_path)), environ)
    with pytest.raises(Unreachable, match="No such file"):
        own.connect(start=False)
    place = tmp_path / "me-state"
    assert place.stat().st_mode & 0o777 == 0o700
    place.chmod(0o777)
    with pytest.raises(StateDirectoryRefused, match="allow others to write to it"):
        own.connect(start=False)


def test_a_log_on_the_terminal_stays_there(tmp_path: Path) -> None:
    named = Service(Options(logfile="-", sockname=str(tmp_path / "sock")), {})
    assert named._words() == [f"--sockname={tmp_path / 'sock'}", "--logfile=-"]

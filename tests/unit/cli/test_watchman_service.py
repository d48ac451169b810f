"""Which server `gamin watchman` asks, and how it reads what comes back."""

import os
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.cli.watchman_service import Connection, Options, Service, Unreachable
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
        service(session, tmp_path, name)._session()
        for name in (None, tmp_path / "a", tmp_path / "b")
    }
    assert len(sessions) == 3


def test_the_named_socket_becomes_a_link_to_that_of_its_session(
    session: str, tmp_path: Path
) -> None:
    name = tmp_path / "sock"
    named = service(session, tmp_path, name)
    named._link(str(name))
    named._link(str(name))  # again
    assert os.readlink(name).startswith(str(tmp_path))
    assert os.listdir(tmp_path) == ["sock"]


def test_a_file_is_not_replaced_by_a_link(session: str, tmp_path: Path) -> None:
    name = tmp_path / "sock"
    name.write_text("precious")
    with pytest.raises(FileExistsError):
        service(session, tmp_path, name)._link(str(name))
    assert name.read_text() == "precious"


def test_a_pid_file_belongs_to_one_server(session: str, tmp_path: Path) -> None:
    file = tmp_path / "pid"
    one, other = service(session, tmp_path), service(session, tmp_path)
    one._lock(str(file))
    assert file.read_text() == str(os.getpid())
    with pytest.raises(Unreachable, match="another server"):
        other._lock(str(file))

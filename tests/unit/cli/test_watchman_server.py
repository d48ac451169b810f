"""`gamin watchman --foreground`: what is made before the server runs."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gamin.cli.watchman_server import (
    NoListeningSocket,
    PidfileHeld,
    inherited_socket,
    link,
    lock,
)


def test_the_named_socket_becomes_a_link_to_that_of_its_session(tmp_path: Path) -> None:
    name = tmp_path / "sock"
    link(str(name), b"/first")
    link(str(name), b"/second")
    assert os.readlink(name) == "/second"
    assert os.listdir(tmp_path) == ["sock"]


def test_a_socket_that_is_left_there_is_replaced_by_the_link(tmp_path: Path) -> None:
    name = tmp_path / "sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(os.path.relpath(name))
    link(str(name), b"/target")
    assert os.readlink(name) == "/target"


def test_a_file_is_not_replaced_by_a_link(tmp_path: Path) -> None:
    name = tmp_path / "sock"
    name.write_text("precious")
    with pytest.raises(FileExistsError):
        link(str(name), b"/target")
    assert name.read_text() == "precious"


def test_a_pidfile_belongs_to_one_server(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    file.write_text("a much longer text of somebody else")
    held = lock(str(file))
    assert file.read_text() == str(os.getpid())
    with pytest.raises(PidfileHeld, match=f"process {os.getpid()} owns it"):
        lock(str(file))
    os.close(held)
    os.close(lock(str(file)))


@contextmanager
def standard_input(descriptor: int) -> Iterator[None]:
    kept = os.dup(0)
    os.dup2(descriptor, 0)
    try:
        yield
    finally:
        os.dup2(kept, 0)
        os.close(kept)


def test_only_a_unix_socket_that_listens_is_one_of_a_supervisor(session: str) -> None:
    with socket.socket(socket.AF_UNIX) as mine, standard_input(mine.fileno()):
        mine.bind(f"\0{session}")
        with pytest.raises(NoListeningSocket):
            inherited_socket()
        mine.listen()
        with socket.socket(fileno=inherited_socket()) as given:
            assert given.getsockname() == mine.getsockname()
    with (
        open(os.devnull) as file,
        standard_input(file.fileno()),
        pytest.raises(NoListeningSocket),
    ):
        inherited_socket()
    with (
        socket.create_server(("127.0.0.1", 0)) as internet,
        standard_input(internet.fileno()),
        pytest.raises(NoListeningSocket),
    ):
        inherited_socket()

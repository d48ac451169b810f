"""One listening socket: taken where nobody listens, never from a live server."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from gamin.daemon.io.listener import (
    AlreadyRunning,
    DirectoryRemoved,
    Language,
    bind_abstract,
    claim_abstract,
    claim_file,
)
from gamin.system.address import Address, find
from gamin.system.socketdir import Directory, make_checked


@pytest.fixture
def address(session: str, tmp_path: Path) -> Address:
    return find({"GAMIN_SOCKET_DIR": str(tmp_path)}, os.getuid(), session=session)


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Directory]:
    with make_checked(bytes(tmp_path / "own"), os.getuid()) as directory:
        yield directory


def reopened(directory: Directory) -> Directory:
    """The directory as another server has opened it; a listener closes its own."""
    return make_checked(directory.path, directory.uid)


def test_a_free_abstract_name_is_taken_and_a_taken_one_is_not(address: Address) -> None:
    listener = bind_abstract(address)
    assert listener is not None
    assert bind_abstract(address) is None
    with pytest.raises(AlreadyRunning) as running:
        claim_abstract(address)
    assert running.value.pid == os.getpid()
    listener.close()


def test_a_socket_file_is_removed_when_its_listener_closes(
    directory: Directory,
) -> None:
    listener = claim_file(reopened(directory), b"socket", Language.WATCHMAN)
    assert listener.is_reachable()
    listener.close()
    assert directory.status(b"socket") is None
    assert not listener.is_reachable()


def test_a_live_socket_file_is_left_to_its_server(directory: Directory) -> None:
    listener = claim_file(reopened(directory), b"socket", Language.WATCHMAN)
    with reopened(directory) as other, pytest.raises(AlreadyRunning):
        claim_file(other, b"socket", Language.WATCHMAN)
    assert listener.is_reachable()
    listener.close()


def test_a_socket_file_of_a_dead_server_is_replaced(directory: Directory) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(directory.place(b"socket"))
    listener = claim_file(reopened(directory), b"socket", Language.WATCHMAN)
    assert listener.is_reachable()
    listener.close()


def test_the_directory_is_removed_with_the_last_socket_in_it(
    directory: Directory,
) -> None:
    first = claim_file(reopened(directory), b"first", Language.ORIGINAL)
    second = claim_file(reopened(directory), b"second", Language.WATCHMAN)
    first.close()
    assert directory.is_in_place()
    second.close()
    assert not directory.is_in_place()


def test_nobody_listens_in_a_directory_that_was_removed(directory: Directory) -> None:
    os.rmdir(directory.path)
    with pytest.raises(DirectoryRemoved):
        claim_file(directory, b"socket", Language.WATCHMAN)


def test_a_socket_is_removed_although_another_process_keeps_the_lock(
    directory: Directory,
) -> None:
    listener = claim_file(reopened(directory), b"socket", Language.WATCHMAN)
    with directory.locked(0):
        listener.close()
    assert directory.status(b"socket") is None

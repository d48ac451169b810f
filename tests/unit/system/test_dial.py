"""Connecting to a Unix socket, with a limit on the time."""

import os
import socket
from pathlib import Path

import pytest

from gamin.system.address import Address, find
from gamin.system.dial import (
    AddressInUse,
    ServerBusy,
    dial,
    dial_abstract,
    dial_file,
)
from gamin.system.socketdir import UnsafeSocketPath, make_checked
from testkit.processes import NOBODY, require_root

AT_ONCE = 0.01
"""Seconds: a wait that ends although nobody answers."""


@pytest.fixture
def address(session: str, tmp_path: Path) -> Address:
    return find({"GAMIN_SOCKET_DIR": str(tmp_path)}, os.getuid(), session=session)


def listening(where: bytes, backlog: int = 1) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(where)
    sock.listen(backlog)
    return sock


def test_a_listening_abstract_name_gives_a_connected_blocking_socket(
    address: Address,
) -> None:
    with listening(address.abstract) as server, dial_abstract(address, 5) as ours:
        accepted, _ = server.accept()
        with accepted:
            accepted.sendall(b"x")
            assert ours.recv(1) == b"x"
            assert ours.getblocking()


def test_a_name_without_a_listener_is_refused(address: Address) -> None:
    with pytest.raises(ConnectionRefusedError):
        dial_abstract(address, 5)


def test_a_missing_socket_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        dial(bytes(tmp_path / "none"), 5)


def test_without_patience_a_full_backlog_is_not_waited_for(address: Address) -> None:
    with listening(address.abstract, backlog=0), dial(address.abstract, 0) as first:
        assert first.getblocking()
        with pytest.raises(BlockingIOError):
            dial(address.abstract, 0)


def test_a_full_backlog_of_our_own_process_is_a_busy_server(address: Address) -> None:
    with listening(address.abstract, backlog=0), dial(address.abstract, 5):
        with pytest.raises(BlockingIOError):
            dial(address.abstract, AT_ONCE)
        with pytest.raises(ServerBusy) as raised:
            dial_abstract(address, AT_ONCE)
    assert raised.value.pid == os.getpid()


def test_a_full_backlog_of_a_stranger_counts_as_a_program_that_is_stuck(
    address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gamin.system.dial.listening_process", lambda _: None)
    with (
        listening(address.abstract, backlog=0),
        dial(address.abstract, 5),
        pytest.raises(AddressInUse, match="stuck"),
    ):
        dial_abstract(address, AT_ONCE)


@pytest.mark.parametrize("any_mounts", [False, True])
def test_a_server_of_another_mount_namespace_is_a_stranger(
    address: Address, monkeypatch: pytest.MonkeyPatch, any_mounts: bool
) -> None:
    monkeypatch.setattr("gamin.system.dial.sees_other_files", lambda _: True)
    address = address._replace(any_mounts=any_mounts)
    with listening(address.abstract):
        if any_mounts:
            dial_abstract(address, 5).close()
            return
        with pytest.raises(AddressInUse, match=f"{os.getpid()}.* mount namespace"):
            dial_abstract(address, 5)


def test_a_holder_under_another_uid_is_named_by_its_process(address: Address) -> None:
    with (
        listening(address.abstract),
        pytest.raises(AddressInUse, match=f"process {os.getpid()} of uid"),
    ):
        dial_abstract(address._replace(uid=address.uid + 1), 5)


def test_a_socket_file_of_another_user_is_unsafe(tmp_path: Path) -> None:
    require_root()
    path = tmp_path / "directory"
    with (
        make_checked(bytes(path), os.getuid()) as directory,
        listening(directory.place(b"socket")),
    ):
        dial_file(directory, b"socket", 5).close()
        directory.uid = NOBODY
        with pytest.raises(UnsafeSocketPath):
            dial_file(directory, b"socket", 5)

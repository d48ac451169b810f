"""The process that listens at a name is found without a connection to it."""

import os
import socket
from pathlib import Path

import pytest

from gamin.system.address import Address, find
from gamin.system.unix_sockets import listening_process


@pytest.fixture
def name(session: str, tmp_path: Path) -> bytes:
    environ = {"GAMIN_SOCKET_DIR": str(tmp_path)}
    address: Address = find(environ, os.getuid(), session=session)
    return address.abstract


def test_a_listening_process_of_ours_is_found(name: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as ours:
        ours.bind(name)
        assert listening_process(name) is None, "it does not listen yet"
        ours.listen()
        assert listening_process(name) == os.getpid()
    assert listening_process(name) is None


def test_a_connected_socket_is_not_taken_for_the_listening_one(name: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as ours, socket.socket(socket.AF_UNIX) as caller:
        ours.bind(name)
        ours.listen()
        caller.connect(name)
        with ours.accept()[0]:
            ours.close()
            assert listening_process(name) is None

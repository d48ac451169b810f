"""Sockets that a service manager passes to the server, and takes back."""

import os
import select
import socket
from collections.abc import Iterator
from multiprocessing.connection import Connection
from tempfile import TemporaryDirectory

import pytest

from gamin.daemon.io import addresses
from gamin.daemon.io.addresses import (
    AlreadyRunning,
    Language,
    acquire,
)
from gamin.system.address import Address
from testkit.processes import (
    beside,
)
from testkit.waiting import eventually
from tests.unit.daemon.io.test_addresses import acquired, answers, folder, watchman_file

LONG = 20.0
"""Seconds that end before only if the other server does what it should."""


@pytest.fixture
def short(address: Address) -> Iterator[Address]:
    """In a directory whose name leaves room for a socket's path of 107 bytes, which is
    all that a service manager can bind."""
    with TemporaryDirectory(dir="/tmp") as base:
        yield address._replace(base=os.fsencode(base))


@pytest.fixture
def passed(short: Address) -> Iterator[socket.socket]:
    """A socket at which a manager listens for Watchman's language."""
    folder(short).mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(bytes(watchman_file(short)))
        listening.listen()
        listening.setblocking(False)
        yield listening


def test_a_passed_socket_is_served_and_left_in_place(
    short: Address, passed: socket.socket
) -> None:
    listening = acquire(short, [passed.dup()])
    try:
        assert [each.language for each in listening.listeners] == [
            Language.ORIGINAL,
            Language.WATCHMAN,
        ]
        assert listening.restore() == ([], [])
    finally:
        listening.close()
    assert watchman_file(short).is_socket()
    assert answers(watchman_file(short))


def test_a_passed_socket_of_another_session_is_closed(
    short: Address, passed: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    other = short._replace(session=short.session + b"-other")
    mine = passed.dup()
    listening = acquire(other, [mine])
    try:
        assert mine.fileno() == -1
        assert "is no address of this session" in caplog.text
        assert watchman_file(other).is_socket()
    finally:
        listening.close()


def test_a_socket_at_a_chosen_place_is_served_there(
    short: Address, passed: socket.socket
) -> None:
    other = short._replace(session=short.session + b"-other")
    listening = acquire(other, chosen=[passed.dup()])
    try:
        assert not watchman_file(other).exists()
        [served] = listening.of(Language.WATCHMAN)
        assert served.where == str(watchman_file(short))
    finally:
        listening.close()
    assert watchman_file(short).is_socket()


def has_bound(named: socket.socket, name: bytes) -> bool:
    try:
        named.bind(name)
    except OSError:  # the server that called us has it until it knows that we exist
        return False
    return True


def serve_when_called(pipe: Connection, address: Address, called: int) -> None:
    """As a manager's server does: it starts with the first call at the socket."""
    with (
        socket.socket(fileno=called) as listening,
        socket.socket(socket.AF_UNIX) as named,
    ):
        pipe.send(None)
        select.select([listening], [], [])
        eventually(lambda: has_bound(named, address.abstract), what="a free name")
        named.listen()
        pipe.recv()


def test_a_server_leaves_the_session_to_a_manager_that_starts_another(
    short: Address, passed: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(addresses, "_HANDOVER_PATIENCE", LONG)
    with beside(serve_when_called, short, passed.dup().detach()) as pipe:
        pipe.recv()
        with pytest.raises(AlreadyRunning):
            acquire(short)
        pipe.send(None)


def test_a_server_stays_where_nobody_takes_the_name_that_it_left(
    short: Address, passed: socket.socket
) -> None:
    with acquired(short) as listening:
        assert [each.language for each in listening.listeners] == [Language.ORIGINAL]
        assert answers(short.abstract)


def test_a_passed_socket_is_served_beside_a_server_that_has_the_name(
    short: Address, passed: socket.socket
) -> None:
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(short.abstract)
        other.listen()
        listening = acquire(short, [passed.dup()])
        try:
            assert all(each.file for each in listening.listeners)
            assert len(listening.of(Language.WATCHMAN)) == 1
            other.close()
            _, new = listening.restore()
            assert [each.where for each in new] == [short.shown_abstract]
        finally:
            listening.close()

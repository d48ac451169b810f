"""Looking for a server at the places the rules allow, some of them hostile."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from gamin.client.locate import Locator, ServerUnresponsive
from gamin.daemon.io.addresses import acquire
from gamin.errors import RemoteProtocolError
from gamin.system.address import Address, Transport, find
from gamin.system.dial import AddressInUse
from gamin.system.peercred import HELLO
from gamin.system.socketdir import UnsafeSocketPath
from testkit.processes import NOBODY, beside, require_root, wait_for_end
from testkit.small_server import answer


@pytest.fixture
def address(session: str, tmp_path: Path) -> Address:
    return find({"GAMIN_SOCKET_DIR": str(tmp_path)}, os.getuid(), session=session)


def serve(pipe: Connection, address: Address) -> None:
    listening = acquire(address)
    pipe.send("listening")
    answer(listening.listeners, until=pipe)
    listening.close()


@contextmanager
def served(address: Address) -> Iterator[None]:
    with beside(serve, address) as server:
        server.recv()
        yield


def say(pipe: Connection, name: bytes, words: bytes | None) -> None:
    """Answer one caller with `words`, or hang up for None; report what it said."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(name)
        listening.listen()
        pipe.send("listening")
        connected, _ = listening.accept()
        with connected:
            pipe.send(connected.recv(16))
            if words is not None:
                connected.sendall(words)
                wait_for_end(pipe)


@contextmanager
def scripted(
    address: Address, words: bytes | None, uid: int | None = None
) -> Iterator[Connection]:
    with beside(say, address.abstract, words, uid=uid) as server:
        server.recv()
        yield server


def squat(address: Address) -> None:
    """Make a directory of another user that may neither be used nor removed."""
    require_root()
    directory = Path(os.fsdecode(address.directory))
    directory.mkdir(mode=0o700)
    (directory / "kept").touch()
    os.chown(directory, NOBODY, NOBODY)


@pytest.mark.parametrize("transport", list(Transport))
def test_a_server_is_found_and_greeted(transport: Transport, address: Address) -> None:
    address = address._replace(transport=transport)
    with served(address):
        connected = Locator(address).gam()
        assert connected is not None
        with connected:
            assert connected.gettimeout() is None


@pytest.mark.parametrize("transport", list(Transport))
def test_no_server_is_found_where_none_runs(
    transport: Transport, address: Address
) -> None:
    attempt = Locator(address._replace(transport=transport))
    assert attempt.gam() is None
    assert attempt.watchman() is None


def test_a_dead_servers_socket_is_no_server(address: Address) -> None:
    address = address._replace(transport=Transport.DIRECTORY)
    listening = acquire(address)
    for listener in listening.listeners:
        listener.socket.close()
    attempt = Locator(address)
    assert attempt.gam() is None
    assert attempt.watchman() is None
    listening.close()


def test_the_greeting_takes_no_more_than_the_hello(address: Address) -> None:
    with scripted(address, HELLO + b"first event") as server:
        connected = Locator(address).gam()
        assert connected is not None
        with connected:
            assert connected.recv(64) == b"first event"
        assert server.recv() == HELLO


def test_a_wrong_hello_is_an_error(address: Address) -> None:
    with scripted(address, b"SSH-2.0"), pytest.raises(RemoteProtocolError):
        Locator(address).gam()


def test_a_server_that_hangs_up_is_no_server(address: Address) -> None:
    attempt = Locator(address)
    with scripted(address, None):
        assert attempt.gam() is None
    assert "closes every connection" in attempt.explain()


def test_a_server_that_does_not_answer_is_named(address: Address) -> None:
    attempt = Locator(address, answer_patience=0.05)
    with scripted(address, b""), pytest.raises(ServerUnresponsive) as reported:
        attempt.gam()
    assert reported.value.pid != 0
    assert str(reported.value.pid) in str(reported.value)


def test_a_stranger_at_the_name_gets_no_byte_and_the_directory_is_used(
    address: Address, caplog: pytest.LogCaptureFixture
) -> None:
    require_root()
    attempt = Locator(address)
    with scripted(address, HELLO, uid=NOBODY) as stranger:
        assert attempt.gam() is None
        assert stranger.recv() == b""
    (line,) = caplog.messages
    assert line.startswith("using the directory, because")
    assert f"uid {NOBODY}" in line


def hold(pipe: Connection, name: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as holder:
        holder.bind(name)
        holder.listen()
        pipe.send("held")
        wait_for_end(pipe)


@pytest.fixture
def stranger(address: Address) -> Iterator[None]:
    """Another user has the abstract name."""
    require_root()
    with beside(hold, address.abstract, uid=NOBODY) as holder:
        holder.recv()
        yield


@pytest.mark.usefixtures("stranger")
def test_client_and_server_meet_in_the_directory_when_a_stranger_has_the_name(
    address: Address, caplog: pytest.LogCaptureFixture
) -> None:
    attempt = Locator(address)
    with served(address):
        for connected in (attempt.gam(), attempt.gam(), attempt.watchman()):
            assert connected is not None
            connected.close()
    assert len(caplog.messages) == 1


@pytest.mark.usefixtures("stranger")
def test_a_stranger_is_an_error_where_only_the_name_is_allowed(
    address: Address,
) -> None:
    with pytest.raises(AddressInUse, match=f"uid {NOBODY}"):
        Locator(address._replace(transport=Transport.ABSTRACT)).gam()


@pytest.mark.usefixtures("stranger")
def test_a_stranger_at_both_places_is_an_error(address: Address) -> None:
    squat(address)
    with pytest.raises(UnsafeSocketPath):
        Locator(address).gam()


def test_a_server_that_once_went_to_the_directory_is_still_found(
    address: Address,
) -> None:
    with served(address._replace(transport=Transport.DIRECTORY)):
        connected = Locator(address).gam()
        assert connected is not None
        connected.close()


def test_a_squatted_directory_does_not_keep_us_from_the_name(address: Address) -> None:
    squat(address)
    assert Locator(address).gam() is None
    with served(address):
        connected = Locator(address).gam()
        assert connected is not None
        connected.close()


def test_a_squatted_directory_is_an_error_when_no_other_is_left(
    address: Address,
) -> None:
    squat(address)
    with pytest.raises(UnsafeSocketPath):
        Locator(address).watchman()


def test_the_watchman_socket_is_searched_in_every_directory(
    address: Address, tmp_path: Path
) -> None:
    with served(address):
        connected = Locator(address._replace(runtime=bytes(tmp_path))).watchman()
        assert connected is not None
        connected.close()


def test_a_squatted_directory_behind_a_sound_one_does_not_matter(
    address: Address, tmp_path: Path
) -> None:
    squat(address)
    address = address._replace(runtime=bytes(tmp_path))
    attempt = Locator(address)
    with served(address):
        connected = attempt.watchman()
        assert connected is not None
        connected.close()
    assert attempt.watchman() is None

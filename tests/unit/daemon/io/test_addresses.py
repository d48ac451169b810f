"""Who gets the addresses of a session, and what becomes of what stood in the way."""

import os
import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier as BarrierType
from pathlib import Path

import pytest

from gamin.daemon.io.addresses import (
    AddressInUse,
    AlreadyRunning,
    Language,
    Listening,
    acquire,
)
from gamin.daemon.io.listener import SocketFile
from gamin.system.address import Address, Transport, find
from gamin.system.dial import dial
from gamin.system.socketdir import UnsafeSocketPath, open_checked
from testkit.descriptors import no_free_descriptor
from testkit.processes import (
    NOBODY,
    Barrier,
    beside,
    common_directory,
    require_root,
    wait_for_end,
)

ROUNDS = 500
STUCK_SECONDS = 5.0  # a contender whose opponent broke down gives up


@contextmanager
def acquired(address: Address) -> Iterator[Listening]:
    listening = acquire(address)
    try:
        yield listening
    finally:
        listening.close()


def test_a_lost_socket_is_had_again_once_there_is_a_descriptor(
    address: Address, caplog: pytest.LogCaptureFixture
) -> None:
    with acquired(address) as listening:
        count = len(listening.listeners)
        (watchman,) = listening.of(Language.WATCHMAN)
        Path(watchman.where).unlink()
        with no_free_descriptor():
            lost, new = listening.restore()
        assert (lost, new) == ([watchman], [])
        lost, new = listening.restore()
        assert not lost
        assert [each.language for each in new] == [Language.WATCHMAN]
        assert len(listening.listeners) == count


def test_an_abstract_name_that_is_free_is_had_once_there_is_a_descriptor(
    address: Address, caplog: pytest.LogCaptureFixture
) -> None:
    with acquired(address) as listening:
        listening.listeners.pop(0).close()  # as where it was another's at the start
        with no_free_descriptor():
            assert listening.restore() == ([], [])
        lost, (new, *_) = listening.restore()
        assert not lost
        assert new.file is None
    assert caplog.messages == ["not all sockets are there: Too many open files"]


def folder(address: Address) -> Path:
    return Path(os.fsdecode(address.directory))


def original_file(address: Address) -> Path:
    return folder(address) / os.fsdecode(address.file)


def watchman_file(address: Address) -> Path:
    return folder(address) / os.fsdecode(address.watchman_file)


def answers(where: bytes | Path) -> bool:
    if isinstance(where, Path):
        directory = open_checked(bytes(where.parent), os.getuid())
        if directory is None:
            return False
        with directory:
            return answers(directory.place(os.fsencode(where.name)))
    try:
        dial(where, patience=1).close()
    except (ConnectionRefusedError, FileNotFoundError):
        return False
    return True


def die(listening: Listening) -> None:
    """Leave as a killed process does: the kernel closes, nothing is removed."""
    for listener in listening.listeners:
        listener.socket.close()
        if isinstance(listener.file, SocketFile):
            listener.file.directory.close()
    listening.listeners.clear()


def leave_a_dead_socket(address: Address) -> None:
    die(acquire(address))
    assert original_file(address).is_socket()


# What a server gets


def test_a_server_gets_the_abstract_name_and_the_watchman_socket(
    address: Address,
) -> None:
    with acquired(address) as listening:
        assert answers(address.abstract)
        assert answers(watchman_file(address))
        assert not original_file(address).exists()
        assert stat.S_IMODE(folder(address).stat().st_mode) == 0o700
        assert [each.language for each in listening.listeners] == list(Language)
        assert not any(each.socket.getblocking() for each in listening.listeners)


def test_where_only_the_directory_is_allowed_no_abstract_name_is_taken(
    in_directory: Address,
) -> None:
    with acquired(in_directory):
        assert answers(original_file(in_directory))
        assert answers(watchman_file(in_directory))
        assert not answers(in_directory.abstract)


def test_closing_frees_the_name_and_removes_the_directory(
    in_directory: Address,
) -> None:
    for address in (in_directory, in_directory._replace(transport=Transport.AUTO)):
        acquire(address).close()
        assert not answers(address.abstract)
        assert not folder(address).exists()


def test_closing_leaves_a_socket_that_another_server_put_there(
    in_directory: Address,
) -> None:
    with acquired(in_directory) as first:
        original_file(in_directory).unlink()
        watchman_file(in_directory).unlink()
        with acquired(in_directory) as second:
            first.close()
            assert answers(original_file(in_directory))
            assert second.of(Language.ORIGINAL)[0].is_reachable()


def test_the_runtime_directory_holds_the_watchman_socket(
    address: Address, tmp_path: Path
) -> None:
    with acquired(address._replace(runtime=bytes(tmp_path))):
        assert answers(tmp_path / "gamin" / os.fsdecode(address.watchman_file))
        assert not folder(address).exists()


# One server of a session


@pytest.mark.parametrize("transport", list(Transport))
def test_the_second_server_leaves_the_first_alone(
    transport: Transport, address: Address
) -> None:
    address = address._replace(transport=transport)
    with acquired(address) as first:
        files = {path: path.stat().st_ino for path in folder(address).iterdir()}
        with pytest.raises(AlreadyRunning) as reported:
            acquire(address)
        assert reported.value.pid == os.getpid()
        assert files == {path: path.stat().st_ino for path in folder(address).iterdir()}
        assert all(each.is_reachable() for each in first.listeners)
    with acquired(address):
        assert answers(watchman_file(address))


def contend(pipe: Connection, address: Address, together: BarrierType) -> None:
    """Acquire at the same moment as another process; report who won, then make room.

    A winner sometimes dies without a word, so that the next round starts from dead
    socket files.
    """
    for number in range(ROUNDS):
        together.wait()
        try:
            listening = acquire(address)
        except AlreadyRunning as lost:
            pipe.send(lost.pid)
            together.wait()
            continue
        pipe.send("won")
        together.wait()
        if number % 2:
            die(listening)
        else:
            listening.close()


@pytest.mark.parametrize("transport", [Transport.AUTO, Transport.DIRECTORY])
def test_of_two_servers_started_at_once_exactly_one_wins(
    transport: Transport, address: Address
) -> None:
    address = address._replace(transport=transport)
    together = Barrier(2, timeout=STUCK_SECONDS)
    with (
        beside(contend, address, together) as one,
        beside(contend, address, together) as other,
    ):
        outcomes = [{one.recv(), other.recv()} for _ in range(ROUNDS)]
    assert all("won" in outcome for outcome in outcomes)
    assert all(len(outcome) == 2 for outcome in outcomes)


# What stands in the way


def test_a_dead_servers_socket_is_replaced(in_directory: Address) -> None:
    leave_a_dead_socket(in_directory)
    with acquired(in_directory):
        assert answers(original_file(in_directory))
        assert answers(watchman_file(in_directory))


@pytest.mark.parametrize(
    "obstacle",
    [
        pytest.param(lambda path: path.write_text("x"), id="a file"),
        pytest.param(os.mkfifo, id="a pipe"),
        pytest.param(lambda path: path.symlink_to("/dev/null"), id="a link"),
        pytest.param(lambda path: path.mkdir(), id="an empty directory"),
    ],
)
def test_what_is_no_socket_is_replaced(
    obstacle: Callable[[Path], object], in_directory: Address
) -> None:
    folder(in_directory).mkdir(mode=0o700)
    obstacle(original_file(in_directory))
    obstacle(watchman_file(in_directory))
    with acquired(in_directory):
        assert answers(original_file(in_directory))
        assert answers(watchman_file(in_directory))


def squat(address: Address) -> None:
    """Make a directory of another user that may neither be used nor removed."""
    require_root()
    folder(address).mkdir(mode=0o700)
    (folder(address) / "kept").touch()
    os.chown(folder(address), NOBODY, NOBODY)


def test_an_unfit_directory_is_an_error_where_only_it_is_allowed(
    in_directory: Address,
) -> None:
    squat(in_directory)
    with pytest.raises(UnsafeSocketPath, match=f"uid {NOBODY}"):
        acquire(in_directory)


def test_an_unfit_directory_costs_the_watchman_socket_only(
    address: Address, caplog: pytest.LogCaptureFixture
) -> None:
    squat(address)
    with acquired(address) as listening:
        assert answers(address.abstract)
        assert listening.of(Language.WATCHMAN) == []
        listening.restore()
    (line,) = caplog.messages
    assert line.startswith("no watchman socket: cannot use ")


def hold(pipe: Connection, name: bytes, listens: bool = True) -> None:
    with socket.socket(socket.AF_UNIX) as holder:
        holder.bind(name)
        if listens:
            holder.listen()
        pipe.send("held")
        wait_for_end(pipe)


@contextmanager
def held_by_a_stranger(address: Address) -> Iterator[None]:
    require_root()
    with beside(hold, address.abstract, uid=NOBODY) as stranger:
        stranger.recv()
        yield


def test_a_name_held_by_another_user_sends_us_to_the_directory(
    address: Address, caplog: pytest.LogCaptureFixture
) -> None:
    with held_by_a_stranger(address), acquired(address):
        assert answers(original_file(address))
    (line,) = caplog.messages
    assert address.shown_abstract in line
    assert f"uid {NOBODY}" in line


def test_a_name_held_by_another_user_is_an_error_where_only_it_is_allowed(
    address: Address,
) -> None:
    only = address._replace(transport=Transport.ABSTRACT)
    with (
        held_by_a_stranger(address),
        pytest.raises(AddressInUse, match=f"uid {NOBODY}"),
    ):
        acquire(only)


def test_a_name_held_by_nobody_who_listens_sends_us_to_the_directory(
    address: Address, caplog: pytest.LogCaptureFixture
) -> None:
    with beside(hold, address.abstract, False) as other:
        other.recv()
        with acquired(address):
            assert answers(original_file(address))
    assert "does not listen" in caplog.text


def acquire_both_ways(pipe: Connection, address: Address) -> None:
    with acquired(address):
        pipe.send(answers(original_file(address)))
    with pytest.raises(UnsafeSocketPath) as reported:
        acquire(address._replace(user=b"squatted", transport=Transport.DIRECTORY))
    pipe.send(str(reported.value))


def test_an_ordinary_user_gets_by_without_any_privilege(session: str) -> None:
    require_root()
    with common_directory() as base:
        (base / "fam-squatted").mkdir(mode=0o700)
        settings = {"GAMIN_SOCKET_DIR": str(base), "GAMIN_SOCKET": "directory"}
        address = find(settings, NOBODY, session=session)
        with beside(acquire_both_ways, address, uid=NOBODY) as other:
            assert other.recv() is True
            assert "belongs to uid 0, not to" in other.recv()

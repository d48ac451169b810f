"""Who gets the addresses of a session, and what becomes of what stood in the way."""

import logging
import os
import select
import shutil
import socket
import stat
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier as BarrierType
from pathlib import Path
from tempfile import TemporaryDirectory

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
from testkit.waiting import eventually

ROUNDS = 500
RACES = 50
STUCK_SECONDS = 5.0  # a contender whose opponent broke down gives up


@pytest.fixture
def address(session: str, tmp_path: Path) -> Address:
    return find({"GAMIN_SOCKET_DIR": str(tmp_path)}, os.getuid(), session=session)


@pytest.fixture
def in_directory(address: Address) -> Address:
    return address._replace(transport=Transport.DIRECTORY)


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


# What is lost while we run


def test_when_all_is_well_there_is_nothing_to_restore(address: Address) -> None:
    with acquired(address) as listening:
        before = list(listening.listeners)
        assert listening.restore() == ([], [])
        assert listening.listeners == before


def test_a_deleted_socket_file_is_made_again(
    in_directory: Address, caplog: pytest.LogCaptureFixture
) -> None:
    with acquired(in_directory) as listening:
        shutil.rmtree(folder(in_directory))
        lost, new = listening.restore()
        assert [each.language for each in lost] == list(Language)
        assert [each.language for each in new] == list(Language)
        assert answers(original_file(in_directory))
        assert answers(watchman_file(in_directory))
    assert len(caplog.messages) == 2


def test_a_runtime_directory_that_goes_and_comes_is_followed(
    address: Address, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    with acquired(address._replace(runtime=bytes(runtime))) as listening:
        shutil.rmtree(runtime)
        listening.restore()
        assert answers(watchman_file(address))
        runtime.mkdir(mode=0o700)
        watchman_file(address).unlink()
        listening.restore()
        assert answers(runtime / "gamin" / os.fsdecode(address.watchman_file))


def test_an_abstract_name_that_becomes_free_is_taken_in_addition(
    address: Address,
) -> None:
    with held_by_a_stranger(address):
        listening = acquire(address)
    try:
        _, (new,) = listening.restore()
        assert new.language is Language.ORIGINAL
        assert answers(address.abstract)
        assert answers(original_file(address))
    finally:
        listening.close()


def test_a_server_whose_address_another_one_took_meanwhile_is_superseded(
    in_directory: Address,
) -> None:
    with acquired(in_directory) as listening:
        shutil.rmtree(folder(in_directory))
        with acquired(in_directory):
            listening.restore()
            assert listening.superseded_by is not None
            assert listening.superseded_by.pid == os.getpid()


def test_a_process_that_keeps_the_lock_does_not_make_a_running_server_wait(
    address: Address, caplog: pytest.LogCaptureFixture
) -> None:
    with acquired(address) as listening:
        watchman_file(address).unlink()
        opened = open_checked(address.directory, address.uid)
        assert opened is not None
        with opened, opened.locked(0):
            listening.restore()
            assert not listening.of(Language.WATCHMAN)
            assert answers(address.abstract)
        listening.restore()
        assert answers(watchman_file(address))


# Sockets that a service manager passes on


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
    short: Address, passed: socket.socket
) -> None:
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


@pytest.fixture
def open_to_all(address: Address, tmp_path: Path) -> Address:
    """Its only public place is one where others take names too."""
    return address._replace(state=bytes(tmp_path / "home/.local/state/gamin/run"))


def plant(address: Address) -> None:
    """Another user takes our directory, and puts something in it, as in /tmp."""
    require_root()
    folder(address).mkdir(exist_ok=True)
    (folder(address) / "planted").touch()
    os.chown(folder(address), NOBODY, NOBODY)


def watchman_place(listening: Listening) -> Path:
    (listener,) = listening.of(Language.WATCHMAN)
    assert isinstance(listener.file, SocketFile)
    return Path(os.fsdecode(listener.file.path))


def test_where_others_have_our_directory_watchmans_language_is_spoken_at_home(
    open_to_all: Address,
) -> None:
    plant(open_to_all)
    with acquired(open_to_all) as listening:
        place = watchman_place(listening)
        assert place.parent == Path(os.fsdecode(open_to_all.state or b""))
        assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
        assert answers(place)
        with pytest.raises(AlreadyRunning):
            acquire(open_to_all)
    assert not place.exists()


def test_others_who_have_all_names_of_the_original_language_leave_the_other_one(
    open_to_all: Address,
) -> None:
    plant(open_to_all)
    with held_by_a_stranger(open_to_all):
        with acquired(open_to_all) as listening:
            assert not listening.of(Language.ORIGINAL)
            assert answers(watchman_place(listening))
            with pytest.raises(AlreadyRunning):
                acquire(open_to_all)
        with pytest.raises(UnsafeSocketPath):
            acquire(open_to_all._replace(state=None))


def test_a_server_at_home_is_found_when_the_others_have_gone(
    open_to_all: Address,
) -> None:
    plant(open_to_all)
    with held_by_a_stranger(open_to_all):
        first = acquire(open_to_all)
    with closing(first):
        shutil.rmtree(folder(open_to_all))
        # The first one takes the free name as soon as it is called.
        called = threading.Thread(target=restore_when_called, args=[first])
        called.start()
        with pytest.raises(AlreadyRunning):
            acquire(open_to_all)
        called.join()


def restore_when_called(listening: Listening) -> None:
    (watchman,) = listening.of(Language.WATCHMAN)
    while not any(each.file is None for each in listening.listeners):
        if not select.select([watchman.socket], [], [], STUCK_SECONDS)[0]:
            return
        watchman.socket.accept()[0].close()
        listening.restore()


ATTACK = "while :; do mkdir $0 && touch $0/planted; rm -f $0/planted; rmdir $0; done"


def test_who_races_for_our_directory_keeps_no_server_from_its_sockets(
    address: Address, tmp_path: Path
) -> None:
    """The attacker takes the name whenever it is free; of all starts none fails."""
    require_root()
    with common_directory() as base:
        raced = address._replace(base=bytes(base), state=bytes(tmp_path / "run"))
        with subprocess.Popen(
            ["sh", "-c", ATTACK, raced.directory],
            user=NOBODY,
            group=NOBODY,
            extra_groups=[],
            stderr=subprocess.DEVNULL,
        ) as attacker:
            try:
                eventually(lambda: folder(raced).exists(), what="the attack")
                for _ in range(RACES):
                    with acquired(raced) as listening:
                        place = watchman_place(listening)
                        assert place.parent.stat().st_uid == os.getuid()
                        assert answers(place)
            finally:
                attacker.kill()


def test_a_stopped_server_with_a_full_backlog_stays_the_only_one(
    address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gamin.daemon.io.listener._BACKLOG", 0)
    with acquired(address), dial(address.abstract, 5):
        with pytest.raises(AlreadyRunning) as raised:
            acquire(address)
        assert raised.value.pid == os.getpid()

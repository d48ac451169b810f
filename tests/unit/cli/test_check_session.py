"""What `gamin doctor` finds at the addresses of a session."""

import os
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gamin import __version__
from gamin.cli import check_session
from gamin.cli.check_session import ServerProcess
from gamin.cli.finding import Finding, Level
from gamin.cli.status import Report, read
from gamin.system.address import Address, find


@pytest.fixture
def address(session: str, tmp_path: Path) -> Address:
    return find({"GAMIN_SOCKET_DIR": str(tmp_path)}, os.getuid(), session=session)


@pytest.fixture
def folder(address: Address) -> Path:
    """The directory of the sockets, as a server makes it."""
    path = Path(os.fsdecode(address.directory))
    path.mkdir(mode=0o700)
    return path


@pytest.fixture
def listening(folder: Path, address: Address) -> Iterator[socket.socket]:
    """Somebody listens at the Watchman socket."""
    directory = os.open(folder, os.O_PATH | os.O_CLOEXEC)
    with closing(socket.socket(socket.AF_UNIX)) as sock:
        # Through the descriptor, because the path of a socket has 107 bytes at most.
        sock.bind(b"/proc/self/fd/%d/" % directory + address.watchman_file)
        os.close(directory)
        sock.listen()
        yield sock


def found(address: Address) -> list[Finding]:
    """Everything but what is in order."""
    findings = check_session.check_addresses(address)
    return [finding for finding in findings if finding.level is not Level.OK]


def test_addresses_that_nobody_uses_are_in_order(address: Address) -> None:
    findings = list(check_session.check_addresses(address))
    assert [(each.level, each.what) for each in findings] == [(Level.OK, "free")]


@pytest.mark.usefixtures("listening")
def test_a_socket_where_somebody_listens_is_in_order(address: Address) -> None:
    assert found(address) == []


def test_a_socket_that_a_server_left_behind_is_noted(
    address: Address, listening: socket.socket
) -> None:
    listening.close()
    (finding,) = found(address)
    assert finding.level is Level.NOTE
    assert "nobody listens" in finding.what


def test_a_file_in_place_of_a_socket_is_noted_and_stays(
    address: Address, folder: Path
) -> None:
    file = folder / os.fsdecode(address.watchman_file)
    file.touch()
    assert [finding.level for finding in found(address)] == [Level.NOTE]
    assert file.exists()


def test_many_dead_sockets_of_other_sessions_are_one_note(
    address: Address, folder: Path
) -> None:
    for number in range(30):
        with closing(socket.socket(socket.AF_UNIX)) as sock:
            sock.bind(f"{folder}/modern-{number:02}.sock")
    (folder / "unrelated").touch()
    (finding,) = found(address)
    assert finding.what == "30 sockets of other sessions have no server"
    assert finding.remedy.count("modern-") == check_session.MAX_LISTED


@pytest.mark.parametrize("mode", [0o755, 0o770])
def test_a_directory_that_others_may_enter_is_a_problem(
    mode: int, address: Address, folder: Path
) -> None:
    folder.chmod(mode)
    (finding,) = found(address)
    assert finding.what == f"its mode is {mode:04o}, not 0700"
    assert finding.remedy == f"chmod 0700 {folder}"


def test_a_file_in_place_of_the_directory_is_a_problem(address: Address) -> None:
    Path(os.fsdecode(address.directory)).touch()
    (finding,) = found(address)
    assert finding.what == "it is not a directory"


def test_two_servers_of_one_session_are_a_problem() -> None:
    servers = [
        ServerProcess(pid, session, is_original=False)
        for pid, session in ((1, b"a"), (2, b"b"), (3, b"a"))
    ]
    (finding,) = check_session.check_single(servers, b"a")
    assert "processes 1, 3" in finding.what
    assert finding.remedy == "kill 3"
    assert list(check_session.check_single(servers, b"b")) == []


def test_a_server_of_another_version_is_a_problem(address: Address) -> None:
    finding = check_session.check_server(report("0.0.1"), "", address)
    assert finding.level is Level.PROBLEM
    assert f"but {__version__} is installed" in finding.what
    same = check_session.check_server(report(), "", address)
    assert same.level is Level.OK


def test_no_server_is_in_order_unless_something_answers_wrongly(
    address: Address,
) -> None:
    assert check_session.check_server(None, "", address).level is Level.OK
    broken = check_session.check_server(None, "it is mute", address)
    assert (broken.level, broken.what) == (Level.PROBLEM, "it is mute")


def test_a_server_that_sees_everything_has_no_findings() -> None:
    assert list(check_session.check_coverage(report())) == []


def test_what_a_server_cannot_watch_is_found() -> None:
    findings = check_session.check_coverage(report(no_room=5, unreadable=2, lost=1))
    assert [(each.level, each.what.split()[0]) for each in findings] == [
        (Level.PROBLEM, "5"),
        (Level.NOTE, "2"),
        (Level.NOTE, "the"),
    ]


def report(
    version: str = __version__, no_room: int = 0, unreadable: int = 0, lost: int = 0
) -> Report:
    watches = {"kernel": 1, "polled": 0, "busy": 0, "missing": 0}
    return read(
        {
            "version": version,
            "pid": 7,
            "uptime": 1.0,
            "session": "",
            "addresses": [],
            "clock": 1,
            "clients": [],
            "watches": {**watches, "no_room": no_room, "unreadable": unreadable},
            "limits": {"max_user_watches": 100, "max_user_instances": 10},
            "facilities": {},
            "recoveries": {"overflows": lost, "rescans": lost},
        }
    )

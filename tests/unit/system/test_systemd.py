"""The sockets that a service manager passes on, and the reports it wants."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gamin.system import systemd


@pytest.mark.parametrize(
    ("environ", "count"),
    [
        ({}, 0),
        ({"LISTEN_PID": "7", "LISTEN_FDS": "2"}, 2),
        ({"LISTEN_PID": "8", "LISTEN_FDS": "2"}, 0),
        ({"LISTEN_PID": "7"}, 0),
        ({"LISTEN_PID": "7", "LISTEN_FDS": "-1"}, 0),
        ({"LISTEN_PID": "7", "LISTEN_FDS": "two"}, 0),
        ({"LISTEN_PID": "7", "LISTEN_FDS": "\u00b2"}, 0),
    ],
)
def test_only_sockets_meant_for_this_process_count(
    environ: dict[str, str], count: int
) -> None:
    assert systemd.descriptor_count(environ, 7) == count


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "60000000"}, 30.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "7"}, 30.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "8"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_a_sign_of_life_is_due_twice_in_the_time_that_is_allowed(
    environ: dict[str, str], seconds: float | None
) -> None:
    assert systemd.watchdog_seconds(environ, 7) == seconds


@contextmanager
def manager(place: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(place)
        listening.settimeout(5)
        yield listening


@pytest.mark.parametrize("is_abstract", [False, True])
def test_the_states_of_a_server_are_reported(
    is_abstract: bool, session: str, tmp_path: Path
) -> None:
    name = f"@{session}" if is_abstract else str(tmp_path / "notify")
    with manager("\0" + name[1:] if is_abstract else name) as listening:
        notifier = systemd.Notifier({"NOTIFY_SOCKET": name})
        notifier.ready()
        notifier.alive()
        notifier.stopping()
        heard = [listening.recv(100) for _ in range(3)]
    assert heard == [b"READY=1", b"WATCHDOG=1", b"STOPPING=1"]


TAKE_SOCKETS = """
import os, sys
descriptors = [int(word) for word in sys.argv[1:]]
spare = [os.dup(each) for each in descriptors]
for number, each in enumerate(spare, systemd.FIRST_DESCRIPTOR):
    os.dup2(each, number)
count = len(descriptors)
environ = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(count)}
for each, _ in systemd.passed_sockets(environ, os.getpid()):
    print(each.getsockname(), each.getblocking(), os.get_inheritable(each.fileno()))
print([os.path.exists(f"/proc/self/fd/{3 + number}") for number in range(count)])
"""


def test_only_listening_unix_sockets_are_taken_and_the_rest_is_closed(
    tmp_path: Path,
) -> None:
    with (
        (tmp_path / "file").open("w") as file,
        socket.socket(socket.AF_UNIX) as listening,
        socket.socket(socket.AF_UNIX) as silent,
        socket.create_server(("127.0.0.1", 0)) as internet,
    ):
        listening.bind(str(tmp_path / "socket"))
        listening.listen()
        given = [each.fileno() for each in (file, silent, listening, internet)]
        program = "from gamin.system import systemd" + TAKE_SOCKETS
        done = subprocess.run(
            [sys.executable, "-c", program, *map(str, given)],
            pass_fds=given,
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.stdout.splitlines(), done.stderr) == (
        [f"{tmp_path / 'socket'} False False", "[False, False, True, False]"],
        "",
    )


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (None, ["", ""]),
        ("", ["", ""]),
        ("a", ["a", ""]),
        ("a:b", ["a", "b"]),
        ("a::c", ["a", ""]),
    ],
)
def test_each_descriptor_has_the_name_that_the_manager_gave_it(
    names: str | None, found: list[str]
) -> None:
    environ = {"LISTEN_PID": "7", "LISTEN_FDS": "2"}
    if names is not None:
        environ["LISTEN_FDNAMES"] = names
    assert systemd.descriptor_names(environ, 7) == found
    assert systemd.descriptor_names(environ, 8) == []


PASS_ON = """
import fcntl, os, subprocess, sys
from gamin.system import systemd
mine = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"}
environ = dict(os.environ) | mine
lock = os.open(sys.argv[1], os.O_RDWR)
fcntl.flock(lock, fcntl.LOCK_EX)
environ |= systemd.pass_on([("other", int(sys.argv[2])), ("lock", lock)], environ)
os.execve(sys.executable, [sys.executable, "-c", sys.argv[3], sys.argv[1]], environ)
"""
SHOW_PASSED = """
import fcntl, os, sys
from gamin.system import systemd
for each, name in systemd.passed_sockets(os.environ, os.getpid()):
    print(each.fileno(), name, each.getsockname())
print(os.get_inheritable(5))
with open(sys.argv[1]) as file:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("locked")
"""


def test_a_program_passes_on_what_it_was_passed_and_more(
    tmp_path: Path, session: str
) -> None:
    (tmp_path / "file").touch()
    names = [f"\0{session}-{number}".encode() for number in range(2)]
    with (
        socket.socket(socket.AF_UNIX) as first,
        socket.socket(socket.AF_UNIX) as second,
    ):
        for each, name in zip((first, second), names, strict=True):
            each.bind(name)
            each.listen()
        words = [str(tmp_path / "file"), str(second.fileno()), SHOW_PASSED]
        move = f"import os; os.dup2({first.fileno()}, 3)"
        done = subprocess.run(
            [sys.executable, "-c", move + PASS_ON, *words],
            pass_fds=[first.fileno(), second.fileno()],
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.stdout.splitlines(), done.stderr) == (
        [
            f"3  {names[0]!r}",
            f"4 other {names[1]!r}",
            "False",
            "locked",
        ],
        "",
    )


@pytest.mark.parametrize(
    "place", ["", "relative", "/nowhere/at/all", "@nobody-listens"]
)
def test_a_report_that_nobody_receives_is_dropped(place: str) -> None:
    systemd.Notifier({"NOTIFY_SOCKET": place}).ready()

"""`gamin watch` with a real server, as a process that a shell would see."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from testkit.programs import COMMAND, gamin, outcome
from testkit.servers import OUR_SERVER, Server, running_server

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    home = tmp_path / "home"
    home.mkdir()
    with running_server([str(OUR_SERVER)], home=str(home)) as server:
        yield server


@pytest.fixture
def box(tmp_path: Path) -> Path:
    """A directory to watch."""
    path = tmp_path / "box"
    path.mkdir()
    return path


@pytest.fixture
def start(server: Server, box: Path) -> Iterator[Start]:
    """Starts `gamin watch` in `box`; returns once it has printed that it watches."""
    ending = ExitStack()

    def start(*words: str, stdout: int = subprocess.PIPE) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            [*COMMAND, "watch", *words],
            cwd=box,
            env={**os.environ, "GAM_CLIENT_ID": server.session},
            stdout=stdout,
            stderr=subprocess.PIPE,
        )
        ending.enter_context(process)
        ending.callback(process.kill)
        assert process.stderr is not None
        assert process.stderr.readline().startswith(b"Watching ")
        return process

    with ending:
        yield start


def test_a_change_after_the_watching_line_is_printed(start: Start, box: Path) -> None:
    process = start("--once", ".")
    (box / "a").mkdir()
    assert process.communicate() == (f"created\t{box}/a\n".encode(), b"")
    assert process.returncode == 0


def test_null_output_prints_any_name_byte_for_byte(start: Start, box: Path) -> None:
    process = start("--once", "-0", ".")
    name = bytes(box) + b"/new\nline\t\x1b\xff"
    os.mkdir(name)
    assert process.communicate() == (b"created\t" + name + b"\0", b"")


def test_since_reports_what_happened_after_the_clock(
    start: Start, box: Path, server: Server
) -> None:
    process = start("--once", "--json", ".")
    (box / "a").mkdir()
    [first] = process.communicate()[0].splitlines()
    clock = json.loads(first)["clock"]

    (box / "b").mkdir()

    words = ("watch", "--once", "--since", clock, "-q", str(box))
    done = gamin(*words, session=server.session)
    assert (*outcome(done), done.stdout) == (0, [], f"created\t{box}/b\n")


def test_recursive_reports_all_below_but_what_git_ignores(
    start: Start, box: Path
) -> None:
    (box / ".git").mkdir()
    (box / ".gitignore").write_text("*.o\n")
    (box / "deep/er").mkdir(parents=True)
    process = start("--once", "-r", ".")
    (box / "deep/er/x.o").mkdir()
    (box / "deep/er/x.c").mkdir()
    assert process.communicate()[0] == f"created\t{box}/deep/er/x.c\n".encode()


def test_an_interrupt_ends_it_with_status_0(start: Start) -> None:
    process = start(".")
    process.send_signal(signal.SIGINT)
    assert process.communicate() == (b"", b"")
    assert process.returncode == 0


def test_no_change_within_the_timeout_is_status_2(start: Start) -> None:
    process = start("-t", "0.05", "-r", ".")
    assert process.communicate() == (b"", b"")
    assert process.returncode == 2


def test_a_closed_pipe_is_no_error(start: Start, box: Path) -> None:
    reader, writer = os.pipe()
    process = start(".", stdout=writer)
    os.close(writer)
    os.close(reader)
    (box / "a").mkdir()
    assert process.communicate()[1] == b""
    assert process.returncode == 0


def test_a_missing_path_is_reported_when_it_is_created(start: Start, box: Path) -> None:
    process = start("--once", "later")
    (box / "later").mkdir()
    assert process.communicate()[0] == f"created\t{box}/later\n".encode()


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["--since", "c:1:2:3:4,c:1:2:3:4", "/"], id="too many clocks"),
        pytest.param(["--since", "yesterday", "/"], id="no clock"),
    ],
)
def test_a_refused_clock_is_one_line_on_stderr(
    words: list[str], server: Server
) -> None:
    status, [line] = outcome(gamin("watch", "-q", *words, session=server.session))
    assert status == 1
    assert line.startswith("gamin: ")

"""Programs that the server starts."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from gamin.daemon.io import child
from gamin.daemon.io.child import Program, Redirection
from gamin.daemon.io.loop import Loop


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


def run(loop: Loop, program: Program) -> int:
    """The exit status of the program."""
    statuses: list[int] = []
    child.start(program, loop, statuses.append)
    while not statuses:
        loop.run_once(10)
    return statuses[0]


def shell(text: bytes, folder: Path, stdin: bytes | None = None) -> Program:
    output = [Redirection(1, b"out", False), Redirection(2, b"log", True)]
    command = [b"/bin/sh", b"-c", text]
    return Program(command, bytes(folder), {"GIVEN": b"it's"}, stdin, output)


def test_a_program_has_its_directory_input_output_and_environment(
    loop: Loop, tmp_path: Path
) -> None:
    text = b'cat; echo "$GIVEN"; pwd; umask; echo oops >&2'
    assert run(loop, shell(text, tmp_path, b"read\n")) == 0
    assert (tmp_path / "out").read_text() == f"read\nit's\n{tmp_path}\n0022\n"
    run(loop, shell(b"echo again >&2", tmp_path))
    assert (tmp_path / "out").read_bytes() == b""
    assert (tmp_path / "log").read_text() == "oops\nagain\n"


def test_an_exit_status_and_a_signal_are_reported(loop: Loop, tmp_path: Path) -> None:
    assert run(loop, shell(b"exit 7", tmp_path)) == 7
    assert run(loop, shell(b"kill -9 $$", tmp_path)) == -signal.SIGKILL


def test_a_directory_that_is_not_there_fails_in_the_child(
    loop: Loop, tmp_path: Path
) -> None:
    assert run(loop, shell(b"true", tmp_path / "missing")) != 0


def test_no_word_of_the_command_is_read_by_the_shell(
    loop: Loop, tmp_path: Path
) -> None:
    odd = tmp_path / "a $(touch made) 'b"
    odd.mkdir()
    words = [b"/bin/echo", b"$(touch made)", b"; touch made", b"x\ny", b"\xff"]
    output = [Redirection(1, b"o $(touch made)", False)]
    assert run(loop, Program(words, bytes(odd), {}, None, output)) == 0
    assert os.listdir(odd) == ["o $(touch made)"]
    written = (odd / "o $(touch made)").read_bytes()
    assert written == b" ".join(words[1:]) + b"\n"


def test_a_program_inherits_no_descriptor_and_is_a_session_of_its_own(
    loop: Loop, tmp_path: Path
) -> None:
    text = b"readlink /proc/self/fd/*; cut -d' ' -f6 /proc/$$/stat"
    with (tmp_path / "kept").open("w"):
        run(loop, shell(text, tmp_path))
    *places, session = (tmp_path / "out").read_text().splitlines()
    assert str(tmp_path / "out") in places
    assert str(tmp_path / "kept") not in places
    assert not [place for place in places if "epoll" in place]
    assert int(session) != os.getsid(0)


def test_a_program_whose_input_nobody_gave_reads_its_end(
    loop: Loop, tmp_path: Path
) -> None:
    assert run(loop, shell(b"wc -c", tmp_path)) == 0
    assert (tmp_path / "out").read_text() == "0\n"

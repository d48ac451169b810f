"""A started server inherits its session, and nothing else of its starter."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gamin.client.launch import ServerNotExecutable, launch, server_command
from gamin.daemon.process import start
from testkit.processes import end
from testkit.server_state import descriptors
from testkit.waiting import eventually

SCRIPT = """#!/bin/sh
echo "$$ $GAM_CLIENT_ID $*" >"$REPORT.new"
mv "$REPORT.new" "$REPORT"
exec sleep 60
"""


@contextmanager
def launched(folder: Path, *arguments: str) -> Iterator[tuple[int, str]]:
    """A process that prints its pid, then its session and arguments, and stays."""
    program = folder / "program"
    program.write_text(SCRIPT)
    program.chmod(0o755)
    report = folder / "report"
    environ = {"PATH": os.environ["PATH"], "REPORT": str(report)}
    launch([str(program), *arguments], b"desk", environ)
    eventually(report.exists, what="the report of the launched process")
    pid, _, rest = report.read_text().partition(" ")
    try:
        yield int(pid), rest.strip()
    finally:
        end(int(pid))


def test_a_launched_server_gets_its_session_and_arguments(tmp_path: Path) -> None:
    with launched(tmp_path, "--notimeout") as (_, rest):
        assert rest == "desk --notimeout"


def test_a_launched_server_has_its_own_session_and_is_no_child(tmp_path: Path) -> None:
    with launched(tmp_path) as (pid, _):
        assert os.getsid(pid) not in (os.getsid(0), pid)
        with pytest.raises(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def test_a_launched_server_inherits_no_descriptor(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    try:
        with launched(tmp_path) as (pid, _):
            # A shell has its script open, and a program that starts its libraries.
            eventually(lambda: descriptors(pid) == dict.fromkeys(range(3), os.devnull))
    finally:
        os.close(reading)
        os.close(writing)


def test_a_program_that_cannot_be_run_is_named(tmp_path: Path) -> None:
    (tmp_path / "text").touch()
    for program in (str(tmp_path / "text"), str(tmp_path / "missing"), ""):
        with pytest.raises(ServerNotExecutable) as reported:
            launch([program], b"", {})
        assert reported.value.program == program
        assert "GAMIN_DEBUG_SERVER" not in str(reported.value)


def test_a_chosen_program_that_cannot_be_run_is_known_as_such() -> None:
    with pytest.raises(ServerNotExecutable, match="check GAMIN_DEBUG_SERVER"):
        launch(["/no/server"], b"", {"GAMIN_DEBUG_SERVER": "/no/server"})


def test_the_server_program_is_not_searched_in_the_current_directory() -> None:
    program, option, script = server_command({})
    assert program == sys.executable
    assert option == "-I"
    assert script == start.__file__


def test_the_setting_of_libgamin_chooses_another_server() -> None:
    assert server_command({"GAMIN_DEBUG_SERVER": "/x y"}) == ("/x y",)

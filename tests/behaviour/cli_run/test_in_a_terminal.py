"""`gamin run` with a real server, real commands and a real terminal."""

import os
import shlex
import signal
from pathlib import Path

import pytest

from gamin.system.process_table import group_members
from testkit.programs import COMMAND
from testkit.waiting import eventually
from tests.behaviour.cli_run.helpers import (
    Type,
    is_alive,
    lines,
    logging,
    pids_in,
)


def test_the_command_reads_keys(terminal: Type) -> None:
    words = ["run", "--once", ".", "--", "sh", "-c", 'read -r x; echo "got <$x>"']
    program = terminal(*COMMAND, *words)
    program.await_text(b"Watching ")
    program.type(b"hello\n")
    program.await_text(b"got <hello>")
    assert program.wait() == 0


def test_the_command_is_in_the_foreground_while_it_runs(
    terminal: Type, log: Path
) -> None:
    command = logging(log, "while :; do sleep 0.1; done")
    program = terminal(*COMMAND, "run", ".", "--", *command)
    [pid] = pids_in(log, 1)
    assert program.foreground() == os.getpgid(pid)


@pytest.mark.parametrize(
    ("trap", "then"),
    [
        pytest.param("", "sleep 1000", id="one that dies of it"),
        pytest.param("trap '' INT", "sleep 1000", id="one that ignores it"),
        pytest.param(
            "trap 'exit 0' INT", "while :; do sleep 0.1; done", id="a graceful one"
        ),
        pytest.param("", "sleep 1000 & sleep 1000 & wait", id="one with children"),
    ],
)
def test_ctrl_c_ends_the_command_and_gamin(
    terminal: Type, log: Path, trap: str, then: str
) -> None:
    command = logging(log, then)
    command[2] = f"{trap}\n{command[2]}"
    words = ["run", "--stop-timeout", "0.2", ".", "--"]
    program = terminal(*COMMAND, *words, *command)
    [pid] = pids_in(log, 1)
    group = os.getpgid(pid)
    program.type(b"\x03")
    assert program.wait() == 130
    assert group_members(group) == []


def test_a_command_that_survives_ctrl_c_gets_the_stop_signal(
    terminal: Type, log: Path
) -> None:
    trap = f"trap '' INT; trap 'echo stopped >> {log}; exit' TERM\n"
    command = logging(log, "while :; do sleep 0.1; done")
    command[2] = trap + command[2]
    program = terminal(*COMMAND, "run", "--stop-timeout", "60", ".", "--", *command)
    lines(log, 1)
    program.type(b"\x03")
    assert program.wait() == 130
    assert lines(log, 2)[1] == "stopped"


def test_the_second_ctrl_c_kills_the_command(terminal: Type, log: Path) -> None:
    command = logging(log, "while :; do sleep 0.1; done")
    command[2] = f"trap '' INT TERM\n{command[2]}"
    program = terminal(*COMMAND, "run", "--stop-timeout", "60", ".", "--", *command)
    [pid] = pids_in(log, 1)
    program.type(b"\x03")
    eventually(lambda: program.foreground() == program.process.pid)
    program.type(b"\x03")
    assert program.wait() == 130
    assert not is_alive(pid)


def test_ctrl_c_between_runs_ends_gamin(terminal: Type, log: Path) -> None:
    program = terminal(*COMMAND, "run", ".", "--", *logging(log, "echo do''ne"))
    program.await_text(b"done")
    eventually(lambda: program.foreground() == program.process.pid)
    program.type(b"\x03")
    assert program.wait() == 130


def test_the_terminal_gets_its_modes_back(terminal: Type) -> None:
    script = "stty -echo; kill -KILL $$"
    program = terminal(*COMMAND, "run", ".", "--", "sh", "-c", script)
    program.await_text(b"ended by SIGKILL")
    program.type(b"echoed")
    program.await_text(b"echoed")


def test_closing_the_terminal_ends_the_command(terminal: Type, log: Path) -> None:
    command = logging(log, "sleep 1000 & while :; do sleep 0.1; done")
    command[2] = f"trap '' HUP\n{command[2]}"
    words = ["run", "--stop-timeout", "0.2", ".", "--"]
    program = terminal(*COMMAND, *words, *command)
    [pid] = pids_in(log, 1)
    group = os.getpgid(pid)
    program.hang_up()
    assert program.process.wait(30) == 128 + signal.SIGHUP
    assert group_members(group) == []


def test_clear_clears_the_terminal_before_a_run(terminal: Type) -> None:
    program = terminal(*COMMAND, "run", "--once", "--clear", ".", "--", "echo", "shown")
    assert b"\x1b[2J" in program.await_text(b"shown")


def test_ctrl_z_suspends_both_and_fg_resumes_them(terminal: Type) -> None:
    shell = terminal("bash", "--norc", "-i")
    command = ["run", ".", "--", "sh", "-c", 'echo re""ady; read -r x; echo "got <$x>"']
    shell.type(shlex.join([*COMMAND, *command]).encode() + b"\n")
    shell.await_text(b"ready")
    shell.type(b"\x1a")
    shell.await_text(b"Stopped")
    shell.type(b"fg\n")
    shell.await_text(b"fg")
    shell.type(b"hello\n")
    shell.await_text(b"got <hello>")
    shell.type(b"\x03")
    shell.type(b"exit\n")
    shell.wait()

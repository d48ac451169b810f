"""`gamin run` with a real server, real commands and a real terminal."""

import os
import re
import shlex
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from gamin.cli.loop_guard import MAX_RUNS
from gamin.system.process_table import group_members
from testkit.programs import COMMAND, gamin
from testkit.servers import OUR_SERVER, Server, running_server
from testkit.terminal import TerminalProgram, in_terminal
from testkit.waiting import eventually

Start = Callable[..., "subprocess.Popen[bytes]"]
Type = Callable[..., TerminalProgram]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = str(tmp_path_factory.mktemp("home"))
    with running_server([str(OUR_SERVER), "--notimeout"], home=home) as server:
        yield server


@pytest.fixture
def box(tmp_path: Path) -> Path:
    """A directory to watch."""
    path = tmp_path / "box"
    path.mkdir()
    return path


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A file outside the watched directory, for the commands to write to."""
    path = tmp_path / "log"
    path.touch()
    return path


@pytest.fixture
def env(server: Server) -> dict[str, str]:
    return {**os.environ, "GAM_CLIENT_ID": server.session}


@pytest.fixture
def start(server: Server, box: Path) -> Iterator[Start]:
    """Starts `gamin run` in `box`; it watches when this returns."""
    ending = ExitStack()

    def start(*words: str, session: str = "") -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            [*COMMAND, "run", *words],
            cwd=box,
            env={**os.environ, "GAM_CLIENT_ID": session or server.session},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        ending.enter_context(process)
        ending.callback(process.kill)
        assert process.stderr is not None
        assert process.stderr.readline().startswith(b"Watching ")
        return process

    with ending:
        yield start


@pytest.fixture
def terminal(env: dict[str, str], box: Path) -> Iterator[Type]:
    """Starts a program in `box` in a terminal of its own."""
    with ExitStack() as ending:
        yield lambda *words: ending.enter_context(in_terminal(words, env=env, cwd=box))


def logging(log: Path, then: str = "") -> list[str]:
    """A command that writes a line with its process and its arguments to `log`."""
    text = f'echo "$$ $*" >> {shlex.quote(str(log))}; {then}'
    return ["sh", "-c", text, "sh"]


def lines(log: Path, count: int) -> list[str]:
    """The lines of `log` once there are `count`; it must not have more."""
    eventually(
        lambda: log.exists() and log.read_text().count("\n") >= count,
        what=f"{count} lines in {log}",
    )
    found = log.read_text().splitlines()
    assert len(found) == count
    return found


def pids_in(log: Path, count: int) -> list[int]:
    return [int(line.split()[0]) for line in lines(log, count)]


def is_alive(pid: int) -> bool:
    """Whether a process still runs; a zombie does not."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] not in b"ZX"
    except OSError:
        return False


def children_of(pid: int) -> list[int]:
    with open(f"/proc/{pid}/task/{pid}/children", "rb") as file:
        return [int(child) for child in file.read().split()]


def test_the_command_runs_at_the_start_and_after_each_change(
    start: Start, box: Path, log: Path
) -> None:
    start(".", "--", *logging(log), "{}")
    assert lines(log, 1)[0].endswith(f" {box}")
    (box / "a").mkdir()
    assert lines(log, 2)[1].endswith(f" {box}/a")


def test_postpone_waits_for_the_first_change(
    start: Start, box: Path, log: Path
) -> None:
    start("--postpone", ".", "--", *logging(log), "{}")
    (box / "a").mkdir()
    assert lines(log, 1)[0].endswith(f" {box}/a")


def test_changes_during_a_run_cause_one_more_run(
    start: Start, box: Path, log: Path, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    process = start(".", "--", *logging(log, f"read -r _ < {gate}"))
    lines(log, 1)
    for name in "abcde":
        (box / name).mkdir()
    gate.write_text("go\n")  # returns when the first run reads
    lines(log, 2)
    assert process.poll() is None


def test_restart_stops_the_whole_process_group(
    start: Start, box: Path, log: Path, tmp_path: Path
) -> None:
    grandchild = tmp_path / "grandchild"
    then = f"sleep 1000 & echo $! >> {grandchild}; wait"
    start("--restart", ".", "--", *logging(log, then))
    [first] = pids_in(log, 1)
    [below] = pids_in(grandchild, 1)
    (box / "a").mkdir()
    lines(log, 2)
    assert not is_alive(first)
    assert not is_alive(below)


def test_a_command_that_ignores_the_stop_signal_is_killed(
    start: Start, box: Path, log: Path
) -> None:
    stubborn = logging(log, "sleep 1000")
    stubborn[2] = "trap '' TERM; " + stubborn[2]
    start("--restart", "--stop-timeout", "0.1", ".", "--", *stubborn)
    [first] = pids_in(log, 1)
    (box / "a").mkdir()
    pids_in(log, 2)
    assert not is_alive(first)


def test_the_chosen_signal_stops_the_command(
    start: Start, box: Path, log: Path
) -> None:
    command = logging(log, "while :; do sleep 0.01; done")
    command[2] = f"trap 'echo usr1 >> {log}; exit' USR1; " + command[2]
    start("--restart", "--signal", "usr1", ".", "--", *command)
    lines(log, 1)
    (box / "a").mkdir()
    assert lines(log, 3)[1] == "usr1"


def test_interrupt_as_stop_signal_restarts_any_number_of_times(
    start: Start, box: Path, log: Path
) -> None:
    start("--restart", "--signal", "INT", ".", "--", *logging(log, "exec sleep 1000"))
    for run in range(1, 5):
        lines(log, run)
        (box / f"{run}").mkdir()
    lines(log, 5)


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)]
)
def test_a_signal_ends_the_command_and_gamin(
    number: int, status: int, start: Start, log: Path
) -> None:
    process = start(".", "--", *logging(log, "sleep 1000 & wait"))
    [command] = pids_in(log, 1)
    group = os.getpgid(command)
    process.send_signal(number)
    assert process.wait(30) == status
    assert group_members(group) == []


def test_the_command_ends_even_if_gamin_is_killed(start: Start, log: Path) -> None:
    process = start(
        "--stop-timeout", "0.1", ".", "--", *logging(log, "sleep 1000 & wait")
    )
    [command] = pids_in(log, 1)
    group = os.getpgid(command)
    process.kill()
    eventually(lambda: group_members(group) == [], what="the end of the command")


def test_runs_go_on_after_the_server_was_killed(
    start: Start, box: Path, log: Path, tmp_path: Path
) -> None:
    with running_server([str(OUR_SERVER)], home=str(tmp_path)) as own:
        process = start(".", "--", *logging(log), session=own.session)
        lines(log, 1)
        os.kill(own.pid, signal.SIGKILL)
        (box / "a").mkdir()
        lines(log, 2)
        process.terminate()
        process.wait(30)
        gamin("stop", session=own.session)


def test_processes_left_behind_by_a_run_are_stopped_before_the_next_run(
    start: Start, box: Path, log: Path, tmp_path: Path
) -> None:
    left = tmp_path / "left"
    start(".", "--", *logging(log, f"sleep 1000 & echo $! >> {left}"))
    lines(log, 1)
    (box / "a").mkdir()
    lines(log, 2)
    assert not is_alive(int(left.read_text().split()[0]))


def test_ended_commands_leave_no_zombie(start: Start, box: Path, log: Path) -> None:
    process = start(".", "--", *logging(log))
    for run in range(1, 4):
        lines(log, run)
        (box / f"{run}").mkdir()
    commands = pids_in(log, 4)
    eventually(lambda: not set(commands) & set(children_of(process.pid)))


def test_the_option_once_exits_with_the_status_of_the_command(start: Start) -> None:
    process = start("--once", ".", "--", "sh", "-c", "echo out; exit 7")
    assert process.communicate() == (b"out\n", b"")
    assert process.returncode == 7


def test_the_option_once_reports_a_signal_as_shells_do(start: Start) -> None:
    process = start("--once", ".", "--", "sh", "-c", "kill -KILL $$")
    assert process.wait(30) == 137


@pytest.mark.parametrize(
    ("program", "status", "reason"),
    [
        pytest.param("no-such-program", 127, b"no such program", id="missing"),
        pytest.param("/dev/null", 126, b"Permission denied", id="not executable"),
    ],
)
def test_a_command_that_cannot_be_started_is_an_error(
    start: Start, program: str, status: int, reason: bytes
) -> None:
    process = start(".", "--", program)
    _, error = process.communicate()
    assert process.returncode == status
    assert reason in error


def test_a_command_that_vanishes_later_is_waited_for(
    start: Start, box: Path, log: Path
) -> None:
    program = box / "program"

    def write_program() -> None:
        new = box.parent / "new"
        new.write_text(f"#!/bin/sh\necho x >> {log}\n")
        new.chmod(0o755)
        new.rename(program)

    write_program()
    process = start(".", "--", "./program")
    lines(log, 1)
    program.unlink()
    assert process.stderr is not None
    assert b"no such program" in process.stderr.readline()
    write_program()
    lines(log, 2)


def test_the_text_for_the_shell_gets_the_paths_as_arguments(
    start: Start, box: Path, log: Path
) -> None:
    start("--postpone", "--shell", f'echo "$#:$1" >> {log}', ".")
    (box / "a b;c").mkdir()
    assert lines(log, 1) == [f"1:{box}/a b;c"]


def test_a_path_of_4095_bytes_is_passed_on(start: Start, box: Path) -> None:
    path = os.fsencode(box)
    while len(path) < 4095 - 256:
        path += b"/" + b"d" * 200
    os.makedirs(path)
    process = start("-r", "--once", "--postpone", ".", "--", "printf", "%s", "{}")
    path += b"/" + b"n" * (4095 - len(path) - 1)
    os.mkdir(path)
    assert process.communicate() == (path, b"")


def test_more_paths_than_arguments_fall_back_to_the_watched_paths(
    start: Start, box: Path
) -> None:
    debounce = ["--debounce", "500"]
    process = start(*debounce, "--once", "--postpone", ".", "--", "printf", "%s", "{}")
    for number in range(12000):
        os.mkdir(box / f"{number:0>200}")
    output, error = process.communicate()
    assert output == bytes(box)
    assert b"too many arguments" in error


def test_a_command_that_triggers_itself_is_stopped_with_the_option_that_ends_it(
    start: Start, box: Path, log: Path
) -> None:
    (box / "out").mkdir()
    writing = logging(log, "date +%N > out/result")
    process = start("-r", ".", "--", *writing)
    assert process.stderr is not None
    first = process.stderr.readline()
    second = process.stderr.readline()
    assert b"out/result" in first
    [option] = re.findall(rb"-i (\S+)", second)
    lines(log, 1 + MAX_RUNS)

    process.terminate()
    process.wait()
    log.write_text("")
    ignoring = start("-r", "-i", option.decode(), ".", "--", *writing)
    lines(log, 1)
    (box / "other").mkdir()
    lines(log, 2)
    ignoring.terminate()
    assert ignoring.communicate()[1] == b""


def test_a_server_that_triggers_its_restart_is_found_too(
    start: Start, box: Path, log: Path
) -> None:
    serving = logging(log, "date +%N > pid; exec sleep 1000")
    process = start("--restart", ".", "--", *serving)
    assert process.stderr is not None
    assert b"/pid" in process.stderr.readline()
    lines(log, 1 + MAX_RUNS)


# -- in a terminal


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

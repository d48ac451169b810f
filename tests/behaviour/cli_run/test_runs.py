"""`gamin run` with a real server and real commands."""

import os
import re
import signal
from pathlib import Path

import pytest

from gamin.cli.loop_guard import MAX_RUNS
from gamin.system.process_table import group_members
from testkit.programs import gamin
from testkit.servers import OUR_SERVER, running_server
from testkit.waiting import eventually
from tests.behaviour.cli_run.helpers import (
    Start,
    children_of,
    is_alive,
    lines,
    logging,
    pids_in,
)


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

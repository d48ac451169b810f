"""`gamin record` with a real server writes what happened."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gamin.cli import recording
from gamin.events import Event, Kind
from testkit.programs import COMMAND
from testkit.servers import OUR_SERVER, running_server
from testkit.waiting import eventually


@pytest.fixture
def env(tmp_path: Path) -> Iterator[dict[str, str]]:
    with running_server([str(OUR_SERVER)], home=str(tmp_path)) as server:
        yield {**os.environ, "GAM_CLIENT_ID": server.session}


def record(
    env: dict[str, str], cwd: Path, file: str, *options: str
) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(
        [*COMMAND, "record", *options, file, "--", "."],
        cwd=cwd,
        env=env,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    assert process.stderr.readline().startswith(b"Watching ")
    return process


def changes_in(file: Path) -> list[Event]:
    return [change.event for change in recording.read(str(file)).changes]


@pytest.mark.parametrize("name", ["x.jsonl", "x.jsonl.gz"])
def test_changes_are_in_the_file_which_does_not_record_itself(
    env: dict[str, str], tmp_path: Path, name: str
) -> None:
    box = tmp_path / "box"
    (box / "deep").mkdir(parents=True)
    with record(env, box, name) as process:
        strange = os.fsencode(box) + b"/deep/\xff\n\x1b"
        os.mkdir(strange)
        expected = [Event(Kind.CREATED, os.fsdecode(strange), is_dir=True)]
        eventually(lambda: changes_in(box / name) == expected)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate()
    assert process.returncode == 0
    assert error == f"Recorded 1 changes in {name}\n".encode()
    assert changes_in(box / name) == expected


def test_written_changes_survive_a_kill_of_the_recorder(
    env: dict[str, str], tmp_path: Path
) -> None:
    box = tmp_path / "box"
    box.mkdir()
    file = tmp_path / "x.gz"
    with record(env, box, str(file)) as process:
        (box / "a").mkdir()
        eventually(lambda: len(changes_in(file)) == 1)
        process.kill()
    assert [event.path for event in changes_in(file)] == [f"{box}/a"]


def test_record_ends_after_the_given_time(env: dict[str, str], tmp_path: Path) -> None:
    box = tmp_path / "box"
    box.mkdir()
    with record(env, box, str(tmp_path / "x"), "--for", "0.1") as process:
        _, error = process.communicate()
    assert process.returncode == 0
    assert b"Recorded 0 changes" in error

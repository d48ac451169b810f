"""The examples are run as a reader would run them."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from testkit.watches import serving

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(autouse=True)
def own_server(session: str) -> Iterator[None]:
    with serving(session):
        yield


@contextmanager
def running(example: str, *arguments: Path) -> Iterator[IO[str]]:
    """Its output, until it is interrupted."""
    process = subprocess.Popen(
        [sys.executable, EXAMPLES / example, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        assert process.stdout is not None
        try:
            yield process.stdout
        finally:
            process.send_signal(signal.SIGINT)


def test_watch_prints_what_changes(tmp_path: Path) -> None:
    with running("watch.py", tmp_path) as output:
        assert output.readline() == "watching\n"
        (tmp_path / "file").touch()
        assert output.readline() == f"created {tmp_path}/file \n"


def test_awatch_restarts_the_job(tmp_path: Path) -> None:
    with running("awatch.py", tmp_path) as output:
        assert output.readline() == "job begins\n"
        (tmp_path / "file.pyc").touch()
        (tmp_path / "file").touch()
        assert output.readline() == f"1 changes, the first of {tmp_path}/file\n"
        assert output.readline() == "job begins\n"

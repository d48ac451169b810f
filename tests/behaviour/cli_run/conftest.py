"""A server, a watched directory, and ways to start `gamin run` in it."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from testkit.programs import COMMAND
from testkit.servers import OUR_SERVER, Server, running_server
from testkit.terminal import in_terminal
from tests.behaviour.cli_run.helpers import (
    Start,
    Type,
)


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
            bufsize=0,  # what follows the first line is left to communicate()
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

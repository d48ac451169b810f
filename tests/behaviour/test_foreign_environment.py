"""The environment of the starting program has no effect on the server."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from gamin.client.connect import connect_watchman
from gamin.client.launch import server_command
from gamin.client.locate import NoServer
from testkit.waiting import eventually
from testkit.watches import signal_server

INSTALLED = Path(sys.executable).with_name("gam_server")
MODULES = ("sitecustomize", "usercustomize", "re", "signal", "random", "gamin")


@pytest.fixture
def folder(
    session: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """Modules that create a file when they are executed."""
    monkeypatch.setenv("GAM_CLIENT_ID", session)
    for module in MODULES:
        mark = (
            f"open({str(tmp_path / 'executed')!r}, 'a').close()\nraise SystemExit(9)\n"
        )
        (tmp_path / f"{module}.py").write_text(mark)
    yield tmp_path
    with suppress(NoServer):
        signal_server(signal.SIGTERM, ends=True)


def is_served() -> bool:
    try:
        connect_watchman(start=False).close()
    except NoServer:
        return False
    return True


def serves(command: list[str], folder: Path, **variables: str) -> None:
    """Start the server in `folder`; check that it answers and that no module there
    ran."""
    environ = os.environ | variables
    starting = subprocess.Popen(command, cwd=folder, env=environ)
    try:
        eventually(is_served, what="a server")
        assert not (folder / "executed").exists()
    finally:
        starting.terminate()
        starting.wait()


def commands() -> list[list[str]]:
    return [list(server_command({})), [str(INSTALLED)]]


def is_shell_program() -> bool:
    return INSTALLED.read_bytes().startswith(b"#!/bin/sh\n''':'")


@pytest.mark.parametrize("which", [0, 1], ids=["started by a client", "installed"])
@pytest.mark.parametrize(
    "variables",
    [
        pytest.param({"PYTHONPATH": "."}, id="PYTHONPATH=."),
        pytest.param({"PYTHONPATH": ":"}, id="PYTHONPATH=:"),
        pytest.param({"PYTHONHOME": "/nowhere"}, id="PYTHONHOME"),
        pytest.param(
            {
                "PYTHONUTF8": "x",
                "PYTHONIOENCODING": "no",
                "PYTHONHASHSEED": "x",
                "PYTHONPLATLIBDIR": "nowhere",
                "PYTHONMALLOC": "x",
            },
            id="values that are none",
        ),
    ],
)
def test_python_variables_have_no_effect(
    folder: Path, which: int, variables: dict[str, str]
) -> None:
    if which == 1 and not is_shell_program():
        pytest.skip("this environment has a gam_server of before (pip install -e .)")
    serves(commands()[which], folder, **variables)


@pytest.mark.parametrize("which", [0, 1], ids=["started by a client", "installed"])
def test_a_current_directory_that_was_removed_is_no_obstacle(
    folder: Path, which: int
) -> None:
    gone = folder / "gone"
    gone.mkdir()
    starting = subprocess.Popen(
        ["/bin/sh", "-c", 'rmdir "$PWD" && exec "$@"', "sh", *commands()[which]],
        cwd=gone,
    )
    try:
        eventually(is_served, what="a server")
    finally:
        starting.terminate()
        starting.wait()


@pytest.mark.skipif(
    not is_shell_program(), reason="this environment has a gam_server of before"
)
def test_the_installed_program_can_be_called_through_a_link(folder: Path) -> None:
    link = folder / "link"
    link.symlink_to(INSTALLED)
    serves([str(link)], folder)


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(f"#!{sys.executable}\n", id="as usual"),
        pytest.param(
            f"#!/bin/sh\n'''exec' \"{sys.executable}\" \"$0\" \"$@\"\n' '''\n",
            id="a path with blanks",
        ),
        pytest.param(
            f"#!/bin/sh\n'''exec' {sys.executable} \"$0\" \"$@\"\n' '''\n",
            id="a path that is too long",
        ),
    ],
)
def test_the_interpreter_is_that_of_the_command_beside_it(
    folder: Path, first: str
) -> None:
    source = Path(__file__).parents[2] / "scripts" / "gam_server"
    program = folder / "gam_server"
    program.write_bytes(source.read_bytes())
    program.chmod(0o755)
    (folder / "gamin").write_text(first)
    done = subprocess.run(
        [program, "--help"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("usage: gam_server")

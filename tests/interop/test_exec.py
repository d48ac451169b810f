"""Programs that watch files, run unchanged under `gamin exec`.

Each runs a file that prints its version when it is loaded, and must load it again
after every edit.
"""

import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from gamin.cli.control import NotRunning
from testkit.server_state import status
from testkit.waiting import eventually
from testkit.watches import serving

GAMIN = str(Path(sys.executable).with_name("gamin"))
PYTHON = sys.executable

SCRIPT = """
import signal
print("version-{}", flush=True)
if __name__ == "__main__":
    while True:
        signal.pause()
"""
ASGI = """
print("version-{}", flush=True)
async def app(scope, receive, send): ...
"""
DJANGO = """
import sys
from django.conf import settings
from django.core.management import execute_from_command_line
print("version-{}", flush=True)
settings.configure(DEBUG=True, ROOT_URLCONF=__name__)
urlpatterns = []
if __name__ == "__main__":
    execute_from_command_line(sys.argv)
"""

PROGRAMS = {
    "uvicorn": (ASGI, f"{PYTHON} -m uvicorn --reload --port 0 app:app"),
    "watchfiles": (SCRIPT, f"{PYTHON} -m watchfiles|{PYTHON} app.py|."),
    "watchdog": (
        SCRIPT,
        f"{PYTHON} -m watchdog.watchmedo auto-restart -- {PYTHON} app.py",
    ),
    "django": (DJANGO, f"{PYTHON} app.py runserver 127.0.0.1:0"),
}
"""By the module that must be installed: the file, and the command (split at `|`, or
else at spaces)."""


@pytest.fixture(autouse=True)
def server(session: str) -> Iterator[None]:
    with serving(session):
        yield


@contextmanager
def running(
    folder: Path, command: list[str], *options: str
) -> Iterator[subprocess.Popen[bytes]]:
    """The command under `gamin exec`, in a session of its own; output in `out`."""
    with (folder.parent / "out").open("wb") as out:
        process = subprocess.Popen(
            [GAMIN, "exec", *options, "--", *command],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def output(folder: Path) -> str:
    return (folder.parent / "out").read_text(errors="replace")


def clients_of(process: subprocess.Popen[bytes]) -> list[int]:
    """The pids of the program and its children that `gamin status` lists."""
    found = []
    with suppress(NotRunning):
        for client in status().clients:
            with suppress(ProcessLookupError):
                if os.getsid(client.pid) == process.pid:
                    found.append(client.pid)
    return found


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_reloads_after_each_edit_and_ends_as_ever(
    name: str, tmp_path: Path
) -> None:
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    source, line = PROGRAMS[name]
    folder = tmp_path / "project"
    folder.mkdir()
    program = folder / "app.py"
    program.write_text(source.format(0))
    command = line.replace(" -m watchfiles|", "|-m|watchfiles|").split("|")
    if len(command) == 1:
        command = line.split(" ")
    with running(folder, command) as process:
        for version in (1, 2):
            before = f"version-{version - 1}"
            eventually(lambda: before in output(folder), what=before)  # noqa: B023
            eventually(lambda: clients_of(process), what="a client of the server")

            def reloads(version: int = version) -> bool:
                # A new child may not watch yet when the server knows it.
                program.write_text(source.format(version))
                with suppress(AssertionError):
                    return eventually(
                        lambda: f"version-{version}" in output(folder), deadline=1.5
                    )
                return False

            eventually(reloads, what=f"version-{version}")
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(10) in ENDS_WITH[name], output(folder)
    assert "gamin" not in output(folder), "it has nothing to complain of"


ENDS_WITH = {
    "uvicorn": (0,),
    "watchfiles": (0,),
    "watchdog": (0,),
    "django": (0, 1, 130),
}
"""The exit status after Ctrl-C, as with the program's own engine."""


def printed(
    folder: Path, code: str, *options: str, python: str = PYTHON, **environ: str
) -> str:
    command = [GAMIN, "exec", *options, "--", python, "-c", code]
    environ = {**os.environ, **environ}
    done = subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


ENGINES = """
import os, watchfiles.main, watchdog.observers
print(watchfiles.main.RustNotify.__module__, watchdog.observers.Observer.__name__)
print("WATCHMAN_SOCK" in os.environ)
"""


def test_only_the_named_libraries_are_replaced(tmp_path: Path) -> None:
    pytest.importorskip("watchfiles")
    pytest.importorskip("watchdog")
    ours, theirs = "gamin.compat.engine", "builtins"
    assert printed(tmp_path, ENGINES).split() == [ours, "GaminObserver", "True"]
    assert printed(tmp_path, ENGINES, "--only", "watchdog").split() == [
        *(theirs, "GaminObserver", "False")
    ]
    assert printed(tmp_path, ENGINES, GAMIN_REPLACE="0").split() == [
        *(theirs, "InotifyObserver", "False")
    ]


def test_the_sitecustomize_that_ours_hides_runs_and_pythonpath_stays(
    tmp_path: Path,
) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.hidden = 1")
    code = "import sys; print(sys.hidden, 'compat/site' in ''.join(sys.path))"
    assert printed(tmp_path, code, PYTHONPATH=str(tmp_path)) == "1 False\n"


def test_an_interpreter_without_watchers_loads_nothing_of_gamin(tmp_path: Path) -> None:
    code = "import sys; print([name for name in sys.modules if 'gamin' in name])"
    # An editable installation has a finder of its own.
    found = printed(tmp_path, code)
    assert "gamin.compat" not in found


def test_a_python_without_gamin_warns_once_and_runs(tmp_path: Path) -> None:
    (tmp_path / "watchfiles.py").touch()
    (tmp_path / "watchdog.py").touch()
    other = getattr(sys, "_base_executable", PYTHON)
    if other == PYTHON:
        pytest.skip("the tests run in no environment of their own")
    code = "import watchfiles, watchdog; print('runs')"
    text = printed(tmp_path, code, python=other, PYTHONPATH=str(tmp_path))
    assert text.count("has no gamin") == 1
    assert "runs" in text


def test_the_exit_status_is_that_of_the_program(tmp_path: Path) -> None:
    def status(*command: str) -> int:
        return subprocess.call(
            [GAMIN, "exec", *command], cwd=tmp_path, stderr=subprocess.DEVNULL
        )

    assert status("--", PYTHON, "-c", "raise SystemExit(7)") == 7
    assert status("--", "no-such-program") == 127
    assert status("--", str(tmp_path)) == 126
    assert status("--") == 64


def test_a_program_runs_unchanged_without_a_server(tmp_path: Path) -> None:
    text = printed(
        tmp_path,
        "print('runs')",
        GAM_CLIENT_ID="nobody-serves-this",
        GAMIN_DEBUG_SERVER="/bin/no-such-program",
    )
    assert "running without the service" in text
    assert "runs\n" in text

"""Programs that watch files, as tests and `make programs` run them.

They run unchanged, on their own engines or under `gamin exec`. Each serves, builds or
runs a project with one file that is edited, and shows the version that is in it.
"""

import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from gamin.cli.control import NotRunning
from testkit.server_state import status

PYTHON = sys.executable
GAMIN = str(Path(PYTHON).with_name("gamin"))
PYTEST = str(Path(PYTHON).with_name("pytest"))

BUSY = frozenset("RD")
"""The states, as in /proc, of processes that run or want to, or wait for the disk."""

PRINTED = "out"
"""The file, beside the project, with what the program prints."""

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
FLASK = """
from flask import Flask
print("version-{}", flush=True)
app = Flask(__name__)
"""
HUPPER = """
import hupper, time
print("version-{}", flush=True)
def main():
    if not hupper.is_active():
        hupper.start_reloader("app.main", reload_interval=0.1, shutdown_interval=10)
    while True:
        time.sleep(60)
if __name__ == "__main__":
    import app
    app.main()
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
TEST = """
def test_it():
    print("version-{}", flush=True)
"""
PAGE = "# version-{}\n"
RST = "Title\n=====\n\nversion-{}\n"
MKDOCS = (
    ("mkdocs.yml", "site_name: p\nhooks: [hook.py]\n"),
    (
        "hook.py",
        "def on_page_markdown(markdown, **kwargs):\n    print(markdown, flush=True)\n",
    ),
)
"""mkdocs serves from a folder that it makes, so a hook prints what is built."""


class Program(NamedTuple):
    module: str
    """What must be installed."""
    file: str
    """The file that is edited."""
    text: str
    """What is in the file, with {} for the version."""
    command: Sequence[str]
    ends_with: Sequence[int] = (0,)
    """The exit statuses after Ctrl-C, on either engine."""
    built: str = PRINTED
    """The file in which "version-N" appears."""
    options: Sequence[str] = ()
    """More options of `gamin exec`."""
    files: Sequence[tuple[str, str]] = ()
    """More files of the project."""
    own_environ: Mapping[str, str] = MappingProxyType({})
    """What has it use its own engine, and no Watchman that is installed."""
    needs_watchdog_6: bool = False
    """Its patterns match nothing with watchdog 7, so it reacts to nothing."""
    is_small: bool = True
    """It is installed with what the tests need."""

    @property
    def why_not(self) -> str | None:
        """Why it cannot be tried here; None if it can."""
        if importlib.util.find_spec(self.module) is None:
            return "is not installed"
        if self.needs_watchdog_6 and not version("watchdog").startswith("6."):
            return f"matches nothing with watchdog {version('watchdog')}"
        return None


PROGRAMS = {
    "uvicorn": Program(
        "uvicorn",
        "app.py",
        ASGI,
        (PYTHON, "-m", "uvicorn", "--reload", "--port", "0", "app:app"),
    ),
    "Flask": Program(
        "flask",
        "app.py",
        FLASK,
        (PYTHON, "-m", "flask", "--app", "app", "run", "--debug", "--port", "0"),
        needs_watchdog_6=True,
        is_small=False,
    ),
    "sphinx-autobuild": Program(
        "sphinx_autobuild",
        "source/index.rst",
        RST,
        (PYTHON, "-m", "sphinx_autobuild", "--port", "0", "source", "built"),
        built="built/index.html",
        files=(("source/conf.py", "project = 'p'\n"),),
        is_small=False,
    ),
    "pytest-watcher": Program(
        "pytest_watcher",
        "test_app.py",
        TEST,
        (PYTHON, "-m", "pytest_watcher", "--now", "--runner", PYTEST, ".", "-s", "-q"),
        ends_with=(-signal.SIGINT,),
        is_small=False,
    ),
    "hupper": Program(
        "hupper",
        "app.py",
        HUPPER,
        (PYTHON, "app.py"),
        # Its status is that of its worker. It does not pass Ctrl-C on: a worker that it
        # starts afterwards, as it was reloading, is killed after shutdown_interval.
        ends_with=(0xFF & -signal.SIGINT, 0xFF & -signal.SIGKILL),
        own_environ={"HUPPER_DEFAULT_MONITOR": "hupper.watchdog.WatchdogFileMonitor"},
    ),
    "mkdocs": Program(
        "mkdocs",
        "docs/index.md",
        PAGE,
        (PYTHON, "-m", "mkdocs", "serve", "--dev-addr", "127.0.0.1:0"),
        options=("--polling-too",),
        files=MKDOCS,
    ),
    "watchfiles": Program(
        "watchfiles",
        "app.py",
        SCRIPT,
        (PYTHON, "-m", "watchfiles", f"{PYTHON} app.py", "."),
    ),
    "watchmedo": Program(
        "watchdog",
        "app.py",
        SCRIPT,
        (PYTHON, "-m", "watchdog.watchmedo", "auto-restart", "--", PYTHON, "app.py"),
    ),
    "Django": Program(
        "django",
        "app.py",
        DJANGO,
        (PYTHON, "app.py", "runserver", "127.0.0.1:0"),
        own_environ={"WATCHMAN_SOCK": "/nowhere"},
    ),
}


class Run:
    """A program that runs in a session of its own, with its project."""

    def __init__(
        self, program: Program, folder: Path, process: subprocess.Popen[bytes]
    ) -> None:
        self.process = process
        self._text = program.text
        self._edited = folder / "project" / program.file
        self._printed = folder / PRINTED
        self._shown = (
            self._printed
            if program.built == PRINTED
            else folder / "project" / program.built
        )

    def edit(self, number: int) -> None:
        self._edited.write_text(self._text.replace("{}", f"{number}"))

    def shows(self, number: int) -> bool:
        """Whether it has reacted to this edit."""
        with suppress(FileNotFoundError):
            return f"version-{number}" in self._shown.read_text(errors="replace")
        return False

    @property
    def output(self) -> str:
        return self._printed.read_text(errors="replace")

    def clients(self) -> list[int]:
        """The pids of the program and its children that `gamin status` lists."""
        found = []
        with suppress(NotRunning):
            for client in status().clients:
                with suppress(ProcessLookupError):
                    if os.getsid(client.pid) == self.process.pid:
                        found.append(client.pid)
        return found

    def processes(self) -> dict[int, str]:
        """The processes of its session, each with its state as in /proc."""
        found = {}
        for entry in os.listdir("/proc"):
            if entry.isdecimal():
                with suppress(FileNotFoundError, ProcessLookupError):
                    text = Path("/proc", entry, "stat").read_text(errors="replace")
                    state, _, _, session = text.rpartition(")")[2].split()[:4]
                    if int(session) == self.process.pid:
                        found[int(entry)] = state
        return found

    def interrupt(self) -> None:
        """Ctrl-C, as a terminal does it."""
        os.killpg(self.process.pid, signal.SIGINT)


@contextmanager
def running(
    program: Program, folder: Path, *, with_gamin: bool = True
) -> Iterator[Run]:
    """The program with version 0; whatever it started is gone afterwards."""
    project = folder / "project"
    (project / program.file).parent.mkdir(parents=True)
    for path, text in program.files:
        (project / path).write_text(text)
    command, environ = list(program.command), dict(os.environ)
    if with_gamin:
        command = [GAMIN, "exec", *program.options, "--", *command]
    else:
        environ.pop("WATCHMAN_SOCK", None)
        environ |= {"GAMIN_REPLACE": "0", **program.own_environ}
    (project / program.file).write_text(program.text.replace("{}", "0"))
    with (folder / PRINTED).open("wb") as out:
        process = subprocess.Popen(
            command,
            cwd=project,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Run(program, folder, process)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

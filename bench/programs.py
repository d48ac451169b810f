"""Real programs, each on its own engine and under `gamin exec`.

    python -m bench.programs [--edits N] [NAME...]

Run it with a Python in whose environment the programs are installed (`make programs`
makes one); those that are missing are left out. A line per program and engine: the time
from an edit to the program's reaction (median and greatest, in ms), the edits without
any, whether `gamin status` lists the program, and how long it runs on after Ctrl-C.
"""

import argparse
import importlib.util
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

PYTHON = sys.executable
GAMIN = str(Path(PYTHON).with_name("gamin"))

START_SECONDS, REACTION_SECONDS, END_SECONDS = 60.0, 8.0, 10.0
"""Seconds that a program has to start, to react to an edit, and to end."""
PACE = 0.001
"""Seconds between two checks whether a program has reacted."""
MAX_MISSED = 3
"""Edits without a reaction after which a program counts as one that does not react."""
QUIET_SECONDS = 1.5
"""Seconds between a reaction and the next edit: a new child begins to watch, and some
programs ignore what comes soon after a reload."""

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
        hupper.start_reloader("app.main")
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
    command: Sequence[str]
    built: str = "out"
    """The file in which "version-N" appears; "out" is what the program prints."""
    options: Sequence[str] = ()
    """More options of `gamin exec`."""
    files: Sequence[tuple[str, str]] = ()
    """More files of the project."""


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
    ),
    "sphinx-autobuild": Program(
        "sphinx_autobuild",
        "source/index.rst",
        RST,
        (PYTHON, "-m", "sphinx_autobuild", "--port", "0", "source", "built"),
        "built/index.html",
        files=(("source/conf.py", "project = 'p'\n"),),
    ),
    "pytest-watcher": Program(
        "pytest_watcher",
        "test_app.py",
        TEST,
        (PYTHON, "-m", "pytest_watcher", "--now", ".", "-s", "-q"),
    ),
    "hupper": Program("hupper", "app.py", HUPPER, (PYTHON, "app.py")),
    "mkdocs": Program(
        "mkdocs",
        "docs/index.md",
        PAGE,
        (PYTHON, "-m", "mkdocs", "serve", "--dev-addr", "127.0.0.1:0"),
        "out",
        ("--polling-too",),
        MKDOCS,
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
    ),
}


class Result(NamedTuple):
    reactions: list[float]
    """Seconds from each edit to the reaction."""
    missed: int
    """Edits without any reaction."""
    is_listed: bool
    """`gamin status` lists the program or a child of it."""
    end: float
    """Seconds from Ctrl-C to the end."""
    status: int

    def __str__(self) -> str:
        median = statistics.median(self.reactions) * 1e3
        most = max(self.reactions) * 1e3
        listed = "listed" if self.is_listed else "-"
        times = f"{median:7.0f} {most:7.0f} {self.missed:7}"
        return f"{times}   {listed:6}  {self.end * 1e3:6.0f} ms, status {self.status}"


@contextmanager
def running(
    folder: Path, program: Program, *, with_gamin: bool
) -> Iterator[subprocess.Popen[bytes]]:
    """The program in a process group of its own, which nothing outlives."""
    command = list(program.command)
    if with_gamin:
        command = [GAMIN, "exec", *program.options, "--", *command]
    environ = dict(os.environ)
    if not with_gamin:
        environ["GAMIN_REPLACE"] = "0"
        environ.pop("WATCHMAN_SOCK", None)
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen(
            command,
            cwd=folder / "project",
            env=environ,
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


def measure(program: Program, edits: int, *, with_gamin: bool) -> Result:
    """Run the program, edit its file, and end it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        project = folder / "project"
        edited = project / program.file
        edited.parent.mkdir(parents=True)
        for path, text in program.files:
            (project / path).write_text(text)
        edited.write_text(program.text.replace("{}", "0"))
        shown = folder / "out" if program.built == "out" else project / program.built
        with running(folder, program, with_gamin=with_gamin) as process:
            wait_for(shown, 0, START_SECONDS, folder)
            reactions: list[float] = []
            version = 0
            while len(reactions) < edits:
                version += 1
                time.sleep(QUIET_SECONDS)
                began = time.monotonic()
                edited.write_text(program.text.replace("{}", f"{version}"))
                try:
                    wait_for(shown, version, REACTION_SECONDS, folder)
                except TimeoutError:
                    if version - len(reactions) > MAX_MISSED:
                        raise
                else:
                    reactions.append(time.monotonic() - began)
            is_listed = with_gamin and lists(process.pid)
            began = time.monotonic()
            os.killpg(process.pid, signal.SIGINT)
            status = process.wait(END_SECONDS)
            end = time.monotonic() - began
            return Result(reactions, version - edits, is_listed, end, status)


def wait_for(shown: Path, version: int, seconds: float, folder: Path) -> None:
    """Raises TimeoutError if the version does not appear in time."""
    end = time.monotonic() + seconds
    while True:
        with suppress(FileNotFoundError):
            if f"version-{version}" in shown.read_text(errors="replace"):
                return
        if time.monotonic() > end:
            output = (folder / "out").read_text(errors="replace")[-2000:]
            raise TimeoutError(f"no reaction to version {version}:\n{output}")
        time.sleep(PACE)


def lists(session: int) -> bool:
    """Whether a process of the session is a client of the server."""
    clients = json.loads(subprocess.check_output([GAMIN, "status", "--json"]))
    for client in clients["clients"]:
        with suppress(ProcessLookupError):
            if os.getsid(client["pid"]) == session:
                return True
    return False


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.programs")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PROGRAMS))
    parser.add_argument("--edits", type=int, default=3)
    args = parser.parse_args()
    os.environ["GAM_CLIENT_ID"] = f"programs-{uuid.uuid4()}"
    say("program           engine   median    most  missed   status  after Ctrl-C")
    failures = 0
    try:
        for name in args.names or PROGRAMS:
            program = PROGRAMS[name]
            if importlib.util.find_spec(program.module) is None:
                say(f"{name:17} is not installed")
                continue
            for with_gamin in (False, True):
                engine = "gamin" if with_gamin else "its own"
                try:
                    result = measure(program, args.edits, with_gamin=with_gamin)
                except (TimeoutError, subprocess.TimeoutExpired) as error:
                    failures += with_gamin
                    say(f"{name:17} {engine:7} {error}")
                else:
                    say(f"{name:17} {engine:7} {result}")
    finally:
        subprocess.run([GAMIN, "stop"], check=False, stderr=subprocess.DEVNULL)
    return 1 if failures else 0


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

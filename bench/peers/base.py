"""The interface of a peer: how to start and end a watcher, and to read its output.

`bench.session` starts and measures it.
"""

import os
import shutil
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from bench.belief import Report, ReportKind
from bench.build import NotBuilt, program

PROGRAMS = Path(sys.executable).parent


@dataclass(frozen=True, slots=True)
class Request:
    root: Path
    scratch: Path
    """A directory for this watcher alone."""
    shared: Path
    """A directory for all watchers of the session."""
    flat: bool
    """The root directory alone, not what is below it."""
    stamp: bool
    """Print each event at once, with its time if possible."""


class Peer(ABC):
    """One way of watching. The defaults are those of a command line tool."""

    name: str
    about: str
    announces = True
    """It prints when it watches; otherwise it is ready when it has become quiet."""
    has_server = False
    works: Sequence[str] = ()
    """The works it takes part in, by name; all if there are none."""
    restless = 0.02
    """Share of one CPU below which it counts as quiet."""

    def missing(self) -> str:
        """Why it cannot be used here; empty if it can."""
        return "" if shutil.which(self.help()[0]) else "not installed"

    def version(self) -> str:
        return ""

    def help(self) -> list[str]:
        """The command that prints its help; empty if there is none."""
        return []

    def environment(self) -> dict[str, str]:
        return {}

    @abstractmethod
    def command(self, request: Request) -> list[str]:
        """The command that starts it."""

    @abstractmethod
    def is_ready(self, output: bytes, errors: bytes) -> bool:
        """Whether its output so far says that it watches."""

    @abstractmethod
    def parse(self, output: bytes, root: bytes) -> Iterator[Report]:
        """The changes that its output reports, paths relative to `root`."""

    def detected_loss(self, errors: bytes) -> bool:
        """Whether its standard error mentions lost events."""
        return b"overflow" in errors.lower()

    def end(self, process: "subprocess.Popen[bytes]") -> None:
        process.terminate()


class Reporter(Peer):
    """A program written for the benchmark: it prints what `report.h` describes."""

    def arguments(self, request: Request) -> list[str]:
        options = ["--flat"] * request.flat + ["--stamp"] * request.stamp
        return [str(request.root), *options]

    def is_ready(self, output: bytes, errors: bytes) -> bool:
        return output.startswith(b"ready\n")

    def parse(self, output: bytes, root: bytes) -> Iterator[Report]:
        for line in output.splitlines()[1:]:
            if line[:1].isdigit():
                line = line.partition(b" ")[2]
            path, _, dest = line[2:].partition(b"\t")
            yield Report(ReportKind(line[:1]), within(path, root), within(dest, root))

    def end(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdin
        process.stdin.close()


class Compiled(Reporter):
    """A `Reporter` in C."""

    source: str

    def missing(self) -> str:
        try:
            program(self.source)
        except NotBuilt as error:
            return f"not built: {error}"
        return ""

    def command(self, request: Request) -> list[str]:
        return [program(self.source), *self.arguments(request)]


class Interpreted(Reporter):
    """A `Reporter` in Python, that needs the package `package`."""

    package: str
    client: str

    def missing(self) -> str:
        return "" if find_spec(self.package) else "not installed"

    def command(self, request: Request) -> list[str]:
        client = f"bench.peers.{self.client}"
        return [sys.executable, "-m", client, *self.arguments(request)]


def within(path: bytes, root: bytes) -> bytes:
    """`path` as seen from `root`."""
    return path.removeprefix(root).strip(b"/")


def first_line(*command: str) -> str:
    """The first line that a program prints: a version or an error."""
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ)
    return (done.stdout + done.stderr).strip().partition("\n")[0]

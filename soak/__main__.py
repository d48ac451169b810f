"""A long random run: a real server, real clients, and programs that change files.

    python -m soak [--operations N] [--seed N] [--overflow N] [--stop] [--kill]

In every round two programs change one tree at random at the same time, while clients
stop reading or reconnect and the server is stopped or killed. Then everything is quiet,
and what each client believes must equal the disk, in names and contents. The exit
status is 1 if it does not.

`testkit.actions.actor` contains the programs, `follower` the clients.
"""

import argparse
import ctypes
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

import pytest

import gamin
from gamin.cli.control import dial
from gamin.client.blocking import Client
from gamin.client.connect import connect_watchman
from gamin.core.coverage.recovery import MAX_PAUSE
from soak.follower import Follower, V1Follower, WatchFollower
from testkit.actions import actor
from testkit.beliefs.watch import Belief, differences, there
from testkit.limits import queue_limit
from testkit.scenario.libgamin import LIBRARIES, Libgamin
from testkit.watches import kill_server, serving, signal_server

WRITERS = 2
QUIET = MAX_PAUSE + 15.0
"""Seconds after which every client must have received everything: the second scan after
an overflow may be delayed for so long."""
PACE = 0.02
MAX_SHOWN = 40
MAX_STOP_SECONDS = 2.0
NO_FLOW = """\
flow reports_per_second 1000000
flow churn_per_second 1000000
flow raw_events_per_second 1000000
"""


class Disturbance(Enum):
    NONE = "nothing else happens"
    HOLD_UP = "some clients do not read"
    LEAVE = "some clients leave and come back with their clocks"
    STOP = "the server is stopped"
    KILL = "the server is killed"


@dataclass(slots=True)
class Report:
    operations: int = 0
    rounds: dict[Disturbance, int] = field(default_factory=dict)
    overflows: int = 0
    rescans: int = 0
    longest: float = 0.0
    """Seconds from the last operation until every client was right."""
    wrong: list[str] = field(default_factory=list)


class Soak:
    def __init__(self, options: argparse.Namespace, place: Path) -> None:
        self._options = options
        self._random = random.Random(options.seed)
        self._root, self._outside = place / "tree", place / "outside"
        for folder in (self._root, self._outside):
            folder.mkdir()
        (self._root / "anchor").touch()
        self._log = place / "log"
        self._log.touch()
        self.server = _program(place / "server", self._log)
        self._disturbances = [Disturbance.NONE, Disturbance.HOLD_UP, Disturbance.LEAVE]
        self._disturbances += [Disturbance.STOP] * bool(options.stop)
        self._disturbances += [Disturbance.KILL] * bool(options.kill)
        self.report = Report()
        self._overflows = self._rescans = 0  # of the server that runs now
        self.followers: list[Follower] = [
            WatchFollower("watch 1", self._root),
            WatchFollower("watch 2", self._root),
            WatchFollower("settling", self._root, settle=0.05),
            WatchFollower("deep", self._root / "a"),
            V1Follower("v1", self._folders(), Client),
        ]
        if has_libgamin():
            self.followers.append(self._libgamin())

    def _folders(self) -> list[Path]:
        names = (".", "a", "a/b", "b/c/d", "a/b/c/d")
        return [self._root / name for name in names]

    def _libgamin(self) -> V1Follower:
        """A client with the C library. The library reconnects after the server's end,
        but loses what happened meanwhile."""

        def connect() -> Libgamin:
            return Libgamin(os.environ["GAM_CLIENT_ID"], str(self.server))

        return V1Follower("libgamin", self._folders(), connect, outlives_servers=False)

    def run(self) -> None:
        """Run all rounds, up to the first one in which something is wrong."""
        with ExitStack() as stack:
            writers = [
                stack.enter_context(self._writer(number)) for number in range(WRITERS)
            ]
            for follower in self.followers:
                follower.start()
                stack.callback(follower.end)
                follower.ready.wait()
            while self.report.operations < self._options.operations:
                self._round(writers)
                if self.report.wrong:
                    return

    @contextmanager
    def _writer(self, number: int) -> Iterator["subprocess.Popen[str]"]:
        seed = str(self._options.seed * WRITERS + number)
        where = (str(self._root), str(self._outside))
        with subprocess.Popen(
            [sys.executable, "-m", actor.__name__, *where, seed],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        ) as writer:
            yield writer
            writer.terminate()

    # -- one round

    def _round(self, writers: Sequence["subprocess.Popen[str]"]) -> None:
        count = int(10 ** self._random.uniform(0, 3.3))
        disturbance = self._random.choice(self._disturbances)
        some = [f for f in self.followers if self._random.random() < 0.5]
        with self._disturbed(disturbance, some):
            for writer in writers:
                assert writer.stdin is not None
                writer.stdin.write(f"{count}\n")
            if disturbance is Disturbance.KILL:
                self._kill()
            for writer in writers:
                assert writer.stdout is not None
                writer.stdout.readline()
        report = self.report
        report.operations += count * len(writers)
        report.rounds[disturbance] = report.rounds.get(disturbance, 0) + 1
        self._check(disturbance)
        self._note_recoveries()

    @contextmanager
    def _disturbed(self, what: Disturbance, some: Sequence[Follower]) -> Iterator[None]:
        match what:
            case Disturbance.HOLD_UP:
                for follower in some:
                    follower.reads.clear()
            case Disturbance.LEAVE:
                for follower in some:
                    follower.resume.set()
            case Disturbance.STOP:
                signal_server(signal.SIGSTOP)
                time.sleep(self._random.uniform(0, MAX_STOP_SECONDS))
        yield
        if what is Disturbance.STOP:
            signal_server(signal.SIGCONT)
        for follower in some:
            follower.reads.set()

    def _kill(self) -> None:
        time.sleep(self._random.uniform(0, 0.1))
        self._note_recoveries()
        with queue_limit(self._options.overflow):
            kill_server()
            start_server()
        for follower in self.followers:
            if not follower.outlives_servers:
                follower.resume.set()
        self._overflows = self._rescans = 0

    def _check(self, disturbance: Disturbance) -> None:
        began = time.monotonic()
        while wrong := self._wrong():
            if time.monotonic() - began > QUIET:
                where = f"after a round where {disturbance.value}:"
                self.report.wrong = [where, *wrong, *self._server_is_wrong()]
                self.report.wrong += self._mistakes()
                return
            time.sleep(PACE)
        self.report.longest = max(self.report.longest, time.monotonic() - began)
        self.report.wrong = [
            f"{follower.name}: does not fit: {each}"
            for follower in self.followers
            for each in follower.contradictions
        ]
        self.report.wrong += self._mistakes()

    def _mistakes(self) -> list[str]:
        """The log lines of the servers; there are none if all is well."""
        return self._log.read_text().splitlines()

    def _wrong(self) -> list[str]:
        found = []
        for follower in self.followers:
            if follower.error is not None:
                return [f"{follower.name}: {follower.error!r}"]
            found += [f"{follower.name}: {each}" for each in follower.wrong()]
        return found

    def _server_is_wrong(self) -> list[str]:
        """What is wrong in the listing that a new client receives."""
        newcomer = Belief(self._root)
        with gamin.watch(self._root, initial=True) as watch:
            newcomer.take(next(watch))
        return [
            f"newcomer: {each}" for each in differences(newcomer.top, there(self._root))
        ]

    def _note_recoveries(self) -> None:
        with dial() as line:
            recoveries = line.ask("gamin-status")["status"]["recoveries"]
        overflows, rescans = recoveries["overflows"], recoveries["rescans"]
        self.report.overflows += overflows - self._overflows
        self.report.rescans += rescans - self._rescans
        self._overflows, self._rescans = overflows, rescans


def has_libgamin() -> bool:
    """Whether the C library of the original is installed."""
    try:
        ctypes.CDLL(LIBRARIES[0])
    except OSError:
        return False
    return True


def start_server() -> None:
    """Start a server and wait for its first answer. By then it has opened its inotify
    descriptor, with the queue length that the kernel allowed at that moment."""
    connect_watchman().close()
    with dial() as line:
        line.ask("version")


def _program(path: Path, log: Path) -> Path:
    """An executable file that starts the server with its messages appended to `log`."""
    command = f"exec '{sys.executable}' -P -m gamin.daemon.process.start 2>>'{log}'"
    path.write_text(f"#!/bin/sh\n{command}\n")
    path.chmod(0o755)
    return path


def main() -> int:
    options = _options()
    session = f"soak-{uuid.uuid4()}"
    with tempfile.TemporaryDirectory(prefix="gamin-soak-") as place:
        soak = Soak(options, Path(place))
        with serving(session), pytest.MonkeyPatch.context() as environment:
            environment.setenv("GAMIN_DEBUG_SERVER", str(soak.server))
            if options.no_flow:
                (Path(place) / ".gaminrc").write_text(NO_FLOW)
                environment.setenv("HOME", place)
            with queue_limit(options.overflow):
                start_server()
            soak.run()
    for line in summary(soak, options):
        sys.stdout.write(line + "\n")
    return 1 if soak.report.wrong else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m soak")
    parser.add_argument("--operations", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument(
        "--overflow", type=int, help="events the kernel's queue holds (needs root)"
    )
    parser.add_argument("--no-flow", action="store_true", help="nothing is ever busy")
    parser.add_argument("--stop", action="store_true", help="stop the server at times")
    parser.add_argument("--kill", action="store_true", help="kill the server at times")
    return parser.parse_args()


def summary(soak: Soak, options: argparse.Namespace) -> Iterator[str]:
    report = soak.report
    yield f"seed {options.seed}: {report.operations} operations"
    for what, count in report.rounds.items():
        yield f"  {count} rounds where {what.value}"
    yield f"  {report.overflows} overflows, {report.rescans} rescans"
    yield f"  right at most {report.longest:.2f} s after the last operation"
    for follower in soak.followers:
        yield f"  {follower.name}: {follower.summary()}"
    yield f"  {len(report.wrong)} wrong"
    yield from (f"    {each}" for each in report.wrong[:MAX_SHOWN])
    if report.wrong:
        yield f"  to repeat: {_command(options)}"


def _command(options: argparse.Namespace) -> str:
    """The command that repeats this run: its options, with the seed. The seed does not
    decide the timing."""
    words = ["python -m soak"]
    for name, value in vars(options).items():
        option = "--" + name.replace("_", "-")
        if value is True:
            words.append(option)
        elif value is not None and value is not False:
            words.append(f"{option} {value}")
    return " ".join(words)


if __name__ == "__main__":
    sys.exit(main())

"""One long random run, round by round.

In every round two programs do random things to one tree at the same time, while
something else happens (`disturbances`). Then all is quiet, and what every client
believes must equal the disk, names and contents.
"""

import argparse
import ctypes
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import (
    AbstractContextManager,
    ExitStack,
    contextmanager,
    nullcontext,
    suppress,
)
from dataclasses import dataclass, field
from pathlib import Path

import gamin
from gamin.cli.control import dial
from gamin.client.blocking import Client
from gamin.client.connect import connect_watchman
from gamin.core.coverage.recovery import MAX_PAUSE
from soak import disturbances
from soak.asking import AskingFollower
from soak.disturbances import MAX_STOP_SECONDS, Disturbance, server_pid
from soak.follower import Follower, V1Follower, WatchFollower
from soak.footprint import Footprint, footprint
from testkit.actions import actor
from testkit.actions.mounts import unmount
from testkit.beliefs.watch import Belief, differences, there
from testkit.limits import queue_limit
from testkit.scenario.libgamin import LIBRARIES, Libgamin
from testkit.watches import kill_server

WRITERS = 2
QUIET = MAX_PAUSE + 15.0
"""Seconds after which every client must know everything: a second look after an
overflow may be put off for so long."""
PACE = 0.02
START_PATIENCE = 60.0
"""Seconds that a server may take to start: the machine may be very busy."""
MAX_ROUND = 3.3
"""Acts of a program in a round at the most, as a power of ten."""
EXHAUSTED = re.compile(r"MemoryError|\[Errno (12|23|24)\]")
"""How an exception ends that says nothing but that memory or descriptors ran out."""
EXPECTED = re.compile(
    r"is later than what was saved of|refused: it is in another mount namespace"
)
"""What a server may always report: a clock that a killed server gave out, for which
there is a listing instead of a difference; and a program outside of the namespace of
this run that looks for servers (`gamin doctor`)."""
EXCEPTION = re.compile(r"^[\w.]+(Error|Exception|Exit|Interrupt)\b")
"""How the last line of a traceback begins."""


@dataclass(slots=True)
class Report:
    operations: int = 0
    rounds: dict[Disturbance, int] = field(default_factory=dict)
    overflows: int = 0
    rescans: int = 0
    complaints: int = 0
    """Lines of the servers' log in rounds in which they may complain."""
    longest: float = 0.0
    """Seconds from the last operation until every client was right."""
    footprints: list[Footprint] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


class Soak:
    def __init__(self, options: argparse.Namespace, place: Path) -> None:
        self._options = options
        self._random = random.Random(options.seed)
        self._root, self._outside = place / "tree", place / "outside"
        for folder in (self._root, self._outside):
            folder.mkdir()
        (self._root / "anchor").touch()
        self._points: list[Path] = []
        if options.mounts:
            self._points = [self._root / "points" / name for name in ("one", "two")]
            for point in self._points:
                point.mkdir(parents=True)
        self._log = place / "log"
        self._log.touch()
        self.server = server_program(place / "server", self._log)
        self._disturbances = list(_chosen(options))
        self.report = Report()
        self._overflows = self._rescans = 0  # of the server that runs now
        self._asking = AskingFollower("asking", self._root)
        self.followers: list[Follower] = list(self._make_followers())

    def _make_followers(self) -> Iterator[Follower]:
        yield WatchFollower("watch 1", self._root)
        yield WatchFollower("watch 2", self._root)
        yield WatchFollower("settling", self._root, settle=0.05)
        yield WatchFollower("deep", self._root / "a")
        if self._points:
            yield WatchFollower("all mounts", self._root, cross_mounts=True)
            yield WatchFollower("mounted", self._points[0])
        yield self._asking
        yield V1Follower("v1", self._folders(), Client)
        if has_libgamin():
            yield self._libgamin()

    def _folders(self) -> list[Path]:
        names = (".", "a", "a/b", "b/c/d", "a/b/c/d")
        return [*(self._root / name for name in names), *self._points]

    def _libgamin(self) -> V1Follower:
        """A client with the C library. The library reconnects after the server's end,
        but loses what happened meanwhile."""

        def connect() -> Libgamin:
            return Libgamin(os.environ["GAM_CLIENT_ID"], str(self.server))

        return V1Follower("libgamin", self._folders(), connect, outlives_servers=False)

    def run(self) -> None:
        """Run all rounds, up to the first one in which something is wrong."""
        minutes = self._options.minutes
        end = float("inf") if minutes is None else time.monotonic() + 60 * minutes
        with ExitStack() as stack:
            writers = [
                stack.enter_context(self._writer(number)) for number in range(WRITERS)
            ]
            for follower in self.followers:
                follower.start()
                stack.callback(follower.end)
                follower.ready.wait()
            while (
                self.report.operations < self._options.operations
                and time.monotonic() < end
            ):
                self._round(writers)
                if self.report.wrong:
                    return

    def unmount_all(self) -> None:
        """Leave nothing mounted below the tree, which is to be removed."""
        for point in self._points:
            with suppress(OSError):
                while True:
                    unmount(point)

    @contextmanager
    def _writer(self, number: int) -> Iterator["subprocess.Popen[str]"]:
        seed = str(self._options.seed * WRITERS + number)
        words = [str(self._root), str(self._outside), seed, str(len(actor.NAMES))]
        with subprocess.Popen(
            [sys.executable, "-m", actor.__name__, *words, *map(str, self._points)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        ) as writer:
            yield writer
            writer.terminate()

    # -- one round

    def _round(self, writers: Sequence["subprocess.Popen[str]"]) -> None:
        count = int(10 ** self._random.uniform(0, MAX_ROUND))
        disturbance = self._random.choice(self._disturbances)
        some = [f for f in self.followers if self._random.random() < 0.5]
        before = disturbances.server_pid()
        with self._disturbed(disturbance, some):
            for writer in writers:
                assert writer.stdin is not None
                writer.stdin.write(f"{count}\n")
            if disturbance is Disturbance.KILL:
                self._kill()
            for writer in writers:
                assert writer.stdout is not None
                writer.stdout.readline()
        if disturbance is Disturbance.MEMORY:
            start_server()  # where it has ended for want of memory
            if disturbances.server_pid() != before:
                self._begin_with_another_server()
        report = self.report
        report.operations += count * len(writers)
        report.rounds[disturbance] = report.rounds.get(disturbance, 0) + 1
        self._check(disturbance)
        if not report.wrong:
            self._note_recoveries()
            report.footprints.append(footprint(server_pid(), report.operations))

    @contextmanager
    def _disturbed(self, what: Disturbance, some: Sequence[Follower]) -> Iterator[None]:
        with self._disturbance(what, some):
            if what is Disturbance.STOP:
                time.sleep(self._random.uniform(0, MAX_STOP_SECONDS))
            yield

    def _disturbance(
        self, what: Disturbance, some: Sequence[Follower]
    ) -> AbstractContextManager[None]:
        chance = random.Random(self._random.random())
        match what:
            case Disturbance.HOLD_UP:
                return disturbances.held_up(some)
            case Disturbance.LEAVE:
                for follower in some:
                    follower.resume.set()
            case Disturbance.STOP:
                return disturbances.stopped()
            case Disturbance.DESCRIPTORS:
                return disturbances.hardly_any_descriptor(chance)
            case Disturbance.MEMORY:
                return disturbances.hardly_any_memory(chance)
            case Disturbance.MOUNT:
                return disturbances.mounting(self._points, chance)
            case Disturbance.GREEDY:
                return disturbances.greedy(self._root)
            case Disturbance.STUCK:
                return disturbances.stuck(self._root / "fuse")
        return nullcontext()

    def _kill(self) -> None:
        time.sleep(self._random.uniform(0, 0.1))
        self._note_recoveries()
        with queue_limit(self._options.overflow):
            kill_server()
            start_server()
        self._begin_with_another_server()

    def _begin_with_another_server(self) -> None:
        for follower in self.followers:
            if not follower.outlives_servers:
                follower.resume.set()
        self._overflows = self._rescans = 0

    # -- what is believed afterwards

    def _check(self, disturbance: Disturbance) -> None:
        where = f"after a round where {disturbance.value}:"
        began = time.monotonic()
        late = self._asking.first_answer()
        while wrong := self._wrong():
            if time.monotonic() - began > QUIET:
                self.report.wrong = [where, *wrong, *self._server_is_wrong()]
                self.report.wrong += self._mistakes(disturbance)
                return
            time.sleep(PACE)
        self.report.longest = max(self.report.longest, time.monotonic() - began)
        found = [f"the first answer lacks: {each}" for each in late]
        found += [
            f"{follower.name}: does not fit: {each}"
            for follower in self.followers
            for each in follower.contradictions
        ]
        found += self._mistakes(disturbance)
        self.report.wrong = [where, *found] if found else []

    def _mistakes(self, disturbance: Disturbance) -> list[str]:
        """What the servers have to say: nothing, if all is well."""
        lines = self._log.read_text().splitlines()
        lines = [line for line in lines if not EXPECTED.search(line)]
        if disturbance not in disturbances.MAY_COMPLAIN:
            return lines
        self.report.complaints += len(lines)
        os.truncate(self._log, 0)
        exceptions = filter(EXCEPTION.match, lines)
        return [line for line in exceptions if not EXHAUSTED.search(line)]

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
        real = there(self._root, cross_mounts=False)
        return [f"newcomer: {each}" for each in differences(newcomer.top, real)]

    def _note_recoveries(self) -> None:
        with dial() as line:
            recoveries = line.ask("gamin-status")["status"]["recoveries"]
        overflows, rescans = recoveries["overflows"], recoveries["rescans"]
        self.report.overflows += overflows - self._overflows
        self.report.rescans += rescans - self._rescans
        self._overflows, self._rescans = overflows, rescans


def _chosen(options: argparse.Namespace) -> Iterator[Disturbance]:
    yield from (Disturbance.NONE, Disturbance.HOLD_UP, Disturbance.LEAVE)
    if options.stop:
        yield Disturbance.STOP
    if options.kill:
        yield Disturbance.KILL
    if options.mounts:
        yield Disturbance.MOUNT
    if options.limits:
        yield from (Disturbance.DESCRIPTORS, Disturbance.MEMORY)
    if options.greedy:
        yield Disturbance.GREEDY
    if options.stuck:
        yield Disturbance.STUCK


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
    connect_watchman(patience=START_PATIENCE).close()
    with dial() as line:
        line.ask("version")


def server_program(path: Path, log: Path) -> Path:
    """An executable file that starts the server with its messages appended to `log`."""
    command = f"exec '{sys.executable}' -P -m gamin.daemon.process.start 2>>'{log}'"
    path.write_text(f"#!/bin/sh\n{command}\n")
    path.chmod(0o755)
    return path

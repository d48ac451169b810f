"""Random acts on one tree, whose servers are interrupted while they save.

    python -m soak.saves [--rounds N] [--seed N] [--directories N]

In every round programs act on the tree while a server runs; the server ends in one of
several ways (`Ending`), most of which interrupt the save of what it knows; programs act
while no server runs; and the next server serves clients that have clocks of earlier
ones, or connections to them (`returning`). What a client that asks believes after the
first answer must equal the disk, names and contents; and what a subscriber believes, at
rest. A server may list everything again only if the one before could not save. Exit
status 1 if something was wrong.
"""

import argparse
import errno
import os
import random
import signal
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

import pytest

from soak.disturbances import server_pid
from soak.returning import (
    AskingClient,
    GamSubscriber,
    Subscriber,
    WatchmanSubscriber,
    WatchSubscriber,
)
from soak.rounds import EXCEPTION, has_libgamin, server_program
from soak.server_process import ServerProcess, urgent
from soak.state_directory import Progress, StateDirectory, Writes
from testkit.actions.actor import NAMES, Actor
from testkit.actions.acts import perform
from testkit.actions.mounts import enter_own_namespace
from testkit.actions.real_disk import RealDisk
from testkit.scenario.libgamin import Libgamin
from testkit.watches import serving

MAX_ACTS = 40
"""Acts at once, at most; they are done twice in a round."""
SETTINGS = "state save_interval 1\n"
"""A server saves a second after the last change, not only every 30 s."""
SAVE_SECONDS = 5.0
"""Seconds to wait for the beginning of a save."""
MAX_STEPS = 1_000
"""Steps that are counted, at most."""
BY_TIME = 0.2
"""Share of the kills whose moment is a time, not a step of the save."""
SPARE_BYTES = 400_000
"""Bytes free on a full file system, at most: a save fails at a random place."""
NEW_STORE = 0.1
"""Probability that what is kept is removed after a kill, so that the store is made
again."""
LONG_NAMES = [f"{number}".ljust(200, "-") for number in range(4)]
"""Files in each directory whose names make a save long."""
FIRST_STEPS = 40
"""Steps of a save (`Writes`), until those of one were counted."""
MAX_STEP_SECONDS = 0.5
"""Seconds to wait for a step that a save may not have."""
MAX_DELAY = 0.03
"""Seconds from the request to end to a kill at a moment that nothing else decides."""
FOLDERS_OF_LIBGAMIN = 100
"""Directories that a client of libgamin watches, besides the top of the tree."""
MAX_SHOWN = 40
"""Facts of a failure that are printed."""
_LOST_STORE = "was removed"
"""What a server reports of a damaged store; no interruption may damage one."""
_NO_STORE = "nothing is remembered"
"""What a server reports of a store that it cannot use."""


class Ending(Enum):
    STOP = "the server ended undisturbed"
    KILL_AT_END = "the server was killed while it ended"
    KILL_IN_SAVE = "the server was killed during a periodic save"
    KILL = "the server was killed at another moment"
    FULL = "the state's file system was full at the end"
    READ_ONLY = "the state directory was read-only at the end"


KILLS = frozenset({Ending.KILL_AT_END, Ending.KILL_IN_SAVE, Ending.KILL})
"""After these nothing but the store of earlier saves is left."""
WEIGHTS = {
    Ending.STOP: 4,
    Ending.KILL_AT_END: 7,
    Ending.KILL_IN_SAVE: 1,
    Ending.KILL: 1,
    Ending.FULL: 3,
    Ending.READ_ONLY: 2,
}
"""How often each is chosen, relative to the others."""


@dataclass(slots=True)
class Report:
    endings: Counter[Ending] = field(default_factory=Counter)
    progress: Counter[Progress] = field(default_factory=Counter)
    """Where the kills interrupted a save."""
    late_kills: int = 0
    """The server had ended already."""
    new_stores: int = 0
    acts: int = 0
    exact: Counter[Ending] = field(default_factory=Counter)
    listings: Counter[Ending] = field(default_factory=Counter)
    rests: Counter[str] = field(default_factory=Counter)
    """How often each subscriber was compared with the disk after a server's end."""
    complaints: int = 0
    """Lines of the servers' log."""
    wrong: list[str] = field(default_factory=list)


class Saves:
    def __init__(self, options: argparse.Namespace, place: Path) -> None:
        self._random = random.Random(options.seed)
        self._rounds = options.rounds
        root, outside = place / "tree", place / "outside"
        outside.mkdir()
        folders = [root / f"{number:03}" for number in range(options.directories)]
        for folder in folders:
            folder.mkdir(parents=True)
            for name in (*map(os.fsdecode, NAMES[:6]), *LONG_NAMES):
                (folder / name).touch()
        self._disk = RealDisk(root, outside)
        self._actor = Actor(
            os.fsencode(root),
            os.fsencode(outside),
            options.seed,
            places=[os.fsencode(folder) for folder in folders],
        )
        self._log = place / "log"
        self._log.touch()
        self.server = server_program(place / "server", self._log)
        self.state = StateDirectory(place / "state" / "gamin")
        self.clients = [
            AskingClient("always", root, 1.0),
            AskingClient("often", root, 0.5),
            AskingClient("rarely", root, 0.2),
        ]
        self.subscribers = list(self._make_subscribers(root, folders))
        self._ended = ""
        """The process of the server that ended last."""
        self._steps = FIRST_STEPS
        self._endings = list(Ending)
        if not self.state.is_mounted:
            self._endings.remove(Ending.FULL)
        self.report = Report()

    def _make_subscribers(
        self, root: Path, folders: list[Path]
    ) -> Iterator[Subscriber]:
        yield WatchSubscriber("staying", root, 0.7, leaves=False)
        yield WatchSubscriber("leaving", root, 0.7, leaves=True)
        yield WatchmanSubscriber("watchman", root, 0.7)
        if has_libgamin():

            def connect() -> Libgamin:
                return Libgamin(os.environ["GAM_CLIENT_ID"], str(self.server))

            yield GamSubscriber(root, [root, *folders[:FOLDERS_OF_LIBGAMIN]], connect)

    def run(self) -> None:
        """Run all rounds, up to the first one in which something is wrong."""
        for client in self.clients:
            client.ask()
        for subscriber in self.subscribers:
            self.report.wrong += subscriber.wrong()
        for _ in range(self._rounds):
            self._round()
            if self.report.wrong:
                return

    def _round(self) -> None:
        weights = [WEIGHTS[ending] for ending in self._endings]
        [ending] = self._random.choices(self._endings, weights)
        self.report.endings[ending] += 1
        self._act()
        if self._random.random() < 0.5:
            self._ask(None)
            self._act()
        lift = self._end(ending)
        self._act()
        if ending in KILLS and self._random.random() < NEW_STORE:
            self.state.empty()
            self.report.new_stores += 1
        lifts_late = self._random.random() < 0.5
        if not lifts_late:
            lift()
        self._ask(ending)
        if lifts_late:
            lift()
        self._check_log(ending)

    def _act(self) -> None:
        count = self._random.randint(1, MAX_ACTS)
        self.report.acts += count
        for _ in range(count):
            with suppress(OSError):
                perform(self._actor.choose(), self._disk)

    # -- the end of a server

    def _end(self, ending: Ending) -> Callable[[], None]:
        """End the server; return what lifts the fault that stays."""
        for subscriber in self.subscribers:
            subscriber.before_the_end(is_undisturbed=ending is Ending.STOP)
        self._ended = str(server_pid())
        for client in self.clients:
            client.is_current = client.is_current and ending is Ending.STOP
        match ending:
            case Ending.FULL:
                self.state.fill(self._random.randrange(SPARE_BYTES))
                self._stop()
                return self.state.free
            case Ending.READ_ONLY:
                self._forbid()
                self._stop()
                return self.state.allow
            case Ending.STOP:
                self._stop(count=True)
            case _:
                self._kill(ending)
        return lambda: None

    def _forbid(self) -> None:
        """Wait for the end of a save that is at work."""
        while True:
            try:
                self.state.forbid()
            except OSError as error:
                if error.errno != errno.EBUSY:
                    raise
            else:
                return

    def _stop(self, *, count: bool = False) -> None:
        with (
            closing(Writes(self.state.path)) as writes,
            ServerProcess() as server,
            urgent(),
        ):
            server.send(signal.SIGTERM)
            if count:
                steps = writes.wait(MAX_STEPS, server.descriptor, SAVE_SECONDS)
                self._steps = max(self._steps, steps)
            server.wait()

    def _kill(self, ending: Ending) -> None:
        before = self.state.signature()
        with (
            closing(Writes(self.state.path)) as writes,
            ServerProcess() as server,
            urgent(),
        ):
            if ending is Ending.KILL_AT_END:
                server.send(signal.SIGTERM)
            if ending is Ending.KILL or self._random.random() < BY_TIME:
                time.sleep(self._random.uniform(0, MAX_DELAY))
            elif writes.wait(1, server.descriptor, SAVE_SECONDS):
                # Few saves have as many steps as the longest one, because inotify
                # merges equal events: a small number is more likely to be reached.
                steps = min(self._random.randrange(self._steps) for _ in range(2))
                writes.wait(steps, server.descriptor, MAX_STEP_SECONDS)
            self.report.late_kills += server.has_ended
            server.send(signal.SIGKILL)
            server.wait()
        self.report.progress[self.state.progress(before)] += 1

    # -- what is believed afterwards

    def _ask(self, ending: Ending | None) -> None:
        """Let clients ask and receive, and compare. `ending` is how the server before
        ended; None: it still runs."""
        server = str(server_pid()) if ending is None else self._ended
        everybody: list[AskingClient | Subscriber] = [*self.clients, *self.subscribers]
        self._random.shuffle(everybody)
        for each in everybody:
            if self._random.random() >= each.chance:
                continue
            if isinstance(each, AskingClient):
                was_current = each.is_current
                is_listing = each.ask()
                found = each.wrong()
                if ending is not None:
                    report = self.report
                    (report.listings if is_listing else report.exact)[ending] += 1
            else:
                was_current, listings = each.server() == server, each.listings
                found = each.wrong()
                is_listing = each.listings > listings
                self.report.rests[each.name] += ending is not None
            if is_listing and ending in (None, Ending.STOP) and was_current:
                found.append(f"{each.name}: received a listing without need")
            if found:
                what = "while it runs" if ending is None else ending.value
                round_ = self.report.endings.total()
                self.report.wrong += [f"round {round_}, {what}:", *found]

    def _check_log(self, ending: Ending) -> None:
        lines = self._log.read_text().splitlines()
        os.truncate(self._log, 0)
        self.report.complaints += len(lines)
        is_disturbed = ending in (Ending.FULL, Ending.READ_ONLY)
        if any(
            EXCEPTION.match(line)
            or _LOST_STORE in line
            or (_NO_STORE in line and not is_disturbed)
            for line in lines
        ):
            self.report.wrong += [f"the log after {ending.value}:", *lines]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m soak.saves")
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--directories", type=int, default=300)
    options = parser.parse_args()
    os.umask(0o022)
    with suppress(PermissionError):
        enter_own_namespace()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="gamin-soak-") as name:
        place = Path(name)
        saves = Saves(options, place)
        with closing(saves.state), pytest.MonkeyPatch.context() as environment:
            (place / ".gaminrc").write_text(SETTINGS)
            environment.delenv("GAMIN_STATE", raising=False)
            environment.setenv("GAMIN_DEBUG_SERVER", str(saves.server))
            environment.setenv("GAMIN_SOCKET_DIR", name)
            environment.setenv("HOME", name)
            environment.setenv("XDG_STATE_HOME", str(place / "state"))
            with serving(f"soak-{uuid.uuid4()}"):
                try:
                    saves.run()
                finally:
                    for subscriber in saves.subscribers:
                        subscriber.close()
    for line in summary(saves, options, time.monotonic() - began):
        sys.stdout.write(line + "\n")
    return 1 if saves.report.wrong else 0


def summary(saves: Saves, options: argparse.Namespace, seconds: float) -> Iterator[str]:
    report = saves.report
    rounds = report.endings.total()
    yield f"seed {options.seed}: {rounds} rounds, {report.acts} acts, {seconds:.0f} s"
    for ending in Ending:
        yield (
            f"  {report.endings[ending]} rounds: {ending.value}"
            f" ({report.exact[ending]} differences, {report.listings[ending]} listings)"
        )
    if not saves.state.is_mounted:
        yield "  no file system could be mounted, so none was full"
    for progress in Progress:
        yield f"  {report.progress[progress]} kills {progress.value}"
    yield f"  {report.late_kills} kills after the end, {report.new_stores} new stores"
    events = sum(client.events for client in saves.clients)
    repeated = sum(client.repeated for client in saves.clients)
    yield f"  {events} events in differences, {repeated} repeated"
    for each in saves.subscribers:
        times, listings = report.rests[each.name], each.listings
        yield f"  {each.name}: compared at rest {times} times, {listings} listings"
    yield f"  {report.complaints} lines in the log, {len(report.wrong)} wrong"
    yield from (f"    {each}" for each in report.wrong[:MAX_SHOWN])
    if report.wrong:
        command = f"--rounds {options.rounds} --directories {options.directories}"
        yield f"  to repeat: python -m soak.saves {command} --seed {options.seed}"


if __name__ == "__main__":
    sys.exit(main())

"""Real programs, each on its own engine and under `gamin exec`.

    python -m bench.programs [--rounds N] [--edits N] [NAME...]

Run it with a Python in whose environment the programs are installed (`make programs`
makes one); those that are missing are left out. Both runs of a program stand side by
side, and their files are edited in turn, so that a busy machine slows both down. No
file is edited before both programs are at rest.

A line per program and engine, with medians in ms: from an edit to the first output
(most programs report that they reload), from an edit to the reaction, and from Ctrl-C
to the end; and the edits that caused no reaction. A program that fails has the reason
there, and the others are measured.

Exit status 1 if a program fails under `gamin exec`, is not listed by `gamin status`,
ends with another status than on its own engine, or first prints something more than
25 ms later than on its own engine.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from testkit.waiting import eventually
from testkit.watching_programs import BUSY, GAMIN, PROGRAMS, Program, Run, running

START_SECONDS, REACTION_SECONDS, END_SECONDS = 60.0, 8.0, 15.0
"""Seconds that a program has to start, to react to an edit, and to end."""
LISTED_SECONDS = 5.0
"""Seconds in which a program that was just reloaded watches again."""
PACE = 0.001
"""Seconds between two checks whether a program has reacted."""
MAX_MISSED = 3
"""Edits without a reaction after which a program counts as one that does not react."""
REST_PACE, REST_CHECKS, REST_SECONDS = 0.05, 24, 30.0
"""Seconds between two checks whether a program is at rest, how many of them in a row
must find it so (some programs ignore what comes soon after a reload), and seconds
after which it is edited anyway."""
MAX_SLOWER = 0.025
"""Seconds by which the first output may be later under `gamin exec`."""
SHOWN_LINES = 5
"""Last lines of its output that are printed of a program that fails."""

ITS_OWN, GAMIN_EXEC = "its own", "gamin"
ENGINES = {ITS_OWN: False, GAMIN_EXEC: True}


class Failed(Exception):
    """A program does not do what it is measured for."""


class Reaction(NamedTuple):
    """Seconds after an edit."""

    first: float
    """Until the program printed something."""
    shown: float
    """Until the version that was edited appeared."""


class Figures:
    """What several runs of a program on one engine gave."""

    def __init__(self) -> None:
        self.reactions: list[Reaction] = []
        self.missed = 0
        """Edits without any reaction."""
        self.ends: list[float] = []
        """Seconds from each Ctrl-C to the end."""
        self.statuses: set[int] = set()
        self.is_listed = True
        """`gamin status` lists the program or a child of it, in every run."""
        self.error = ""
        """Why there are no more figures."""

    @property
    def first(self) -> float:
        return statistics.median(each.first for each in self.reactions)

    @property
    def shown(self) -> float:
        return statistics.median(each.shown for each in self.reactions)

    def __str__(self) -> str:
        if self.error:
            return self.error
        first, shown = self.first * 1e3, self.shown * 1e3
        end = statistics.median(self.ends) * 1e3
        status = " or ".join(map(str, sorted(self.statuses)))
        return f"{first:7.0f} {shown:9.0f} {self.missed:7} {end:13.0f}   {status}"

    @contextmanager
    def keeping_errors(self) -> Iterator[None]:
        """What fails in this block fails this program on this engine only."""
        try:
            yield
        except (Failed, OSError, subprocess.SubprocessError) as error:
            self.error = str(error)


def measure(program: Program, edits: int, found: dict[str, Figures]) -> None:
    """Run the program on each engine at a time, edit their files, and end both."""
    with ExitStack() as stack:
        top = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        runs = {
            engine: stack.enter_context(
                running(program, top / f"{number}", with_gamin=ENGINES[engine])
            )
            for number, engine in enumerate(found)
        }

        def each(number: int) -> Iterator[tuple[Run, Figures, bool]]:
            """Those without an error, every other time in the other order."""
            for engine in list(found)[:: -1 if number % 2 else 1]:
                if not found[engine].error:
                    yield runs[engine], found[engine], ENGINES[engine]

        for run, figures, _ in each(0):
            with figures.keeping_errors():
                wait_for(run, 0, START_SECONDS)
        for version in range(1, edits + 1):
            for run, figures, _ in each(version):
                with figures.keeping_errors():
                    edit(run, version, figures, runs.values())
        for run, figures, with_gamin in each(0):
            figures.is_listed &= not with_gamin or is_listed(run)
            with figures.keeping_errors():
                wait_for_rest(runs.values())
                end(run, figures)


def edit(run: Run, version: int, figures: Figures, all_runs: Collection[Run]) -> None:
    """Edit the file until the program reacts."""
    for attempt in range(MAX_MISSED + 1):
        wait_for_rest(all_runs)
        try:
            figures.reactions.append(reaction(run, version))
        except TimeoutError as error:
            if attempt == MAX_MISSED:
                raise Failed(str(error)) from error
            figures.missed += 1
        else:
            return


def end(run: Run, figures: Figures) -> None:
    """End the program as Ctrl-C does."""
    began = time.monotonic()
    run.interrupt()
    figures.statuses.add(run.process.wait(END_SECONDS))
    figures.ends.append(time.monotonic() - began)


def wait_for_rest(runs: Collection[Run]) -> None:
    """Return when all programs have started what they start, and wait for changes."""
    in_a_row = 0
    before: list[object] = []
    deadline = time.monotonic() + REST_SECONDS
    while in_a_row < REST_CHECKS and time.monotonic() < deadline:
        time.sleep(REST_PACE)
        states = [run.processes() for run in runs]
        now: list[object] = [*map(set, states), *(run.output for run in runs)]
        is_busy = any(state in BUSY for each in states for state in each.values())
        in_a_row = 0 if is_busy or now != before else in_a_row + 1
        before = now


def is_listed(run: Run) -> bool:
    """Whether `gamin status` lists it; it has just started a new child."""
    with suppress(AssertionError):
        return bool(eventually(run.clients, deadline=LISTED_SECONDS))
    return False


def reaction(run: Run, version: int) -> Reaction:
    """Edit the file, and wait for what comes of it."""
    printed = len(run.output)
    began = time.monotonic()
    run.edit(version)
    while len(run.output) == printed and not run.shows(version):
        if time.monotonic() > began + REACTION_SECONDS:
            break
        time.sleep(PACE)
    first = time.monotonic() - began
    wait_for(run, version, REACTION_SECONDS)
    return Reaction(first, time.monotonic() - began)


def wait_for(run: Run, version: int, seconds: float) -> None:
    """Raises TimeoutError if the version does not appear in time, and Failed if the
    program ends."""
    deadline = time.monotonic() + seconds
    while not run.shows(version):
        if run.process.poll() is not None:
            status = run.process.returncode
            raise Failed(f"ended by itself with status {status}{last_lines(run)}")
        if time.monotonic() > deadline:
            what = f"version {version} did not appear within {seconds:.0f} s"
            raise TimeoutError(what + last_lines(run))
        time.sleep(PACE)


def last_lines(run: Run) -> str:
    lines = run.output.splitlines()[-SHOWN_LINES:]
    return "".join(f"\n    | {line}" for line in lines)


def compare(program: Program, rounds: int, edits: int) -> dict[str, Figures]:
    """The figures of each engine, which take turns."""
    found = {engine: Figures() for engine in ENGINES}
    for _ in range(rounds):
        measure(program, edits, found)
    return found


def complaints(program: Program, own: Figures, ours: Figures) -> Sequence[str]:
    """What is wrong under `gamin exec`."""
    if ours.error:
        return ["fails"]
    found = []
    if not ours.is_listed:
        found.append("is not listed by gamin status")
    if not ours.statuses <= {*own.statuses, *program.ends_with}:
        found.append("ends with another status")
    if not own.error and ours.first > own.first + MAX_SLOWER:
        found.append(f"is {(ours.first - own.first) * 1e3:.0f} ms slower")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.programs")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PROGRAMS))
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--edits", type=int, default=3)
    args = parser.parse_args()
    os.environ["GAM_CLIENT_ID"] = f"programs-{uuid.uuid4()}"
    say("program           engine    output  reaction  missed  after Ctrl-C   status")
    wrong = []
    try:
        for name in args.names or PROGRAMS:
            program = PROGRAMS[name]
            if (reason := program.why_not) is not None:
                say(f"{name:17} {reason}")
                continue
            found = compare(program, args.rounds, args.edits)
            for engine, figures in found.items():
                say(f"{name:17} {engine:8} {figures}")
            own, ours = found[ITS_OWN], found[GAMIN_EXEC]
            wrong += [f"{name} {each}" for each in complaints(program, own, ours)]
    finally:
        subprocess.run([GAMIN, "stop"], check=False, stderr=subprocess.DEVNULL)
    for line in wrong:
        say(line)
    return 1 if wrong else 0


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

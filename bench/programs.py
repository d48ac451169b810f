"""Real programs, each on its own engine and under `gamin exec`.

    python -m bench.programs [--rounds N] [--edits N] [NAME...]

Run it with a Python in whose environment the programs are installed (`make programs`
makes one); those that are missing are left out. Both engines take turns, so that a busy
machine slows both down. A line per program and engine, with medians in ms: from an edit
to the first output (most programs report that they reload), from an edit to the
reaction, and from Ctrl-C to the end; and the edits that caused no reaction.

Exit status 1 if a program does not react under `gamin exec`, is not listed by
`gamin status`, or ends with another status than on its own engine.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from testkit.waiting import eventually
from testkit.watching_programs import GAMIN, PROGRAMS, Program, Run, running

START_SECONDS, REACTION_SECONDS, END_SECONDS = 60.0, 8.0, 15.0
"""Seconds that a program has to start, to react to an edit, and to end."""
LISTED_SECONDS = 5.0
"""Seconds in which a program that was just reloaded watches again."""
PACE = 0.001
"""Seconds between two checks whether a program has reacted."""
MAX_MISSED = 3
"""Edits without a reaction after which a program counts as one that does not react."""
QUIET_SECONDS = 1.5
"""Seconds between a reaction and the next edit: a new child begins to watch, and some
programs ignore what comes soon after a reload."""

ENGINES = {"its own": False, "gamin": True}


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

    def __str__(self) -> str:
        if self.error:
            return self.error
        first = statistics.median(each.first for each in self.reactions) * 1e3
        shown = statistics.median(each.shown for each in self.reactions) * 1e3
        end = statistics.median(self.ends) * 1e3
        status = " or ".join(map(str, sorted(self.statuses)))
        return f"{first:7.0f} {shown:9.0f} {self.missed:7} {end:13.0f}   {status}"


def measure(
    program: Program, edits: int, figures: Figures, *, with_gamin: bool
) -> None:
    """Run the program, edit its file, and end it."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running(program, Path(folder), with_gamin=with_gamin) as run,
    ):
        wait_for(run, 0, START_SECONDS)
        version = done = missed = 0
        while done < edits:
            version += 1
            time.sleep(QUIET_SECONDS)
            try:
                figures.reactions.append(reaction(run, version))
                done += 1
            except TimeoutError:
                missed += 1
                if missed > MAX_MISSED:
                    raise
        figures.missed += missed
        figures.is_listed &= not with_gamin or is_listed(run)
        began = time.monotonic()
        run.interrupt()
        figures.statuses.add(run.process.wait(END_SECONDS))
        figures.ends.append(time.monotonic() - began)


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
    """Raises TimeoutError if the version does not appear in time."""
    end = time.monotonic() + seconds
    while not run.shows(version):
        if time.monotonic() > end:
            raise TimeoutError(f"no reaction to version {version}:\n{run.output}")
        time.sleep(PACE)


def compare(program: Program, rounds: int, edits: int) -> dict[str, Figures]:
    """The figures of each engine, which take turns."""
    found = {engine: Figures() for engine in ENGINES}
    for _ in range(rounds):
        for engine, figures in found.items():
            try:
                measure(program, edits, figures, with_gamin=ENGINES[engine])
            except (TimeoutError, subprocess.TimeoutExpired) as error:
                figures.error = str(error)
    return found


def complaints(program: Program, own: Figures, ours: Figures) -> list[str]:
    """What is wrong under `gamin exec`."""
    found = []
    if ours.error:
        found.append("does not react")
    elif not ours.is_listed:
        found.append("is not listed by gamin status")
    if not ours.statuses <= {*own.statuses, *program.ends_with}:
        found.append("ends with another status")
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
            if not program.is_installed:
                say(f"{name:17} is not installed")
                continue
            found = compare(program, args.rounds, args.edits)
            for engine, figures in found.items():
                say(f"{name:17} {engine:8} {figures}")
            wrong += [f"{name} {each}" for each in complaints(program, *found.values())]
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

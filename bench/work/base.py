"""The parts of every work: its place, its table, and how a load is measured.

The figures are collected as plain values; tables are made in `bench.results`.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.belief import Report, ReportKind, believed, compare
from bench.peers.base import Peer
from bench.results import Column, Unit, Value
from bench.session import Session, Watcher
from bench.work.size import Size


@dataclass(frozen=True, slots=True)
class Place:
    """Where the files are made, and how many."""

    path: Path
    size: Size

    def root(self) -> Path:
        """An empty directory to watch; what was there before is gone."""
        root = self.path / "root"
        subprocess.run(["rm", "-rf", str(root)], check=True)
        root.mkdir()
        return root


@dataclass(frozen=True, slots=True)
class Work:
    name: str
    title: str
    about: Callable[[Size], str]
    columns: tuple[Column, ...]
    run: Callable[[Peer, Place], dict[str, Value]]
    """Raises GaveUp when the peer cannot do it."""
    fits: Callable[[Peer], str] = lambda peer: ""
    """Why this work is not for that peer; empty if it is."""


STEP_SECONDS = 0.05  # the resolution of "done after"

LOAD = (
    Column("cpu", "CPU", Unit.SECONDS, ratio=True),
    Column("behind", "done after", Unit.SECONDS),
    Column("events", "events", Unit.COUNT),
    Column("missing", "missing", Unit.COUNT),
    Column("stale", "stale", Unit.COUNT),
    Column("loss", "loss", Unit.TEXT),
    Column("memory", "PSS", Unit.BYTES),
    Column("watches", "watches", Unit.COUNT),
)
LOAD_ABOUT = (
    "CPU: of all its processes, server included, until it is quiet again. Done after: "
    "from the end of the load until then. Missing and stale: paths wrong in what the "
    "client believes at the end, against the disk. Loss: whether the client learns "
    "that changes were lost; logged: only its log is; silent: nobody is, and what "
    "it believes is wrong."
)


def recursive_only(peer: Peer) -> str:
    return "watches one directory" if peer.name == "gamin-v1" else ""


def under_load(
    session: Session, watcher: Watcher, load: Callable[[], object]
) -> dict[str, Value]:
    """Put `load` on a session's watchers; return the figures of `watcher`."""
    root = watcher.request.root
    start = paths(root)
    cpu = session.cpu()
    load()
    ended = time.monotonic()
    quiet = session.settle(step=STEP_SECONDS)
    values: dict[str, Value] = {
        "cpu": session.cpu() - cpu,
        "behind": quiet - ended if quiet - ended > STEP_SECONDS / 2 else 0.0,
        "memory": session.memory(),
        "watches": session.watches(),
    }
    return values | outcome(watcher, start)


def outcome(watcher: Watcher, start: set[bytes]) -> dict[str, Value]:
    """What the client received, and how far from the disk that leaves it."""
    reports = watcher.finish()
    wrong = compare(believed(start, reports), paths(watcher.request.root))
    return {
        "events": sum(
            report.kind not in (ReportKind.LOST, ReportKind.RESET) for report in reports
        ),
        "missing": wrong.missing,
        "stale": wrong.stale,
        "loss": _loss(watcher, reports, any(wrong)),
    }


def _loss(watcher: Watcher, reports: list[Report], wrong: bool) -> str:
    if any(report.kind is ReportKind.LOST for report in reports):
        return "reported"
    if watcher.peer.detected_loss(watcher.errors()):
        return "logged"
    return "silent" if wrong else "none"


def paths(root: Path) -> set[bytes]:
    """Everything below `root`, relative to it."""
    top = os.fsencode(root)
    return {
        os.path.join(directory, name)[len(top) + 1 :]
        for directory, directories, files in os.walk(top)
        for name in (*directories, *files)
    }


def installed(command: list[str]) -> bool:
    return bool(command) and shutil.which(command[0]) is not None

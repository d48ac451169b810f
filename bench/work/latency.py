"""How soon a change is in the client's hands while little happens."""

import subprocess
from pathlib import Path
from statistics import median, quantiles

from bench.build import generate, program
from bench.peers.base import Peer
from bench.results import Column, Unit, Value
from bench.session import GaveUp, session
from bench.work.base import Place, Work, recursive_only
from bench.work.size import Size

COLUMNS = (
    Column("median", "median", Unit.SECONDS, ratio=True),
    Column("p99", "99 %", Unit.SECONDS),
    Column("slowest", "slowest", Unit.SECONDS),
    Column("pings", "pings", Unit.COUNT),
    Column("lost", "lost", Unit.COUNT),
)


def quiet(peer: Peer, place: Place) -> dict[str, Value]:
    root = place.root()
    return _pinged(peer, place, root, root, flat=True)


def deep(peer: Peer, place: Place) -> dict[str, Value]:
    root = place.root()
    lowest = generate("tree", root, place.size.tree, 0).strip()
    return _pinged(peer, place, root, Path(lowest), flat=False)


def _pinged(
    peer: Peer, place: Place, root: Path, directory: Path, *, flat: bool
) -> dict[str, Value]:
    size = place.size
    with session(place.path) as watching:
        watcher = watching.watch(peer, root, flat=flat, stamp=True, piped=True)
        watching.settle(0.2)
        ping = [program("ping"), str(directory), str(size.pings)]
        done = subprocess.run(
            [*ping, str(size.ping_seconds)],
            stdin=watcher.process.stdout,
            capture_output=True,
            text=True,
            check=True,
        )
        watcher.check_alive()
    answers = done.stdout.split()
    delays = [int(answer) / 1e9 for answer in answers if answer != "lost"]
    if len(delays) < 2:
        raise GaveUp("told of nothing")
    return {
        "median": median(delays),
        "p99": quantiles(delays, n=100, method="inclusive")[98],
        "slowest": max(delays),
        "pings": len(answers),
        "lost": len(answers) - len(delays),
    }


ABOUT = (
    "From the call that makes a file until the client has the event, one file at a "
    "time, {0.pings} of them or {0.ping_seconds} s. Our clients and those in Python "
    "take the time themselves; of command line tools, it is when the line arrives."
)


def _about_quiet(size: Size) -> str:
    return ABOUT.format(size)


def _about_deep(size: Size) -> str:
    return f"The same at the bottom of a watched tree of {size.tree:,} directories."


QUIET = Work("latency", "Latency in one directory", _about_quiet, COLUMNS, quiet)
DEEP = Work(
    "deep", "Latency deep in a tree", _about_deep, COLUMNS, deep, fits=recursive_only
)

"""The latency from a change to the client while little happens.

Where the kernel lets the processes run decides more than what they do. A process that
is woken on the core of the one that wakes it runs after some 5 µs; one on another core,
which sleeps, after 60 to 90 on a virtual machine (measured). Left to itself the kernel
gives a reader in C the first and a server with its client one or two of the second. So
there is a work where it has no choice: the writer has one core, the watchers the
others.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
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


def apart(peer: Peer, place: Place) -> dict[str, Value]:
    root = place.root()
    writer, *watchers = sorted(os.sched_getaffinity(0))
    if not watchers:
        raise GaveUp("needs two cores")
    return _pinged(peer, place, root, root, flat=True, cores=({writer}, set(watchers)))


def deep(peer: Peer, place: Place) -> dict[str, Value]:
    root = place.root()
    lowest = generate("tree", root, place.size.tree, 0).strip()
    return _pinged(peer, place, root, Path(lowest), flat=False)


def _pinged(
    peer: Peer,
    place: Place,
    root: Path,
    directory: Path,
    *,
    flat: bool,
    cores: tuple[set[int], set[int]] | None = None,
) -> dict[str, Value]:
    """`cores`: those of the writer and of the watchers; any by default."""
    size = place.size
    for_writer, for_watchers = cores or (os.sched_getaffinity(0),) * 2
    with session(place.path) as watching:
        with _started_on(for_watchers):
            watcher = watching.watch(peer, root, flat=flat, stamp=True, piped=True)
        watching.settle(0.2)
        ping = [program("ping"), str(directory), str(size.pings)]
        with _started_on(for_writer):
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
        raise GaveUp("reported nothing")
    return {
        "median": median(delays),
        "p99": quantiles(delays, n=100, method="inclusive")[98],
        "slowest": max(delays),
        "pings": len(answers),
        "lost": len(answers) - len(delays),
    }


@contextmanager
def _started_on(cores: set[int]) -> Iterator[None]:
    """Processes started now run on these cores, and so do those that they start."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


ABOUT = (
    "From the call that makes a file until the client has the event, one file at a "
    "time, {0.pings} of them or {0.ping_seconds} s. Our clients and those in Python "
    "take the time themselves; of command line tools, it is when the line arrives."
)


def _about_quiet(size: Size) -> str:
    return ABOUT.format(size)


def _about_apart(size: Size) -> str:
    return (
        "The same, but the writer has a core for itself, and the watchers have the "
        "others: every watcher has to be woken across cores, once, and what is beyond "
        "that is its own. Left to itself, the kernel spares some of them that."
    )


def _about_deep(size: Size) -> str:
    return f"The same at the bottom of a watched tree of {size.tree:,} directories."


QUIET = Work("latency", "Latency in one directory", _about_quiet, COLUMNS, quiet)
APART = Work("apart", "Latency across cores", _about_apart, COLUMNS, apart)
DEEP = Work(
    "deep", "Latency deep in a tree", _about_deep, COLUMNS, deep, fits=recursive_only
)

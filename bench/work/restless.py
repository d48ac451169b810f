"""Paths that never rest: a file that is written, a directory where files come and go.

Another client watches a directory in which little happens.
"""

import subprocess
import time
from pathlib import Path
from statistics import median

from bench.build import program
from bench.peers.base import Peer
from bench.results import Column, Unit, Value
from bench.session import Session, Watcher, session
from bench.work.base import Place, Work, outcome, paths
from bench.work.size import Size

COLUMNS = (
    Column("cpu", "CPU", Unit.SECONDS, ratio=True),
    Column("share", "of one core, later", Unit.TEXT),
    Column("events", "events", Unit.COUNT),
    Column("beside", "latency beside it", Unit.SECONDS),
    Column("behind", "done after", Unit.SECONDS),
    Column("loss", "loss", Unit.TEXT),
)
FIRST_SECOND = 1.0
MAX_PINGS = 200


def hammer(peer: Peer, place: Place) -> dict[str, Value]:
    root = place.root()
    hot = root / "hot"
    hot.mkdir()
    (hot / "log").touch()
    return _restless(peer, place, root, "hammer", hot / "log", place.size.appends)


def churn(peer: Peer, place: Place) -> dict[str, Value]:
    root = place.root()
    hot = root / "hot"
    hot.mkdir()
    return _restless(peer, place, root, "churn", hot, place.size.churn)


def _restless(
    peer: Peer,
    place: Place,
    root: Path,
    what: str,
    target: Path,
    rate_seconds: tuple[int, int],
) -> dict[str, Value]:
    rate, seconds = rate_seconds
    command = [program(what), str(target), str(rate), str(seconds)]
    return _alone(peer, place, root, command, seconds) | _beside(
        peer, place, root, command, seconds
    )


def _alone(
    peer: Peer, place: Place, root: Path, command: list[str], seconds: int
) -> dict[str, Value]:
    """What it costs, with nothing else going on."""
    with session(place.path) as watching:
        victim = watching.watch(peer, root / "hot", flat=True)
        start = paths(root / "hot")
        cpu = watching.cpu()
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as running:
            share = _later_share(watching, seconds)
            running.wait()
        ended = time.monotonic()
        quiet = watching.settle()
        values: dict[str, Value] = {
            "cpu": watching.cpu() - cpu,
            "share": f"{100 * share:.1f} %",
            "behind": max(0.0, quiet - ended),
        }
        reported = outcome(victim, start)
    return values | {key: reported[key] for key in ("events", "loss")}


def _beside(
    peer: Peer, place: Place, root: Path, command: list[str], seconds: int
) -> dict[str, Value]:
    """What it costs those who watch something else."""
    calm = root / "calm"
    calm.mkdir()
    with session(place.path) as watching:
        watching.watch(peer, root / "hot", flat=True)
        neighbour = watching.watch(peer, calm, flat=True, stamp=True, piped=True)
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as running:
            values = _pinged(neighbour, calm, seconds)
            running.wait()
    return values


def _later_share(watching: Session, seconds: int) -> float:
    """The share of one core used after the first second, up to the middle."""
    time.sleep(FIRST_SECOND)
    cpu, began = watching.cpu(), time.monotonic()
    time.sleep(max(0.5, seconds / 2 - FIRST_SECOND))
    return (watching.cpu() - cpu) / (time.monotonic() - began)


def _pinged(neighbour: Watcher, calm: Path, seconds: int) -> dict[str, Value]:
    done = subprocess.run(
        [program("ping"), str(calm), str(MAX_PINGS), str(max(1, seconds // 3))],
        stdin=neighbour.process.stdout,
        capture_output=True,
        text=True,
        check=True,
    )
    delays = [int(each) / 1e9 for each in done.stdout.split() if each != "lost"]
    return {"beside": median(delays)} if delays else {}


ABOUT = (
    "CPU: all of it; later: between the first second and the middle. Latency beside "
    "it, in a second run: median of creations in another directory meanwhile, sent to "
    "another client."
)


def _about_hammer(size: Size) -> str:
    rate, seconds = size.appends
    return f"{rate:,} appends a second to one file, for {seconds} s. {ABOUT}"


def _about_churn(size: Size) -> str:
    rate, seconds = size.churn
    return (
        f"{rate:,} files a second made and removed in one directory, for {seconds} s. "
        "Columns as above."
    )


HAMMER = Work("hammer", "One file written all the time", _about_hammer, COLUMNS, hammer)
CHURN = Work("churn", "Files that come and go", _about_churn, COLUMNS, churn)

"""Start-up of the first client, of the second, and of a command's help."""

import os
import subprocess
import time
from statistics import median

from bench.peers.base import Peer
from bench.results import Column, Unit, Value
from bench.session import session
from bench.work.base import Place, Work, installed
from bench.work.size import Size

COLUMNS = (
    Column("first", "first client", Unit.SECONDS, ratio=True),
    Column("next", "next client", Unit.SECONDS, ratio=True),
    Column("help", "`--help`", Unit.SECONDS),
)


def startup(peer: Peer, place: Place) -> dict[str, Value]:
    root = place.root()
    rounds = [_first_and_next(peer, place) for _ in range(place.size.starts)]
    values: dict[str, Value] = {
        "first": median(first for first, _ in rounds),
        "next": median(second for _, second in rounds),
    }
    if installed(peer.help()):
        times = [_timed(peer.help()) for _ in range(2 * place.size.starts)]
        values["help"] = median(times)
    root.rmdir()
    return values


def _first_and_next(peer: Peer, place: Place) -> tuple[float, float]:
    root = place.root()
    with session(place.path) as watching:
        first = watching.watch(peer, root, flat=True)
        second = watching.watch(peer, root, flat=True)
        return first.ready_after(), second.ready_after()


def _timed(command: list[str]) -> float:
    started = time.monotonic()
    subprocess.run(command, capture_output=True, env=os.environ)
    return time.monotonic() - started


def _about(size: Size) -> str:
    return (
        "From the start of the program until it watches an empty directory: the first "
        "client (which starts the server, where there is one) and the next. Programs "
        "that do not say when they watch: until they took their last kernel watch. "
        f"Medians of {size.starts}."
    )


STARTUP = Work("startup", "Start-up", _about, COLUMNS, startup)

"""A server that is killed while files change."""

import contextlib
import os
import signal
import time

from bench.peers.base import Peer
from bench.results import Column, Unit, Value
from bench.session import GaveUp, session
from bench.work.base import Place, Work, outcome, paths
from bench.work.size import Size

WAIT_SECONDS = 15.0
STEP_SECONDS = 0.005

COLUMNS = (
    Column("again", "reports again after", Unit.SECONDS),
    Column("made", "made", Unit.COUNT),
    Column("missing", "missing", Unit.COUNT),
    Column("stale", "stale", Unit.COUNT),
    Column("loss", "loss", Unit.TEXT),
)


def reconnect(peer: Peer, place: Place) -> dict[str, Value]:
    root = place.root()
    for number in range(100):
        (root / f"old-{number}").touch()
    with session(place.path) as watching:
        watcher = watching.watch(peer, root, flat=True, stamp=True)
        start = paths(root)
        reported = len(watcher.output())
        killed = time.monotonic()
        for pid in watching.servers():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for number in range(50):
            (root / f"old-{number}").unlink()
        made = 0
        while len(watcher.output()) == reported:
            watcher.check_alive()
            if time.monotonic() > killed + WAIT_SECONDS:
                raise GaveUp(f"reported nothing for {WAIT_SECONDS:.0f} s")
            (root / f"new-{made}").touch()
            made += 1
            time.sleep(STEP_SECONDS)
        again = time.monotonic() - killed
        watching.settle()
        return {"again": again, "made": made} | outcome(watcher, start)


def _fits(peer: Peer) -> str:
    return "" if peer.has_server else "no server"


def _about(size: Size) -> str:
    return (
        "The server is killed (SIGKILL), 50 of 100 files are removed at once, and a "
        "new one is made every 5 ms until the client hears of a change again. Missing "
        "and stale: paths wrong in what it believes afterwards."
    )


RECONNECT = Work("reconnect", "Server killed", _about, COLUMNS, reconnect, fits=_fits)

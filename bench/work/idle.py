"""What watching costs while nothing happens."""

import time

from bench.build import generate
from bench.peers.base import Peer
from bench.results import Column, Unit, Value
from bench.session import session
from bench.work.base import Place, Work, recursive_only
from bench.work.size import Size

COLUMNS = (
    Column("wakeups", "wake-ups a minute", Unit.COUNT),
    Column("cpu", "CPU a minute", Unit.SECONDS),
    Column("memory", "PSS", Unit.BYTES, ratio=True),
    Column("processes", "processes", Unit.COUNT),
)


def idle(peer: Peer, place: Place) -> dict[str, Value]:
    root = place.root()
    generate("tree", root, place.size.tree, 10 * place.size.tree)
    seconds = place.size.idle_seconds
    with session(place.path) as watching:
        watching.watch(peer, root)
        watching.settle()
        wakeups, cpu = watching.wakeups(), watching.cpu()
        time.sleep(seconds)
        return {
            "cpu": (watching.cpu() - cpu) * 60 / seconds,
            "wakeups": (watching.wakeups() - wakeups) * 60 / seconds,
            "memory": watching.memory(),
            "processes": len(watching.pids()),
        }


def _about(size: Size) -> str:
    return (
        f"A tree of {size.tree:,} directories and {10 * size.tree:,} files is watched "
        f"and does not change, for {size.idle_seconds} s."
    )


IDLE = Work("idle", "Idle", _about, COLUMNS, idle, fits=recursive_only)

"""Many programs that watch the same tree."""

from bench.build import generate
from bench.peers.base import Peer
from bench.results import Column, Unit, Value
from bench.session import session
from bench.work.base import Place, Work, outcome, paths, recursive_only
from bench.work.size import Size

FILES = (100, 1, 100)  # as a storm: directories, rounds, files in each

COLUMNS = (
    Column("watches", "watches", Unit.COUNT, ratio=True),
    Column("memory", "PSS", Unit.BYTES, ratio=True),
    Column("setup", "CPU to start", Unit.SECONDS, ratio=True),
    Column("cpu", "CPU", Unit.SECONDS, ratio=True),
    Column("events", "events", Unit.COUNT),
    Column("wrong", "wrong paths", Unit.COUNT),
)


def clients(peer: Peer, place: Place) -> dict[str, Value]:
    root = place.root()
    generate("tree", root, place.size.tree, 10 * place.size.tree)
    changing = root / "changing"
    changing.mkdir()
    generate("storm", changing, *FILES, "--prepare")
    with session(place.path) as watching:
        for _ in range(place.size.clients):
            watching.watch(peer, root)
        watching.settle(0.5)
        values: dict[str, Value] = {
            "setup": watching.cpu(),
            "memory": watching.memory(),
            "watches": watching.watches(),
        }
        start, before = paths(root), watching.cpu()
        generate("storm", changing, *FILES)
        watching.settle()
        values["cpu"] = watching.cpu() - before
        outcomes = [outcome(watcher, start) for watcher in watching.watchers]
    return values | {
        "events": _sum(outcomes, "events"),
        "wrong": _sum(outcomes, "missing") + _sum(outcomes, "stale"),
    }


def _sum(outcomes: list[dict[str, Value]], key: str) -> float:
    return sum(float(each[key]) for each in outcomes)


def _about(size: Size) -> str:
    directories, rounds, files = FILES
    made = directories * rounds * files
    return (
        f"{size.clients} clients, started one after another, on one tree of "
        f"{size.tree:,} directories; then {made:,} files made in it and {made:,} "
        "removed. All figures are sums over the clients and their server."
    )


CLIENTS = Work("clients", "Many clients", _about, COLUMNS, clients, fits=recursive_only)

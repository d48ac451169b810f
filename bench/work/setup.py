"""Beginning to watch a large tree."""

from pathlib import Path

from bench.build import generate
from bench.peers.base import Peer
from bench.results import Column, Unit, Value
from bench.session import session
from bench.work.base import Place, Work, recursive_only
from bench.work.size import Size

COLUMNS = (
    Column("ready", "watching after", Unit.SECONDS, ratio=True),
    Column("next", "as a second client", Unit.SECONDS, ratio=True),
    Column("cpu", "CPU", Unit.SECONDS, ratio=True),
    Column("memory", "PSS", Unit.BYTES, ratio=True),
    Column("watches", "watches", Unit.COUNT),
)


def setup(peer: Peer, place: Place) -> dict[str, Value]:
    root = _made(place)
    with session(place.path) as watching:
        watcher = watching.watch(peer, root)
        values: dict[str, Value] = {
            "ready": watcher.ready_after(),
            "cpu": watching.cpu(),
            "memory": watching.memory(),
            "watches": watching.watches(),
        }
    return values | {"next": _next(peer, place, root)}


def _next(peer: Peer, place: Place, root: Path) -> float:
    """Seconds for a second client, when the server runs already."""
    with session(place.path) as watching:
        watching.watch(peer, place.root())
        return watching.watch(peer, root).ready_after()


def _made(place: Place) -> Path:
    """The tree, made on first use; works only read it."""
    root = place.path / "large"
    if not root.exists():
        root.mkdir()
        generate("tree", root, *place.size.large)
    return root


def _about(size: Size) -> str:
    directories, files = size.large
    return (
        f"From the start of the program until it watches {directories:,} directories "
        f"with {files:,} files; as a second client: where another one watches an "
        "empty directory already, so that the server, where there is one, runs."
    )


SETUP = Work("setup", "Set-up", _about, COLUMNS, setup, fits=recursive_only)

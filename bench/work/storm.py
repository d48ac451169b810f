"""A storm: as many changes as a program can make."""

from bench.build import generate
from bench.peers.base import Peer
from bench.results import Value
from bench.session import session
from bench.work.base import LOAD, LOAD_ABOUT, Place, Work, recursive_only, under_load
from bench.work.size import Size


def storm(peer: Peer, place: Place) -> dict[str, Value]:
    root = place.root()
    generate("storm", root, *place.size.storm, "--prepare")
    with session(place.path) as watching:
        watcher = watching.watch(peer, root)
        return under_load(
            watching, watcher, lambda: generate("storm", root, *place.size.storm)
        )


def _about(size: Size) -> str:
    directories, rounds, files = size.storm
    made = directories * rounds * files
    return (
        f"{made:,} creations, {made:,} deletions, {made // 20:,} renames and "
        f"{made // 20:,} writes in {directories} directories at full speed. "
        f"{LOAD_ABOUT}"
    )


STORM = Work("storm", "Storm", _about, LOAD, storm, fits=recursive_only)

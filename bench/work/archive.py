"""An archive unpacked, removed, and unpacked again: new directories all the time."""

import subprocess
from pathlib import Path

from bench.build import generate
from bench.peers.base import Peer
from bench.results import Value
from bench.session import session
from bench.work.base import LOAD, Place, Work, recursive_only, under_load
from bench.work.size import Size


def archive(peer: Peer, place: Place) -> dict[str, Value]:
    packed = _packed(place)
    root = place.root()
    with session(place.path) as watching:
        watcher = watching.watch(peer, root)
        return under_load(watching, watcher, lambda: _unpack_twice(packed, root))


def _packed(place: Place) -> Path:
    """The archive, made on first use."""
    packed = place.path / "archive.tar"
    if not packed.exists():
        root = place.root()
        generate("tree", root, *place.size.archive)
        subprocess.run(["tar", "-C", root, "-cf", packed, "."], check=True)
    return packed


def _unpack_twice(packed: Path, root: Path) -> None:
    unpacked = root / "unpacked"
    unpacked.mkdir()
    unpack = ["tar", "-C", str(unpacked), "-xf", str(packed)]
    subprocess.run(unpack, check=True)
    subprocess.run(["rm", "-rf", unpacked], check=True)
    unpacked.mkdir()
    subprocess.run(unpack, check=True)


def _about(size: Size) -> str:
    directories, files = size.archive
    return (
        f"`tar -x` of {files:,} files in {directories:,} directories, `rm -rf`, and "
        "`tar -x` again. Columns as above."
    )


ARCHIVE = Work(
    "archive", "Archive unpacked twice", _about, LOAD, archive, fits=recursive_only
)

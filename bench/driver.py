"""Runs the works with the peers, keeps what was measured, prints the tables.

`bench.work` contains the works, `bench.peers` the watchers.
"""

import argparse
import compileall
import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from bench import greedy, watchman
from bench.build import NotBuilt
from bench.document import Kept, document
from bench.machine import machine
from bench.peers.all import PEERS
from bench.peers.base import Peer
from bench.results import YARDSTICK, Row
from bench.session import GaveUp
from bench.work.all import WORKS
from bench.work.base import Place, Work
from bench.work.size import QUICK, Size

SOURCE = Path(__file__).parent.parent / "src"
RESULTS = Path(__file__).parent / "results"
DOCUMENT = Path(__file__).parent.parent / "docs" / "benchmarks.md"


def main(arguments: Sequence[str]) -> int:
    if arguments and arguments[0] == "greedy":  # its table has acts, and no peers
        return greedy.main(list(arguments[1:]))
    if arguments and arguments[0] == "watchman":  # two servers side by side
        return watchman.main(list(arguments[1:]))
    options = _parser().parse_args(arguments)
    # However it ends, it ends what it started and removes its files.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if options.load:
        runs = [json.loads(Path(name).read_text()) for name in options.load]
    else:
        runs = [_run(options, " ".join(["python -m bench", *arguments]))]
    text = document(runs)
    print(text)
    if options.write:
        DOCUMENT.parent.mkdir(exist_ok=True)
        DOCUMENT.write_text(text)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "works",
        nargs="*",
        metavar="WORK",
        type=_known(WORKS),
        help=f"all if none is named: {', '.join(WORKS)}",
    )
    parser.add_argument(
        "--peers",
        type=lambda text: [_known(PEERS)(name) for name in text.split(",")],
        default=list(PEERS),
        metavar="PEER,…",
        help=f"the yardstick {YARDSTICK} is always added: {', '.join(PEERS)}",
    )
    parser.add_argument("--repeat", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--quick", action="store_true", help="small, to see it work")
    parser.add_argument(
        "--place", type=Path, default="/dev/shm", help="where files are made"
    )
    parser.add_argument("--write", action="store_true", help="to docs/benchmarks.md")
    parser.add_argument(
        "--load", nargs="+", metavar="FILE", help="show earlier results"
    )
    return parser


def _known(names: Mapping[str, object]) -> Callable[[str], str]:
    def known(name: str) -> str:
        if name not in names:
            raise argparse.ArgumentTypeError(f"{name} is none of {', '.join(names)}")
        return name

    return known


def _run(options: argparse.Namespace, command: str) -> Kept:
    """Measure, and save after every row: a run may be interrupted."""
    size = QUICK if options.quick else Size()
    peers = [PEERS[name] for name in dict.fromkeys([YARDSTICK, *options.peers])]
    works = [WORKS[name] for name in options.works or WORKS]
    kept: Kept = {"command": command, **machine(options.place), "size": asdict(size)}
    kept["versions"] = {p.name: p.version() for p in peers if not p.missing()}
    kept["rows"] = []
    # As pip does when it installs a package; otherwise, where Python is set to write
    # no bytecode, every start of ours would compile all of it.
    compileall.compile_dir(SOURCE, quiet=1)
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{datetime.now(UTC):%Y%m%d-%H%M%S}.json"
    directory = Path(tempfile.mkdtemp(prefix="gamin-bench-", dir=options.place))
    try:
        for row in _rows(works, peers, options.repeat, Place(directory, size)):
            print(row.work, row.peer, row.note or row.values, file=sys.stderr)
            kept["rows"].append(asdict(row))
            file.write_text(json.dumps(kept, indent=1))
    finally:
        shutil.rmtree(directory)
    return kept


def _rows(
    works: list[Work], peers: list[Peer], repeats: int, place: Place
) -> Iterator[Row]:
    for work in works:
        for repeat in range(repeats):
            for peer in peers:
                if not peer.works or work.name in peer.works:
                    yield _row(work, peer, repeat, place)


def _row(work: Work, peer: Peer, repeat: int, place: Place) -> Row:
    note = peer.missing() or work.fits(peer)
    if note:
        return Row(work.name, peer.name, repeat, note=note)
    try:
        return Row(work.name, peer.name, repeat, work.run(peer, place))
    except (GaveUp, NotBuilt) as error:
        return Row(work.name, peer.name, repeat, note=f"gave up: {error}")

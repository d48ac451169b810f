"""`python -m bench.growth`: measures the curves, keeps the points, writes the page.

What is measured is in `points`, which sizes in `curves`, what is shown in `page`.
"""

import argparse
import json
import multiprocessing
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.growth.curves import CURVES
from bench.growth.limits import room_for_watches
from bench.growth.page import Kept, page, pictures, updated
from bench.growth.points import Point
from bench.machine import machine

REPOSITORY = Path(__file__).parents[2]
RESULTS = REPOSITORY / "bench" / "results"
DOCUMENT = REPOSITORY / "docs" / "growth.md"
WATCHES = 400_000  # what the largest tree needs, with what is left to others


def main(arguments: Sequence[str]) -> int:
    options = _parser().parse_args(arguments)
    # Ended in any way, it takes its files away.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if options.load:
        kept = json.loads(Path(options.load).read_text())
    else:
        command = " ".join(["python -m bench.growth", *arguments])
        with room_for_watches(WATCHES):
            kept = _run(options, command)
    print(page(kept))
    if options.write:
        _write(kept)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description=__doc__)
    parser.add_argument("curves", nargs="*", metavar="CURVE", help=", ".join(CURVES))
    parser.add_argument("--most", type=int, default=1_000_000, help="no larger size")
    parser.add_argument(
        "--place", type=Path, default="/dev/shm", help="where files are made"
    )
    parser.add_argument(
        "--write", action="store_true", help="these curves to docs/growth.md"
    )
    parser.add_argument("--load", metavar="FILE", help="show an earlier result")
    return parser


def _run(options: argparse.Namespace, command: str) -> Kept:
    """Measure, and keep what there is after every point: a run may be interrupted."""
    began = time.monotonic()
    kept: Kept = {"command": command, **machine(options.place), "curves": {}}
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"growth-{datetime.now(UTC):%Y%m%d-%H%M%S}.json"
    for name in options.curves or CURVES:
        points = kept["curves"][name] = []
        for size, values in _points(name, options):
            print(name, size, values, file=sys.stderr)
            points.append({"size": size, "values": values})
            kept["seconds"] = time.monotonic() - began
            file.write_text(json.dumps(kept, indent=1))
    return kept


def _points(name: str, options: argparse.Namespace) -> Iterator[tuple[int, Point]]:
    """Each by a process of its own, which knows nothing of the others' memory."""
    fresh = multiprocessing.get_context("spawn")
    for size in CURVES[name].sizes:
        if size > options.most:
            continue
        place = Path(tempfile.mkdtemp(prefix="gamin-growth-", dir=options.place))
        try:
            with fresh.Pool(1) as pool:
                yield size, pool.apply(CURVES[name].measure, (place, size))
        finally:
            shutil.rmtree(place)


def _write(kept: Kept) -> None:
    DOCUMENT.write_text(updated(DOCUMENT.read_text(), kept))
    folder = DOCUMENT.with_suffix("")
    folder.mkdir(exist_ok=True)
    for name, text in pictures(kept).items():
        (folder / name).write_text(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

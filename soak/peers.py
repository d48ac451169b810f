"""What other watchers' clients believe after the same trouble.

    python -m soak.peers [--peers NAME,...] [--seed N]

Each watcher by itself follows a tree that programs change, and has time to become
quiet. Then the paths that its reports make a client believe in are compared with the
disk. Prints a table: paths that are *missing* or *stale*, and "silent" where a watcher
did not say that it may have missed something.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

from bench.belief import ReportKind, believed, compare
from bench.peers.all import PEERS
from bench.peers.base import Peer
from bench.session import GaveUp, Session
from testkit.actions import actor
from testkit.actions.acts import Act, perform
from testkit.actions.real_disk import RealDisk

DEFAULT_PEERS = "gamin,watchman,watchdog,watchfiles"
FILES = 20_000
"""Files made while a watcher is stopped; the kernel's queue has 16,384 events."""
ACTS = 4000
"""Random acts of each of two programs."""
RENAMES = 2000
QUIET = 3.0
"""Seconds without work after which a watcher has reported what it will report."""


class Trouble:
    """One tree, its watcher, and what is done to both."""

    def __init__(self, session: Session, root: Path, outside: Path, seed: int) -> None:
        self._session = session
        self._root, self._outside, self._seed = root, outside, seed

    def random_acts(self) -> None:
        """Two programs do what they like, at full speed."""
        self._act(ACTS)

    def stopped_watcher(self) -> None:
        """The watcher does not run while 20,000 files are made."""
        pids = self._session.pids()
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        for number in range(FILES):
            (self._root / f"made {number}").touch()
        for pid in pids:
            os.kill(pid, signal.SIGCONT)

    def renames(self) -> None:
        """Directories change places again and again, and files in them are made."""
        disk, root = RealDisk(self._root), os.fsencode(self._root)
        names = [root + b"/%d" % number for number in range(8)]
        for name in names:
            disk.makedirs(name + b"/below/deep")
        for number in range(RENAMES):
            one, other = names[number % 8], names[(number * 5 + 3) % 8]
            with suppress(OSError):
                perform(Act("exchange" if number % 2 else "swap", one, other), disk)
                disk.touch(one + b"/below/%d" % (number % 50))

    def killed_server(self) -> None:
        """The server is killed in the middle of random acts."""
        self._act(ACTS // 4)
        for pid in self._session.servers():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._act(ACTS // 4)

    def _act(self, count: int) -> None:
        where = (str(self._root), str(self._outside))
        programs = [
            subprocess.Popen(
                [sys.executable, "-m", actor.__name__, *where, str(self._seed + each)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
            )
            for each in range(2)
        ]
        for program in programs:
            program.communicate(b"%d\n" % count)


TROUBLES: dict[str, Callable[[Trouble], None]] = {
    "random acts": Trouble.random_acts,
    "directories change places": Trouble.renames,
    "stopped, 20,000 files made": Trouble.stopped_watcher,
    "its server killed": Trouble.killed_server,
}


def outcome(peer: Peer, name: str, place: Path, seed: int) -> str:
    """What became of one watcher in one trouble, for the table."""
    root, outside = place / "root", place / "outside"
    for folder in (root, outside):
        folder.mkdir()
    (root / "a" / "b").mkdir(parents=True)
    start = set(paths(root))
    with closing(Session(place)) as session:
        try:
            watcher = session.watch(peer, root)
            if TROUBLES[name] is Trouble.killed_server and not session.servers():
                return "has none"
            TROUBLES[name](Trouble(session, root, outside, seed))
            session.settle(QUIET)
            reports = watcher.finish()
        except GaveUp as reason:
            return f"gave up: {reason}"
        knows_of_loss = peer.detected_loss(watcher.errors()) or any(
            report.kind is ReportKind.LOST for report in reports
        )
        wrong = compare(believed(start, reports), set(paths(root)))
    if not any(wrong):
        return "right"
    silent = "" if knows_of_loss else ", silent"
    return f"{wrong.missing:,} missing, {wrong.stale:,} stale{silent}"


def paths(root: Path) -> Iterator[bytes]:
    top = os.fsencode(root)
    for above, folders, files in os.walk(top):
        for name in folders + files:
            yield os.path.join(above, name)[len(top) + 1 :]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m soak.peers")
    parser.add_argument("--peers", default=DEFAULT_PEERS)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    sys.stdout.write("| watcher | " + " | ".join(TROUBLES) + " |\n")
    sys.stdout.write("|---|" + "---|" * len(TROUBLES) + "\n")
    for peer in (PEERS[name] for name in options.peers.split(",")):
        if reason := peer.missing():
            sys.stdout.write(f"| {peer.name} | {reason} |\n")
            continue
        cells = []
        for name in TROUBLES:
            with tempfile.TemporaryDirectory(prefix="gamin-peers-") as place:
                cells.append(outcome(peer, name, Path(place), options.seed))
        title = peer.version() or peer.name
        sys.stdout.write(f"| {title} | " + " | ".join(cells) + " |\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())

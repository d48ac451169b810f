"""Starts a server to measure, with this process as its clients.

The curves decide what is requested, and how often.
"""

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import measure
from gamin.client.connect import connect_gam, connect_watchman
from gamin.errors import GaminError

PROGRAM = Path(sys.executable).with_name("gam_server")
START_SECONDS = 30.0
RULES = """\
notify {top} {top}/*
flow reports_per_second 1000000
flow churn_per_second 1000000
flow raw_events_per_second 1000000
"""
"""The usual tmpfs is below /dev, which is polled. And no path counts as busy, or
the measurement would show how little is done for busy paths."""


@dataclass(frozen=True, slots=True)
class Server:
    pid: int

    def cpu(self) -> float:
        return measure.cpu(self.pid)

    def memory(self) -> int:
        return measure.memory(self.pid)

    def resident(self) -> int:
        """Bytes in memory, and from now on the most of them is that of later."""
        return measure.resident(self.pid, forget_peak=True)

    def peak(self) -> int:
        """The most bytes in memory since `resident` was called."""
        return measure.peak(self.pid)


@contextmanager
def running_server(place: Path) -> Iterator[Server]:
    """A server that every client of this process reaches, until the end of the block.

    Changes the environment permanently: a process is for one place. The next server
    there is the successor of the one before, and finds what that has saved.
    """
    folder = place / "server"
    folder.mkdir(exist_ok=True)
    top = Path(*place.resolve().parts[:2])
    (folder / ".gaminrc").write_text(RULES.format(top=top))
    os.environ |= {
        "GAM_CLIENT_ID": f"growth-{uuid.uuid5(uuid.NAMESPACE_URL, str(folder))}",
        "GAMIN_SOCKET_DIR": str(folder),
        "HOME": str(folder),
        "XDG_STATE_HOME": str(folder / "state"),
    }
    process = subprocess.Popen([PROGRAM, "--notimeout"], stdin=subprocess.DEVNULL)
    try:
        _wait_until_it_answers()
        yield Server(process.pid)
    finally:
        process.terminate()
        process.wait()


def _wait_until_it_answers() -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            connect_gam(start=False).close()
            return connect_watchman(start=False).close()
        except (GaminError, OSError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)

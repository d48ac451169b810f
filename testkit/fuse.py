"""Real FUSE mounts for tests, whose process can be stopped and killed.

A mount never outlives its block: whoever hangs on a stopped server goes on then.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from testkit.servers import can_mount
from testkit.waiting import eventually


@dataclass(frozen=True, slots=True)
class FuseMount:
    process: subprocess.Popen[bytes]
    below: Path
    """What is mounted; who changes it here goes past the mount."""
    point: Path

    def stop(self) -> None:
        """Have it answer nothing from now on."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def die(self) -> None:
        """End its server but not the mount: ENOTCONN from now on."""
        self.process.kill()
        self.process.wait(10)


@cache
def can_bindfs() -> bool:
    """Whether a directory can be mounted by FUSE here."""
    return (
        shutil.which("bindfs") is not None
        and os.access("/dev/fuse", os.R_OK | os.W_OK)
        and os.geteuid() == 0
        and can_mount()
    )


@contextmanager
def bindfs(folder: Path, subtype: str, *options: str) -> Iterator[FuseMount]:
    """`folder/below` mounted on `folder/point`, with the type fuse.SUBTYPE."""
    below, point = folder / "below", folder / "point"
    for each in (below, point):
        each.mkdir(parents=True, exist_ok=True)
    named = ",".join((f"subtype={subtype}", *options))
    command = ["bindfs", "-f", "-o", named, str(below), str(point)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        eventually(lambda: _is_mounted(point), what=f"bindfs on {point}")
        yield FuseMount(process, below, point)
    finally:
        subprocess.run(["umount", "-l", str(point)], check=False)
        process.kill()
        process.wait(10)


def _is_mounted(point: Path) -> bool:
    text = Path("/proc/self/mountinfo").read_text()
    return any(line.split(" ")[4] == str(point) for line in text.splitlines())

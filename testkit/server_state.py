"""What the server of the session says of itself, making it stand still, and filling
its queue.

Watches and what they receive are left to `watches`.
"""

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from gamin.cli.control import dial
from gamin.cli.status import QUESTION, Report, read
from testkit.waiting import eventually

QUEUE = Path("/proc/sys/fs/inotify/max_queued_events")


def status(environ: Mapping[str, str] | None = None) -> Report:
    """What `gamin status` shows."""
    with dial(environ) as line:
        return read(line.ask(QUESTION).get("status"))


@contextmanager
def stopped_server() -> Iterator[None]:
    """The server does nothing at all in this block, and goes on after it."""
    with standing_still(status().pid):
        yield


@contextmanager
def standing_still(pid: int) -> Iterator[None]:
    """A process does nothing at all in this block, and goes on after it."""
    os.kill(pid, signal.SIGSTOP)
    try:
        # It may have been in the middle of a system call, which goes on.
        eventually(lambda: _state(pid) == "T", what="the process standing still")
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextmanager
def losing(noise: Path) -> Iterator[None]:
    """The server loses every event of this block, because those of `noise`, which it
    watches, have filled its queue; at the end it knows that."""
    before = status().recoveries.overflows
    with stopped_server():
        overflow(noise)
        yield
    eventually(
        lambda: status().recoveries.overflows == before + 1, what="one more overflow"
    )


def overflow(folder: Path) -> None:
    """Fill the kernel's queue for `folder` with changes of two files in it.

    The server must be stopped. Alternately, because the kernel merges equal events that
    follow each other.
    """
    files = [folder / "turn", folder / "and turn about"]
    for file in files:
        file.touch()
    for number in range(int(QUEUE.read_text())):
        os.truncate(files[number % 2], 0)


def descriptors(pid: int) -> dict[int, str]:
    """What the descriptors of a process lead to, by number. One that is closed while
    they are listed is left out."""
    found = {}
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            found[int(each.name)] = os.readlink(each)
    return found


def instances(pid: int) -> int:
    """How many inotify instances a process has."""
    return list(descriptors(pid).values()).count("anon_inode:inotify")


def resident(pid: int) -> int:
    """Bytes of memory of a process (VmRSS)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    [line] = [each for each in lines if each.startswith("VmRSS:")]
    return int(line.split()[1]) * 1024


def _state(pid: int) -> str:
    text = Path(f"/proc/{pid}/stat").read_text()
    return text.rpartition(")")[2].split()[0]

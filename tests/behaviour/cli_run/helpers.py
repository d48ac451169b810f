"""What the tests of `gamin run` start, and what its commands leave in a log."""

import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

from testkit.terminal import TerminalProgram
from testkit.waiting import eventually

Start = Callable[..., "subprocess.Popen[bytes]"]
Type = Callable[..., TerminalProgram]


def logging(log: Path, then: str = "") -> list[str]:
    """A command that writes a line with its process and its arguments to `log`."""
    text = f'echo "$$ $*" >> {shlex.quote(str(log))}; {then}'
    return ["sh", "-c", text, "sh"]


def lines(log: Path, count: int) -> list[str]:
    """The lines of `log` once there are `count`; it must not have more."""
    eventually(
        lambda: log.exists() and log.read_text().count("\n") >= count,
        what=f"{count} lines in {log}",
    )
    found = log.read_text().splitlines()
    assert len(found) == count
    return found


def pids_in(log: Path, count: int) -> list[int]:
    return [int(line.split()[0]) for line in lines(log, count)]


def is_alive(pid: int) -> bool:
    """Whether a process still runs; a zombie does not."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] not in b"ZX"
    except OSError:
        return False


def children_of(pid: int) -> list[int]:
    with open(f"/proc/{pid}/task/{pid}/children", "rb") as file:
        return [int(child) for child in file.read().split()]

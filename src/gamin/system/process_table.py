"""The processes of the machine, as far as /proc shows them. See man 5 proc."""

import os
from collections.abc import Iterator
from typing import NamedTuple

_DEAD = b"ZX"
"""States of a process that runs no more: zombie and dead."""


def pids() -> Iterator[int]:
    """Every process that /proc lists."""
    return (int(name) for name in os.listdir("/proc") if name.isdigit())


def group_members(group: int) -> list[int]:
    """The processes of a process group that still run."""
    return [pid for pid in pids() if _group_of(pid) == group]


def _group_of(pid: int) -> int | None:
    """The process group of a running process."""
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            line = file.read(4096)
    except OSError:
        return None
    # The program's name is in parentheses and may contain anything, parentheses too.
    state, _parent, group = line.rpartition(b")")[2].split()[:3]
    return None if state in _DEAD else int(group)


class Usage(NamedTuple):
    """What a process uses."""

    cpu_seconds: float
    """Processor time since its start."""
    memory: int
    """Bytes of memory that it occupies."""


def usage_of(pid: int) -> Usage:
    """What a process uses; nothing if it has ended."""
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            words = file.read(4096).rpartition(b")")[2].split()
    except OSError:
        return Usage(0.0, 0)
    # man 5 proc_pid_stat; the first of the words is field 3, the state.
    user, system, pages = int(words[11]), int(words[12]), int(words[21])
    seconds = (user + system) / os.sysconf("SC_CLK_TCK")
    return Usage(seconds, pages * os.sysconf("SC_PAGE_SIZE"))

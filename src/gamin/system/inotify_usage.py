"""Reads from /proc/PID/fdinfo which processes hold inotify instances and watches.

See man 5 proc_pid_fdinfo: a line "inotify wd:..." for each watch of an instance.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple

from gamin.system.proc import program_of
from gamin.system.process_table import pids

INSTANCE = "anon_inode:inotify"
_WATCH = b"inotify wd:"


class Holder(NamedTuple):
    """A process with inotify instances."""

    pid: int
    program: str
    instances: int
    watches: int


def holders(uid: int) -> list[Holder]:
    """The processes of `uid` with inotify instances, those with most watches first.

    An instance that a process shares with its parent since a fork counts once.
    """
    seen: set[bytes] = set()
    found = [holder for pid in pids() if (holder := _holder(pid, uid, seen))]
    return sorted(found, key=lambda h: (-h.watches, -h.instances, h.pid))


def _holder(pid: int, uid: int, seen: set[bytes]) -> Holder | None:
    instances = watches = 0
    try:
        if os.stat(f"/proc/{pid}").st_uid != uid:
            return None
        for fd in _instances(pid):
            with open(f"/proc/{pid}/fdinfo/{fd}", "rb") as file:
                info = file.read()
            held = info.count(_WATCH)
            if held and info in seen:
                continue
            seen.add(info)
            instances += 1
            watches += held
    except OSError:  # it has ended, or changed its user
        pass
    if not instances:
        return None
    return Holder(pid, program_of(pid), instances, watches)


def _instances(pid: int) -> Iterator[str]:
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with suppress(OSError):
            if os.readlink(f"/proc/{pid}/fd/{fd}") == INSTANCE:
                yield fd


def total(found: Iterable[Holder]) -> tuple[int, int]:
    """All instances and all watches."""
    found = list(found)
    return sum(h.instances for h in found), sum(h.watches for h in found)

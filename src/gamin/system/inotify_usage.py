"""Reads from /proc/PID/fdinfo which processes hold inotify instances and watches.

See man 5 proc_pid_fdinfo: a line "inotify wd:..." for each watch of an instance.
"""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple

from gamin.system.proc import program_of
from gamin.system.process_table import pids

INSTANCE = "anon_inode:inotify"
_WATCH = b"inotify wd:"
_WATCHED = re.compile(rb"^inotify wd:\S+ ino:(\S+) sdev:(\S+) ", re.MULTILINE)


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


Inode = tuple[int, int]
"""Device and inode of a directory or file. On btrfs and in some containers the kernel
gives watches another device than `stat` does, so nothing is found there."""


def watched_by(pid: int) -> set[Inode]:
    """What the process watches, as far as it can be read."""
    found: set[Inode] = set()
    with suppress(OSError):
        for fd in _instances(pid):
            with open(f"/proc/{pid}/fdinfo/{fd}", "rb") as file:
                found.update(
                    (int(device, 16), int(inode, 16))
                    for inode, device in _WATCHED.findall(file.read())
                )
    return found


def inode_of(status: os.stat_result) -> Inode:
    """How `watched_by` names it: the kernel's own number of the device."""
    device = os.major(status.st_dev) << 20 | os.minor(status.st_dev)
    return device, status.st_ino


def _instances(pid: int) -> Iterator[str]:
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with suppress(OSError):
            if os.readlink(f"/proc/{pid}/fd/{fd}") == INSTANCE:
                yield fd


def total(found: Iterable[Holder]) -> tuple[int, int]:
    """All instances and all watches."""
    found = list(found)
    return sum(h.instances for h in found), sum(h.watches for h in found)

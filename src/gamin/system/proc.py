"""Facts about processes from /proc."""

import os

from gamin.paths import printable


def program_of(pid: int) -> str:
    """The name of a process's program (proc_pid_comm(5)); "?" where it is unknown."""
    try:
        with open(f"/proc/{pid}/comm", "rb") as file:
            return printable(file.read().rstrip(b"\n"))
    except OSError:
        return "?"


def path_of_descriptor(descriptor: int) -> bytes:
    """The path of an open file of this process; empty where it has none."""
    try:
        return os.readlink(b"/proc/self/fd/%d" % descriptor)
    except OSError:
        return b""

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


def reset_oom_score() -> None:
    """Be as likely as any other program to end when memory runs out.

    Does nothing where the kernel does not permit it.
    """
    try:
        with open("/proc/self/oom_score_adj", "r+b", buffering=0) as file:
            if file.read().strip() != b"0":
                file.write(b"0")
    except OSError:
        pass

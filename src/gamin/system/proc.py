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


def executable_of(pid: int) -> bytes:
    """The path of the file that a process runs. Raises OSError."""
    return os.readlink(b"/proc/%d/exe" % pid)


def directory_of(pid: int) -> str:
    """The current directory of a process; empty where it is unknown."""
    try:
        return os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return ""


def user_of(pid: int) -> int:
    """The user whose process it is. Raises OSError."""
    return os.stat(b"/proc/%d" % pid).st_uid


def arguments_of(pid: int) -> list[bytes]:
    """The command line of a process. Raises OSError."""
    return _strings(pid, b"cmdline")


def environment_of(pid: int) -> list[bytes]:
    """The environment that a process was started with, as NAME=VALUE. Raises
    OSError."""
    return _strings(pid, b"environ")


def _strings(pid: int, name: bytes) -> list[bytes]:
    with open(b"/proc/%d/%b" % (pid, name), "rb") as file:
        return file.read().split(b"\0")[:-1]


def path_through(directory: int, name: bytes) -> bytes:
    """A short path of the entry `name` of an open directory."""
    return b"/proc/self/fd/%d/%b" % (directory, name)


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

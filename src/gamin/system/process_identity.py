"""Names a process for good.

The number of a process is used again. With the time of its start, counted from the boot
of the machine, and with the boot itself, it means one process for ever.
"""

from functools import cache

_STARTED = 19
"""Where the start is among the words of /proc/PID/stat after the program's name, in
clock ticks since the boot (field 22; man 5 proc_pid_stat)."""
_DEAD = (b"Z", b"X")


def identity_of(pid: int) -> bytes:
    """The name of a process; empty if it has ended, or is not to be seen."""
    if pid <= 0:  # of another PID namespace
        return b""
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            # The name is in parentheses and may contain anything.
            words = file.read(4096).rpartition(b")")[2].split()
    except OSError:
        return b""
    if len(words) <= _STARTED or words[0] in _DEAD:
        return b""
    return b"%d %b %b" % (pid, words[_STARTED], _boot())


def is_running(identity: bytes) -> bool:
    """Whether the process with this name exists still."""
    pid = identity.partition(b" ")[0]
    return pid.isdigit() and identity_of(int(pid)) == identity


@cache
def _boot() -> bytes:
    """The name of this boot of the machine; empty where the kernel does not say it."""
    try:
        with open("/proc/sys/kernel/random/boot_id", "rb", buffering=0) as file:
            return file.read(64).strip()
    except OSError:
        return b""

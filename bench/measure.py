"""Reads from the kernel what running processes use: CPU, memory, watches, wake-ups.

`bench.session` knows which processes matter. A process that has
gone counts as nothing.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path


def tagged(variable: bytes) -> set[int]:
    """Processes started with `variable` ("NAME=value") in their environment.

    A daemon that detached itself is found too: it has left its parent and its
    terminal, but not the environment it was started with.
    """
    return {pid for pid in _processes() if variable in _environment(pid)}


def _processes() -> Iterator[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdigit())


def _environment(pid: int) -> list[bytes]:
    return _read(f"/proc/{pid}/environ").split(b"\0")


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""


def cpu(pid: int) -> float:
    """Seconds of CPU used, user and system, ended threads included.

    /proc/PID/stat says the same in steps of 10 ms, which is too coarse here. The
    clock's number is what clock_getcpuclockid(3) makes of a pid on Linux.
    """
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return 0.0


def memory(pid: int) -> int:
    """Bytes of its own, plus its share of what it shares (PSS)."""
    for line in _read(f"/proc/{pid}/smaps_rollup").splitlines():
        if line.startswith(b"Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def resident(pid: int, *, forget_peak: bool = False) -> int:
    """Bytes in memory (VmRSS). `forget_peak`: `peak` starts with them."""
    if forget_peak:
        Path(f"/proc/{pid}/clear_refs").write_text("5")  # man 5 proc_pid_clear_refs
    return _status(pid, b"VmRSS:")


def peak(pid: int) -> int:
    """The most bytes that were in memory (VmHWM)."""
    return _status(pid, b"VmHWM:")


def _status(pid: int, key: bytes) -> int:
    for line in _read(f"/proc/{pid}/status").splitlines():
        if line.startswith(key):
            return int(line.split()[1]) * 1024
    return 0


def kernel_memory() -> int:
    """Bytes in the kernel's small objects, over the whole machine: what a watch takes
    is there, and no process is charged for it."""
    for line in _read("/proc/meminfo").splitlines():
        if line.startswith(b"Slab:"):
            return int(line.split()[1]) * 1024
    return 0


def watches(pid: int) -> int:
    """Inotify watches held, over all its descriptors."""
    return sum(
        line.startswith(b"inotify ")
        for descriptor in _listed(f"/proc/{pid}/fdinfo")
        for line in _read(descriptor).splitlines()
    )


def wakeups(pid: int) -> int:
    """How often its threads have been woken up so far."""
    return sum(
        int(line.split()[1])
        for task in _listed(f"/proc/{pid}/task")
        for line in _read(f"{task}/status").splitlines()
        if line.startswith(b"voluntary_ctxt_switches:")
    )


def _listed(directory: str) -> list[str]:
    try:
        return [f"{directory}/{name}" for name in os.listdir(directory)]
    except OSError:
        return []

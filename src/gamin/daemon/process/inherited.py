"""What a process inherits from the program that started it, and what a server keeps.

The first client of a session starts the server, which then serves all the others. So
nothing of that client may remain in it: no descriptor, no limit, no priority. What the
kernel does not permit to undo stays as it is.
"""

import os
import resource
import signal
from contextlib import suppress

from gamin.errors import GaminError
from gamin.system.proc import reset_oom_score
from gamin.system.terminal import leave_terminal

UMASK = 0o077
"""Files of a server are for its user alone."""

MIN_DESCRIPTORS = 24
"""Descriptors with which a server can serve anybody at all: it opens some 16 of its
own, and a scan needs one for each level of a tree that it is in."""

OWN_DESCRIPTORS = 64
"""Descriptors besides those of clients: listening sockets, backends, files that are
read, and some to spare."""

LIMITS = (
    resource.RLIMIT_CPU,
    resource.RLIMIT_FSIZE,
    resource.RLIMIT_AS,
    resource.RLIMIT_DATA,
    resource.RLIMIT_STACK,
)
"""Limits that a user sets for one program and that would end a server or break it."""

_FIRST_OTHER = 3
"""The first descriptor that is not a standard stream."""

_MAX_CPUS = 4096
"""CPUs that the kernel can address; it ignores those that are not there."""


class TooFewDescriptors(GaminError):
    """The hard limit of open files leaves no room to serve."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit

    def __str__(self) -> str:
        return (
            f"only {self.limit} open files are allowed, a server needs at least "
            f"{MIN_DESCRIPTORS} (raise the hard limit: ulimit -Hn)"
        )


def give_up(*, keep: int = 0) -> None:
    """Undo what was inherited. Only for a process of its own, before it opens files.

    `keep` is how many descriptors after the standard streams a service manager passed.
    """
    _give_up_descriptors(keep)
    _give_up_signals()
    leave_terminal()
    os.umask(UMASK)
    for limit in LIMITS:
        _raise_to_hard(limit)
    _give_up_priority()
    reset_oom_score()


def release_output() -> None:
    """Replace standard output: a reader may wait for its end."""
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    os.dup2(null, 1)
    os.close(null)


def working_directory() -> bytes:
    """The current directory; "/" where it was removed."""
    try:
        return os.getcwdb()
    except OSError:
        return b"/"


def allow_descriptors(wanted: int) -> None:
    """Raise the soft limit of open files to `wanted`, as far as the hard limit allows.

    Raises TooFewDescriptors.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < MIN_DESCRIPTORS:
        raise TooFewDescriptors(allowed)


def _give_up_descriptors(keep: int) -> None:
    """Close all but standard output and error, and `keep` descriptors after them.

    A stream that was closed becomes /dev/null. Otherwise the next file that is opened
    would get its number, and log lines would go to a client's socket.
    """
    end = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    os.closerange(min(_FIRST_OTHER + keep, end), end)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    for stream in (1, 2):
        try:
            os.fstat(stream)
        except OSError:
            os.dup2(null, stream)
    if null > 2:
        os.close(null)


def _give_up_signals() -> None:
    """Block and ignore no signal, and stop the timers of the starting program.

    Python itself ignores SIGPIPE and SIGXFSZ, to get errors instead.
    """
    for number in signal.valid_signals() - {signal.SIGPIPE, signal.SIGXFSZ}:
        if signal.getsignal(number) is signal.SIG_IGN:
            with suppress(OSError):
                signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    for timer in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF):
        signal.setitimer(timer, 0)


def _raise_to_hard(limit: int) -> None:
    soft, hard = resource.getrlimit(limit)
    if soft != hard:
        with suppress(OSError, ValueError):
            resource.setrlimit(limit, (hard, hard))


def _give_up_priority() -> None:
    """Ordinary scheduling, nice value 0 and all CPUs."""
    with suppress(OSError):
        if os.sched_getscheduler(0) != os.SCHED_OTHER:
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    with suppress(OSError):
        if os.getpriority(os.PRIO_PROCESS, 0) != 0:
            os.setpriority(os.PRIO_PROCESS, 0, 0)
    with suppress(OSError):
        os.sched_setaffinity(0, range(_MAX_CPUS))

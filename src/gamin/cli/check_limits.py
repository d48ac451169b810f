"""Checks of `gamin doctor`: the kernel's limits, and the processes that use them up."""

import errno
import os
from collections.abc import Callable, Iterator, Sequence

from gamin.cli.finding import Finding, note, ok, problem
from gamin.system import inotify, libc
from gamin.system.inotify_usage import Holder, total

NEARLY_USED = 0.9
"""The share of a limit from which on it is a problem."""

LOW_WATCHES = 65_536
"""Fewer watches than this do not suffice for two large source trees."""

LOW_QUEUE = 16_384
"""The kernel's default for max_queued_events."""

Probe = Callable[[], int]
"""Takes one instance and one watch; returns 0 or the errno of the failure."""


def probe() -> int:
    try:
        fd = inotify.open_instance()
        try:
            libc.inotify_add_watch(fd, b"/", 0x0400)  # IN_DELETE_SELF: never happens
        finally:
            os.close(fd)
    except OSError as error:
        return error.errno or errno.EIO
    return 0


def raise_limit(name: str, value: int) -> str:
    """A command that raises a limit for now and for later starts."""
    setting = f"fs.inotify.{name}={value}"
    return (
        f"echo {setting} | sudo tee /etc/sysctl.d/60-{name.replace('_', '-')}.conf "
        f"&& sudo sysctl {setting}"
    )


def check_watches(held: Sequence[Holder], limit: int) -> Finding:
    _, used = total(held)
    what = f"{used} of {limit} used by your processes"
    if used < NEARLY_USED * limit:
        return ok("inotify watches", what)
    return problem(
        "inotify watches",
        what,
        "the next program that watches a tree gets ENOSPC; gamin falls back to "
        "fanotify or polling",
        raise_limit("max_user_watches", max(524_288, 2 * limit)),
    )


def check_instances(held: Sequence[Holder], limit: int) -> Finding:
    used, _ = total(held)
    what = f"{used} of {limit} used by your processes"
    if used < NEARLY_USED * limit:
        return ok("inotify instances", what)
    return problem(
        "inotify instances",
        what,
        "the next program that watches files gets EMFILE",
        raise_limit("max_user_instances", max(1_024, 2 * limit)),
    )


def check_quota(held: Sequence[Holder], limit: int, probe: Probe = probe) -> Finding:
    """Whether the kernel grants a watch although the visible ones leave room."""
    failure = probe()
    if failure == 0:
        return ok("inotify quota", "the kernel grants a new watch")
    instances, watches = total(held)
    reason = os.strerror(failure)
    if failure == errno.ENOSPC and watches < NEARLY_USED * limit:
        return problem(
            "inotify quota",
            f"no watch is left ({reason}), but your processes hold only {watches} "
            f"of {limit}",
            "containers of the same user hold them, or the kernel has lost count of "
            "watches on file systems that were unmounted",
            raise_limit("max_user_watches", 2 * limit)
            + "  # or end the containers; a lost count needs a restart of the machine",
        )
    return problem(
        "inotify quota",
        f"the kernel refuses a new watch: {reason}",
        f"your processes hold {instances} instances and {watches} watches",
        "end one of the processes in the table, or raise the limit",
    )


def check_limits(watches: int, queue: int) -> Iterator[Finding]:
    """Whether the limits are those of small machines."""
    if watches < LOW_WATCHES:
        yield note(
            "limit of watches",
            f"max_user_watches is {watches}",
            "each directory that is watched takes one; a large source tree has "
            "more than 10,000",
            raise_limit("max_user_watches", 524_288),
        )
    if queue < LOW_QUEUE:
        yield note(
            "limit of the queue",
            f"max_queued_events is {queue}",
            "a queue that overflows loses nothing with gamin, but costs a rescan",
            raise_limit("max_queued_events", LOW_QUEUE),
        )

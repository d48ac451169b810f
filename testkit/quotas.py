"""Runs a server with few watches, in a user namespace of its own.

The kernel counts watches by user and namespace, and a namespace can have less than the
user (man 7 namespaces, /proc/sys/user). So no other process is affected.
"""

import subprocess
from collections.abc import Sequence
from functools import cache

_OWN_USERS = ["unshare", "--user", "--map-root-user"]
_PLACE = "/proc/sys/user"
INSTANCES = ("max_inotify_instances", "max_fanotify_groups")
WATCHES = ("max_inotify_watches", "max_fanotify_marks")


@cache
def can_limit() -> bool:
    """Whether a process may have quotas of its own here."""
    try:
        tried = subprocess.run([*limited(100, 1), "true"], capture_output=True)
    except FileNotFoundError:
        return False
    return tried.returncode == 0


def limited(watches: int, instances: int, marks: int | None = None) -> Sequence[str]:
    """The words to put before a command to limit its quota of every facility; with
    `marks` another number of fanotify's.

    The command is root in the namespace, and unprivileged outside.
    """
    script = _written(WATCHES, watches) + _written(INSTANCES, instances)
    if marks is not None:
        script += _written(WATCHES[1:], marks)
    script += 'exec "$@"'
    return [*_OWN_USERS, "sh", "-e", "-c", script, "sh"]


def allow(pid: int, watches: int, instances: int) -> None:
    """Give the process, and whatever shares its namespace, another quota."""
    script = _written(WATCHES, watches) + _written(INSTANCES, instances)
    inside = ["nsenter", "--user", "--preserve-credentials", f"--target={pid}"]
    subprocess.run([*inside, "sh", "-e", "-c", script], check=True)


def _written(files: Sequence[str], number: int) -> str:
    # Not every kernel has all of them.
    return "".join(
        f"[ ! -e {_PLACE}/{file} ] || echo {number} > {_PLACE}/{file}\n"
        for file in files
    )

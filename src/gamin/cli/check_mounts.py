"""Checks of `gamin doctor`: file systems where the kernel reports too little."""

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial

from gamin.cli.finding import Finding, note, ok, problem
from gamin.config.gaminrc import Method
from gamin.config.mounts import Mount, Mounts
from gamin.config.policy import Policy
from gamin.paths import printable

ANSWER_SECONDS = 0.3
"""How long a remote file system may take to answer."""


def check_mounts(mounts: Mounts, policy: Policy) -> Iterator[Finding]:
    """Whether what others change on remote file systems is detected."""
    remote = [mount for mount in mounts if mounts.is_remote(mount)]
    if not remote:
        yield ok("mounts", "no network or shared file system is mounted")
    for mount in remote:
        yield _check_mount(mount, policy)


def _check_mount(mount: Mount, policy: Policy) -> Finding:
    where = f"{printable(mount.point)} ({printable(mount.type)})"
    decision = policy.decide(mount.point)
    check = "mounts"
    match decision.method:
        case Method.POLL:
            every = f"{decision.interval:g} s"
            return ok(check, f"{where} is polled every {every} for what others change")
        case Method.NONE:
            return note(check, f"{where} is not watched", f"by the rule {decision.why}")
        case _:
            return problem(
                check,
                f"{where} is watched by the kernel alone",
                f"what other machines change is never reported ({decision.why})",
                f"echo 'fsset {mount.type} poll 5' >> ~/.gaminrc",
            )


def silent_mounts(
    mounts: Iterable[Mount],
    asks: Callable[[bytes], object] = os.statvfs,
    seconds: float = ANSWER_SECONDS,
) -> list[Mount]:
    """The mounts that give no answer in time. All are asked at once."""
    asked = [(mount, _asked(partial(asks, mount.point))) for mount in mounts]
    end = time.monotonic() + seconds
    silent = []
    for mount, thread in asked:
        thread.join(max(0.0, end - time.monotonic()))
        if thread.is_alive():
            silent.append(mount)
    return silent


def check_answers(mounts: Mounts) -> Iterator[Finding]:
    # Asking an automount would mount something.
    distant = [m for m in mounts if not mounts.is_local(m) and m.type != "autofs"]
    for mount in silent_mounts(distant):
        where = printable(mount.point)
        yield problem(
            "mounts",
            f"{where} ({printable(mount.type)}) does not answer",
            "every program that looks at it waits",
            f"sudo umount -l {where}",
        )


def _asked(ask: Callable[[], object]) -> threading.Thread:
    def run() -> None:
        with suppress(OSError):  # an error is an answer too
            ask()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread

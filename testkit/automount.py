"""Automounts of the kernel for tests, whose daemon is the test and mounts nothing.

Whoever looks into one waits for that daemon until the block ends.
"""

import ctypes
import os
import select
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LIBC = ctypes.CDLL(None, use_errno=True)
_MNT_DETACH = 2


class Automount:
    def __init__(self, point: Path, requests: int) -> None:
        self.point = point
        self._requests = requests

    def end(self) -> None:
        """Let all who wait go on: nothing is ever mounted."""
        if self._requests >= 0:
            os.close(self._requests)
            self._requests = -1

    @property
    def is_triggered(self) -> bool:
        """Whether the kernel has asked for something to be mounted."""
        return bool(select.select([self._requests], [], [], 0)[0])


@contextmanager
def automount(point: Path, kind: str) -> Iterator[Automount]:
    """An automount at `point`; `kind` is direct (the point itself) or indirect (each
    name in it). Raises OSError where the kernel or the rights do not allow it."""
    point.mkdir(parents=True, exist_ok=True)
    requests, outlet = os.pipe2(os.O_CLOEXEC)
    mounted = Automount(point, requests)
    # The kernel lets the processes of the daemon's group pass.
    group = subprocess.Popen(["sleep", "600"], start_new_session=True)
    try:
        options = f"fd={outlet},pgrp={group.pid},minproto=5,maxproto=5,{kind}"
        failed = _LIBC.mount(
            b"test", bytes(point), b"autofs", 0, ctypes.c_char_p(options.encode())
        )
        if failed:
            raise OSError(ctypes.get_errno(), "autofs cannot be mounted")
        os.close(outlet)
        outlet = -1
        try:
            yield mounted
        finally:
            mounted.end()
            _LIBC.umount2(bytes(point), _MNT_DETACH)
    finally:
        mounted.end()
        if outlet >= 0:
            os.close(outlet)
        group.send_signal(signal.SIGKILL)
        group.wait(10)

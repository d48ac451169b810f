"""The original gamin, where it is installed: its files, and a server of its own.

The tests make the programs talk to each other.
"""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gamin.system.address import find
from gamin.system.dial import dial
from testkit.required import missing
from testkit.servers import environment

SERVER = Path("/usr/libexec/gam_server")
LIBGAMIN = "libgamin-1.so.0"  # as the dynamic loader finds them
LIBFAM = "libfam.so.0"

_LIBRARIES = (Path("/usr/lib"), Path("/usr/lib64"), Path("/usr/local/lib"))


@dataclass(frozen=True, slots=True)
class OriginalServer:
    session: str
    pid: int


def is_installed() -> bool:
    return SERVER.exists() and all(
        any(next(folder.glob(f"**/{name}"), None) for folder in _LIBRARIES)
        for name in (LIBGAMIN, LIBFAM)
    )


def require_original() -> None:
    """Skip the test without the original; fail it where the original is required."""
    if not is_installed():
        missing("real libgamin")


@contextmanager
def start_original_server(session: str) -> Iterator[OriginalServer]:
    """A running original server; it is reachable when this yields, gone afterwards."""
    with subprocess.Popen(
        [SERVER, "--notimeout", session],
        env=environment() | {"GAM_CLIENT_ID": session},
        stderr=subprocess.DEVNULL,  # it complains of a caller that says nothing
    ) as process:
        try:
            _wait_until_reachable(session)
            yield OriginalServer(session, process.pid)
        finally:
            process.terminate()


def _wait_until_reachable(session: str) -> None:
    name = find({}, os.getuid(), session=session).abstract
    deadline = time.monotonic() + 10
    while True:
        try:
            return dial(name, patience=1).close()
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.005)

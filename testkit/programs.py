"""The program `gamin` in a process of its own, as a user would run it."""

import os
import subprocess
import sys
from collections.abc import Sequence

COMMAND = (sys.executable, "-m", "gamin")


def gamin(
    *words: str | bytes, session: str = "", stdout: int = subprocess.PIPE
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *words],
        env={**os.environ, "GAM_CLIENT_ID": session},
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )


def outcome(done: subprocess.CompletedProcess[str]) -> tuple[int, Sequence[str]]:
    """The exit status, and the lines on standard error."""
    return done.returncode, done.stderr.splitlines()

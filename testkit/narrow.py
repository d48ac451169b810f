"""Runs a program with a limited number of kernel watches.

A user namespace has limits of its own, so no other process is affected.
"""

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping

import pytest

_REFUSED = 77  # as in automake: the test cannot be run here


def run_narrowed(quotas: Mapping[str, int], program: str, *arguments: str) -> str:
    """Run the Python program; return its output. `quotas` are files of /proc/sys/user.

    Skips the test where the system permits no lower limits.
    """
    lower = "".join(
        f"echo {most} > /proc/sys/user/{name} || exit {_REFUSED}; "
        for name, most in quotas.items()
    )
    command = shlex.join([sys.executable, "-c", program, *arguments])
    answer = subprocess.run(
        ["unshare", "--user", "--map-root-user", "sh", "-c", lower + "exec " + command],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        check=False,
    )
    if answer.returncode == _REFUSED or answer.stderr.startswith("unshare:"):
        pytest.skip(f"no limit can be lowered here: {answer.stderr.strip()}")
    assert answer.returncode == 0, answer.stderr
    return answer.stdout

"""Programs that never rest, each a process that ends with its block."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

APPENDING = """
import os, sys, time
file = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
step = 1 / float(sys.argv[2])
next = time.monotonic()
print(flush=True)
while True:
    os.write(file, b"x")
    next += step
    time.sleep(max(0, next - time.monotonic()))
"""

COMING_AND_GOING = """
import os, sys, time
step = 1 / float(sys.argv[2])
next = time.monotonic()
print(flush=True)
number = 0
while True:
    number += 1
    name = f"{sys.argv[1]}/short-{number % 50}"
    os.close(os.open(name, os.O_WRONLY | os.O_CREAT, 0o600))
    os.unlink(name)
    next += step
    time.sleep(max(0, next - time.monotonic()))
"""


@contextmanager
def appending(file: Path, rate: int) -> Iterator[None]:
    """One byte more, so often a second."""
    with _running(APPENDING, file, rate):
        yield


@contextmanager
def coming_and_going(directory: Path, rate: int) -> Iterator[None]:
    """A file made and removed, so often a second."""
    with _running(COMING_AND_GOING, directory, rate):
        yield


@contextmanager
def _running(text: str, path: Path, rate: int) -> Iterator[None]:
    command = [sys.executable, "-S", "-c", text, str(path), str(rate)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            yield
        finally:
            process.kill()

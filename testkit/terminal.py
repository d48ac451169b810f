"""A program in a terminal of its own: what a user would type, and what he would see."""

import os
import select
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

DEADLINE = 30.0
"""Seconds until text that is waited for must have appeared."""


class TerminalProgram:
    """A process that leads the session of a pseudo-terminal."""

    def __init__(self, process: "subprocess.Popen[bytes]", fd: int) -> None:
        self.process = process
        self.shown = b""
        """Everything that was printed and not yet waited for."""
        self._fd = fd

    def type(self, keys: bytes) -> None:
        os.write(self._fd, keys)

    def await_text(self, text: bytes) -> bytes:
        """Wait until `text` was printed; returns and consumes everything up to it."""
        end = time.monotonic() + DEADLINE
        while text not in self.shown:
            left = end - time.monotonic()
            arrived = left > 0 and self._read(left)
            assert arrived, f"no {text!r} in {self.shown!r}"
        before, _, self.shown = self.shown.partition(text)
        return before

    def wait(self) -> int:
        """Read until the end of the terminal and return the exit status."""
        while self._read(DEADLINE):
            pass
        return self.process.wait(DEADLINE)

    def foreground(self) -> int:
        """The process group in the foreground."""
        return os.tcgetpgrp(self._fd)

    def hang_up(self) -> None:
        """Close the terminal, as when its window is closed. May be repeated."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1

    def _read(self, seconds: float) -> bool:
        if not select.select([self._fd], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self._fd, 65536)
        except OSError:  # EIO: nobody has the other side open
            return False
        self.shown += data
        return bool(data)


@contextmanager
def in_terminal(
    words: Sequence[str], *, env: Mapping[str, str], cwd: str | os.PathLike[str]
) -> Iterator[TerminalProgram]:
    """Run a program in a new terminal until the end of the block."""
    ours, theirs = os.openpty()
    try:
        process = subprocess.Popen(
            # Under `nohup` the tests ignore the hang-up; in a terminal nobody does.
            ["env", "--default-signal", "setsid", "--ctty", *words],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=env,
            cwd=cwd,
        )
    finally:
        os.close(theirs)
    program = TerminalProgram(process, ours)
    try:
        yield program
    finally:
        process.kill()
        process.wait()
        program.hang_up()

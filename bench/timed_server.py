"""`gam_server` with a watch on its loop: which callback took the longest.

    python -m bench.timed_server FILE [OPTION…] [SESSION]

SIGUSR1 writes the longest callbacks since the last such signal into FILE, as JSON, and
starts again. A time is CPU of the server's thread, so other processes do not count.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from gamin.daemon.io.loop import Callback, Loop, Timer
from gamin.daemon.process import main

KEPT = 10
"""Callbacks that are reported."""


class TimedLoop(Loop):
    """Measures every callback."""

    file = Path(os.devnull)

    def __init__(self) -> None:
        super().__init__()
        self._longest: dict[str, float] = {}
        self.add_signal_handler(signal.SIGUSR1, self._report)

    def _report(self) -> None:
        longest, self._longest = self._longest, {}
        ordered = sorted(longest.items(), key=lambda item: -item[1])[:KEPT]
        partial = self.file.with_suffix(".new")
        partial.write_text(json.dumps(ordered))
        partial.replace(self.file)

    def _timed(self, call: Callback) -> Callback:
        name = getattr(call, "__qualname__", repr(call))

        def timed() -> None:
            begun = time.thread_time()
            try:
                call()
            finally:
                taken = time.thread_time() - begun
                if taken > self._longest.get(name, 0.0):
                    self._longest[name] = taken

        return timed

    def add_reader(self, fd: int, call: Callback) -> None:
        super().add_reader(fd, self._timed(call))

    def add_writer(self, fd: int, call: Callback) -> None:
        super().add_writer(fd, self._timed(call))

    def call_soon(self, call: Callback) -> None:
        super().call_soon(self._timed(call))

    def call_at(self, when: float, call: Callback) -> Timer:
        return super().call_at(when, self._timed(call))


def run(arguments: list[str]) -> int:
    TimedLoop.file = Path(arguments[0])
    serve: Callable[[list[str]], int] = main.main
    vars(main)["Loop"] = TimedLoop
    return serve(arguments[1:])


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))

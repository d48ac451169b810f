"""How a client in Python prints what it received: the lines of `bench/c/report.h`.

Imports little, because the start of such a client is measured.
"""

import os
import sys
import threading
import time

CREATED, DELETED, CHANGED, MOVED, LOST = "+-~>!"


class Reporter:
    """Prints; ends the process when standard input ends.

    The main thread is inside the watcher then, and need not be asked.
    """

    def __init__(self) -> None:
        self.root = sys.argv[1]
        self.flat = "--flat" in sys.argv
        self._stamped = "--stamp" in sys.argv
        self._out = open(  # noqa: SIM115 (open as long as the process lives)
            1, "w", 64 * 1024, encoding="utf-8", errors="surrogateescape"
        )

    def ready(self) -> None:
        self._out.write("ready\n")
        self._out.flush()
        threading.Thread(target=self._end_with_input, daemon=True).start()

    def report(self, kind: str, path: str, dest: str = "") -> None:
        line = f"{kind} {path}\t{dest}\n" if dest else f"{kind} {path}\n"
        if self._stamped:
            self._out.write(f"{time.monotonic_ns()} {line}")
            self._out.flush()
        else:
            self._out.write(line)

    def _end_with_input(self) -> None:
        sys.stdin.buffer.read()
        self._out.flush()
        os._exit(0)

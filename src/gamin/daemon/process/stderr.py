"""Log lines on standard error, by a server that waits for nobody.

The formatter decides what a line contains.
"""

import logging
import os
import select

ROOM = 4096
"""Bytes that a writable pipe takes without blocking (PIPE_BUF, man 7 pipe)."""


class NonBlockingStderrHandler(logging.Handler):
    """Writes a line if it can be written at once; otherwise it is lost, and counted.

    Standard error may be a pipe to a program that does not read. The descriptor cannot
    be made non-blocking, for it is shared with whoever started us.
    """

    def __init__(self, descriptor: int = 2) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._lost = 0
        self._room = select.poll()
        self._room.register(descriptor, select.POLLOUT)

    def emit(self, record: logging.LogRecord) -> None:
        lines = [self.format(record)]
        if self._lost:
            lines.insert(0, f"({self._lost} lines lost: nobody read them)")
        text = "\n".join(lines).encode(errors="backslashreplace")
        try:
            if any(mask & select.POLLOUT for _, mask in self._room.poll(0)):
                os.write(self._descriptor, text[: ROOM - 1] + b"\n")
                self._lost = 0
            else:
                self._lost += 1
        except OSError:  # nobody is there any more
            self._lost += 1

"""What the server reports to its log, as messages to the clients that asked for it.

A handler of the package's logger while such a client is there, so whatever is reported
comes by. Messages go out in the next iteration of the loop: no record causes a system
call where it is made, and one of another thread waits for the loop's.
"""

import logging
import os
import threading
from collections import deque
from typing import NamedTuple, Protocol

from gamin.daemon.io.loop import Loop
from gamin.protocol.watchman import replies
from gamin.protocol.watchman.codec.codec import Codec
from gamin.system.debug_log import EscapingFormatter, fit_level

MAX_PENDING = 10_000
"""Records that wait for the loop; of more, the newest are lost."""
MAX_LINE = 16_384
"""Characters of a record that clients get; a client may log what it likes."""


class Listener(Protocol):
    """A client, as far as the feed needs it."""

    @property
    def codec(self) -> Codec: ...

    @property
    def is_blocked(self) -> bool: ...

    def send(self, data: bytes) -> None: ...

    def flush(self) -> None: ...


class _Line(NamedTuple):
    level: int
    text: str


class LogFeed(logging.Handler):
    def __init__(self, loop: Loop, logger: logging.Logger) -> None:
        super().__init__()
        self.setFormatter(EscapingFormatter("%(asctime)s: %(message)s"))
        self._loop = loop
        self._logger = logger
        self._levels: dict[Listener, int] = {}
        self._lost: dict[Listener, int] = {}
        """Lines that a client lost because it did not read."""
        self._pending: deque[_Line] = deque()
        self._thread = threading.get_ident()
        self._is_scheduled = False
        self._wake = -1
        """Wakes the loop for records of other threads; only while there are clients."""

    def set_level(self, client: Listener, level: int | None) -> None:
        """From now on the client gets what has this level of the module `logging` or
        a higher one; None for nothing."""
        if level is not None:
            self._levels[client] = level
            if self._wake < 0:
                self._start()
        elif self._levels.pop(client, None) is None:
            return
        self._lost.pop(client, None)
        if not self._levels:
            self._stop()
            return
        self.setLevel(min(self._levels.values()))
        fit_level(self._logger)

    def _start(self) -> None:
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._loop.add_reader(self._wake, self._woken)
        self._logger.addHandler(self)

    def _stop(self) -> None:
        self._logger.removeHandler(self)
        fit_level(self._logger)
        self._pending.clear()
        self.acquire()  # no other thread is about to use the descriptor
        try:
            self._loop.remove_reader(self._wake)
            os.close(self._wake)
            self._wake = -1
        finally:
            self.release()

    # -- in any thread

    def emit(self, record: logging.LogRecord) -> None:
        if len(self._pending) >= MAX_PENDING:
            return
        self._pending.append(_Line(record.levelno, self.format(record)[:MAX_LINE]))
        if threading.get_ident() != self._thread:
            if self._wake >= 0:
                os.eventfd_write(self._wake, 1)
        elif not self._is_scheduled:
            self._is_scheduled = True
            self._loop.call_soon(self._deliver)

    # -- in the loop's thread

    def _woken(self) -> None:
        os.eventfd_read(self._wake)
        self._deliver()

    def _deliver(self) -> None:
        self._is_scheduled = False
        for _ in range(len(self._pending)):
            line = self._pending.popleft()
            encoded: dict[Codec, bytes] = {}
            for client, level in self._levels.items():
                if line.level < level:
                    continue
                if client.is_blocked:
                    self._lost[client] = self._lost.get(client, 0) + 1
                    continue
                self._send(client, line, encoded)
        for client in list(self._levels):
            client.flush()

    def _send(self, client: Listener, line: _Line, encoded: dict[Codec, bytes]) -> None:
        codec = client.codec
        lost = self._lost.pop(client, 0)
        if lost:
            text = f"({lost} lines lost: this client did not read them)\n"
            client.send(codec.encode(replies.log_message(text, "error")))
        data = encoded.get(codec)
        if data is None:
            label = "error" if line.level >= logging.WARNING else "debug"
            data = codec.encode(replies.log_message(line.text + "\n", label))
            encoded[codec] = data
        client.send(data)

"""Debugging switched on and off while a program runs, into a file of its own.

Who switches (GAM_DEBUG at the start, SIGUSR2 later) and what is worth dumping is
left to the program, server or client.
"""

import logging
import os
from collections.abc import Callable, Mapping
from typing import TextIO

from gamin.paths import printable

PREFIX = "gamin_debug_"  # the original's, in /tmp


def is_wanted(environment: Mapping[str, str] = os.environ) -> bool:
    """As in the original, GAM_DEBUG counts whatever its value is."""
    return "GAM_DEBUG" in environment


def open_debug_file(directory: str | None = None) -> tuple[TextIO, str]:
    """A fresh file only the user can read, and its path; no link is ever followed.

    `directory` is by default the one for temporary files. Raises OSError.
    """
    # Imported late: a server is seldom asked, and its start would take longer.
    import tempfile

    # mkstemp: mode 0600, O_EXCL and O_NOFOLLOW, a name that cannot be foreseen.
    descriptor, path = tempfile.mkstemp(prefix=PREFIX, dir=directory)
    stream = os.fdopen(
        descriptor, "w", encoding="utf-8", errors="backslashreplace", buffering=1
    )
    return stream, path


class EscapingFormatter(logging.Formatter):
    """One record is one line, whatever file names are in it.

    The lines of a traceback follow, indented, so none can pass for a record.
    """

    def format(self, record: logging.LogRecord) -> str:
        bare = logging.makeLogRecord(record.__dict__)
        bare.exc_info = bare.exc_text = bare.stack_info = None
        lines = [printable(super().format(bare))]
        if record.exc_info:
            lines += _indented(self.formatException(record.exc_info))
        if record.stack_info:
            lines += _indented(record.stack_info)
        return "\n".join(lines)


def _indented(text: str) -> list[str]:
    return ["    " + printable(line) for line in text.split("\n")]


class DebugLog:
    """While on, everything `logger` says goes to a file that begins with a dump."""

    def __init__(
        self,
        logger: logging.Logger,
        dump: Callable[[], str],
        directory: str | None = None,
    ) -> None:
        """`dump` describes the program's state in lines; it is called at each start."""
        self._logger = logger
        self._dump = dump
        self._directory = directory
        self._handler: logging.StreamHandler[TextIO] | None = None
        self._level = logging.NOTSET  # the logger's own, while ours is in its place

    @property
    def is_on(self) -> bool:
        return self._handler is not None

    def toggle(self) -> str | None:
        """Switch over; the path of the new file, or None when switched off.

        Raises OSError if no file can be made, and stays off.
        """
        if self.is_on:
            self.stop()
            return None
        return self.start()

    def start(self) -> str:
        """Switch on, into a fresh file even if it was on; its path. Raises OSError."""
        stream, path = open_debug_file(self._directory)
        self.stop()
        for line in self._dump().splitlines():
            stream.write(printable(line) + "\n")
        self._handler = logging.StreamHandler(stream)
        self._handler.setFormatter(
            EscapingFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
        )
        self._level = self._logger.level
        self._logger.setLevel(logging.DEBUG)
        self._logger.addHandler(self._handler)
        return path

    def stop(self) -> None:
        """Switch off; the file stays where it is."""
        if self._handler is None:
            return
        self._logger.removeHandler(self._handler)
        self._logger.setLevel(self._level)
        self._handler.stream.close()
        self._handler = None

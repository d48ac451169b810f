"""A debug log that can be switched on and off, each time into a new file.

The program decides when to switch (GAM_DEBUG at the start, SIGUSR2 later) and what the
dump of its state contains.
"""

import logging
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TextIO

from gamin.paths import printable

PREFIX = "gamin_debug_"
"""How the names of debug files in /tmp begin, as in the original."""


def fit_level(logger: logging.Logger) -> None:
    """Have the logger pass on what the most curious of its handlers wants. Those
    without a level take what there is."""
    levels = [handler.level for handler in logger.handlers if handler.level]
    logger.setLevel(min(levels, default=logging.NOTSET))


def is_wanted(environment: Mapping[str, str] = os.environ) -> bool:
    """As in the original, GAM_DEBUG counts whatever its value is."""
    return "GAM_DEBUG" in environment


def open_debug_file(directory: str | None = None) -> tuple[TextIO, str]:
    """A new file that only the user can read, and its path. Never follows a link.

    `directory` is by default the one for temporary files. Raises OSError.
    """
    # Imported late: seldom needed, and the start would take longer.
    import tempfile

    # mkstemp: mode 0600, O_EXCL and O_NOFOLLOW, and a name that nobody can predict.
    descriptor, path = tempfile.mkstemp(prefix=PREFIX, dir=directory)
    stream = os.fdopen(
        descriptor, "w", encoding="utf-8", errors="backslashreplace", buffering=1
    )
    return stream, path


class EscapingFormatter(logging.Formatter):
    """Writes one line per record, whatever file names are in it.

    The lines of a traceback follow, indented, so that none looks like a record.
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
    """While on, writes all records of `logger` to a file that begins with a dump."""

    def __init__(
        self,
        logger: logging.Logger,
        dump: Callable[[], str],
        directory: str | None = None,
    ) -> None:
        """`dump` returns the program's state as lines; called at each start."""
        self._logger = logger
        self._dump = dump
        self._directory = directory
        self._handler: logging.StreamHandler[TextIO] | None = None

    @property
    def is_on(self) -> bool:
        return self._handler is not None

    def toggle(self) -> str | None:
        """Switch on or off; return the path of the new file, or None when off.

        Raises OSError if no file can be written, and stays off.
        """
        if self.is_on:
            self.stop()
            return None
        return self.start()

    def start(self) -> str:
        """Switch on, with a new file even if it was on; return its path.

        Raises OSError if no file can be written; then nothing has changed.
        """
        stream, path = open_debug_file(self._directory)
        try:
            for line in self._dump().splitlines():
                stream.write(printable(line) + "\n")
            stream.flush()
        except OSError:  # no space is left: no empty file either
            os.unlink(path)
            with suppress(OSError):
                stream.close()
            raise
        self.stop()
        self._handler = logging.StreamHandler(stream)
        self._handler.setFormatter(
            EscapingFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
        )
        self._handler.setLevel(logging.DEBUG)
        self._logger.addHandler(self._handler)
        fit_level(self._logger)
        return path

    def stop(self) -> None:
        """Switch off. The file remains."""
        if self._handler is None:
            return
        self._logger.removeHandler(self._handler)
        fit_level(self._logger)
        self._handler.stream.close()
        self._handler = None

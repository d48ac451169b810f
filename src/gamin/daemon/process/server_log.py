"""The server's own log: what is written, and where that goes."""

import logging
import os
import stat

from gamin.system.debug_log import fit_level
from gamin.system.proc import path_of_descriptor

NOTHING = logging.CRITICAL + 1
"""The level of a handler that writes nothing."""


def set_level(logger: logging.Logger, level: int | None) -> None:
    """Have the log (the first handler of the logger) write what has this level or a
    higher one; None for nothing."""
    if logger.handlers:
        logger.handlers[0].setLevel(NOTHING if level is None else level)
        fit_level(logger)


def path(descriptor: int = 2) -> str | None:
    """The regular file that the log is written to; None if it is none."""
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
    except OSError:
        return None
    return os.fsdecode(path_of_descriptor(descriptor)) or None

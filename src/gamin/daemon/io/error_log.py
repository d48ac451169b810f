"""Logs exceptions, also when there is no memory left."""

import logging
from contextlib import suppress


def log_exception(logger: logging.Logger, text: str, *arguments: object) -> None:
    """Log the exception that is being handled, as `Logger.exception` does.

    Without memory for the line nothing is logged: the caller, which handles an
    exception, must go on to do what the exception calls for.
    """
    with suppress(MemoryError):
        logger.exception(text, *arguments)

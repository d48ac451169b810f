"""Debugging of a client process: GAM_DEBUG at its start, SIGUSR2 while it runs.

A library does not take a signal that the program may want: SIGUSR2 is followed only
where nobody handles it, and only if the user asked for debugging by GAM_DEBUG or the
program is our own.
"""

import logging
import os
import signal
import threading
from collections.abc import Callable

from gamin.system.debug_log import DebugLog, is_wanted

logger = logging.getLogger("gamin")


def follow(dump: Callable[[], str], *, always: bool = False) -> DebugLog | None:
    """Write what this client does to a fresh file when told to.

    `dump` describes the client's state. With GAM_DEBUG it begins at once, and SIGUSR2
    switches. `always`: SIGUSR2 is followed without GAM_DEBUG too. None where it is not
    followed: not asked for, not the main thread, or the signal is somebody's already.
    """
    wanted = is_wanted(os.environ)
    is_free = signal.getsignal(signal.SIGUSR2) is signal.SIG_DFL
    is_main = threading.current_thread() is threading.main_thread()
    if not (wanted or always) or not is_free or not is_main:
        return None
    log = DebugLog(logger, dump)
    signal.signal(signal.SIGUSR2, lambda number, frame: _toggle(log))
    if wanted:
        _toggle(log)
    return log


def _toggle(log: DebugLog) -> None:
    try:
        log.toggle()
    except OSError as error:
        logger.warning("no debug file: %s", error)

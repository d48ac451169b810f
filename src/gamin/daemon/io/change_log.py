"""Writes what the kernel reported to the debug log; the caller checks that it is on."""

import logging
import os
from collections.abc import Sequence

from gamin.events import (
    BIT_NAMES,
    AnyChange,
)
from gamin.paths import printable
from gamin.system.debug_log import PREFIX
from gamin.system.proc import path_of_descriptor

logger: logging.Logger = logging.getLogger(__name__)

_OWN = os.fsencode(PREFIX)


def log(changes: Sequence[AnyChange]) -> None:
    """Write one line for each change, with its bits by name.

    Changes of the log files themselves are left out: each would cause the next.
    """
    stderr = path_of_descriptor(2)
    for node, mask, cookie, name in changes:
        path = b"" if node is None else node.path_prefix() + name
        if name.startswith(_OWN) or (name and path == stderr):
            continue
        bits = "|".join(text for bit, text in BIT_NAMES.items() if mask & bit)
        logger.debug("%s %s cookie=%d", bits, printable(path), cookie)

"""Ends a server that has no memory left.

An allocation can fail between any two steps: when the tree knows of a change and no
client does, when a client is counted as informed and its message is not made. There is
no list of what is lost then. But a server that was killed is a case that every client
handles: it comes to the next server with the clock of its last message and receives
exactly what it lacks. The next server has the memory of a new process. So a server
without memory for what it has to deliver ends as if it were killed, and saves nothing.

A request that needs too much is none of this: it is answered with an error.
"""

import os
from contextlib import suppress
from typing import Final, NoReturn

_LINE: Final = (
    b"gam_server: no memory is left (ulimit -v limits it): this server ends, and its "
    b"clients go on with the next one\n"
)
"""Made beforehand: there is no memory for it when it is needed."""

STATUS: Final = 71
"""The exit status: EX_OSERR of sysexits.h."""


def end_without_memory() -> NoReturn:
    """End this process now, with a line on standard error."""
    with suppress(OSError):
        os.write(2, _LINE)
    os._exit(STATUS)

"""The server of the session as a process that is signalled at a chosen moment."""

import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from soak.disturbances import server_pid


class ServerProcess:
    """The server that runs, by a descriptor: no other process can get its signals."""

    def __init__(self) -> None:
        self.descriptor = os.pidfd_open(server_pid())

    def __enter__(self) -> "ServerProcess":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.descriptor)

    def send(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.descriptor, number)

    @property
    def has_ended(self) -> bool:
        return bool(select.select([self.descriptor], [], [], 0)[0])

    def wait(self) -> None:
        select.select([self.descriptor], [], [])


@contextmanager
def urgent() -> Iterator[None]:
    """With all on one processor, a step of the server wakes this process before the
    server does the next one (man 7 sched)."""
    with suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))

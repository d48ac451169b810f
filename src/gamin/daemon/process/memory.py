"""Returns the memory that clients leave behind to the system.

A client that leaves breaks its reference cycles, so nearly everything is free at once.
The garbage collector runs rarely (`gamin.daemon.process.main`), and the C library keeps
free memory; this module calls both when the last client, or a heavy one, has gone.
"""

import gc
from collections.abc import Callable

from gamin.daemon.io.loop import Loop
from gamin.system import libc

DELAY_SECONDS = 0.2
"""Seconds after a client has left, so that several that leave together count as one."""
YOUNG = 1
"""The generation up to which garbage is collected while there are clients: a scan of a
large tree takes too long for them."""


class Memory:
    def __init__(
        self,
        loop: Loop,
        has_clients: Callable[[], bool],
        is_letting_go: Callable[[], bool],
    ) -> None:
        """`is_letting_go` says whether what a client left is still being released."""
        self._loop = loop
        self._has_clients = has_clients
        self._is_letting_go = is_letting_go
        self._is_scheduled = False

    def client_left(self, *, is_heavy: bool) -> None:
        if not self._is_scheduled and (is_heavy or not self._has_clients()):
            self._is_scheduled = True
            self._loop.call_later(DELAY_SECONDS, self._release)

    def _release(self) -> None:
        if self._is_letting_go():
            self._loop.call_later(DELAY_SECONDS, self._release)
            return
        self._is_scheduled = False
        gc.collect(YOUNG if self._has_clients() else 2)
        libc.trim_memory()

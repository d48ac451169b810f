"""A kernel facility that could not be had when it was asked for, and may be later.

Until then it is one that has no room for anything, so that everything is polled; and
what is tried again when there may be room again brings it about. Which facility it is,
is left to who says how to open it.
"""

import select
from collections.abc import Callable, Sequence

from gamin.backends.base import KernelBackend, Watchable
from gamin.errors import WatchLimitReached
from gamin.events import Change


class AwaitedBackend:
    def __init__(self, opener: Callable[[], KernelBackend]) -> None:
        """`opener` raises OSError as long as there is none."""
        self._open = opener
        self._backend: KernelBackend | None = None
        # The loop waits for one descriptor; the facility's own comes later.
        self._epoll = select.epoll()

    def fileno(self) -> int:
        return self._epoll.fileno()

    def close(self) -> None:
        self._epoll.close()
        if self._backend is not None:
            self._backend.close()

    @property
    def watches(self) -> int:
        return 0 if self._backend is None else self._backend.watches

    @property
    def limit(self) -> int:
        return 0 if self._backend is None else self._backend.limit

    @property
    def has_noticed(self) -> bool:
        return self._backend is not None and self._backend.has_noticed

    def watch(self, node: Watchable, mask: int) -> None:
        if self._backend is None:
            self._backend = self._opened(node)
            self._epoll.register(self._backend.fileno(), select.EPOLLIN)
        self._backend.watch(node, mask)

    def _opened(self, node: Watchable) -> KernelBackend:
        try:
            return self._open()
        except OSError:
            raise WatchLimitReached(node.path(), 0) from None

    def unwatch(self, node: Watchable) -> None:
        if self._backend is not None:
            self._backend.unwatch(node)

    def drain(self) -> Sequence[Change]:
        return () if self._backend is None else self._backend.drain()

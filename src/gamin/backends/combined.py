"""Combines two kernel facilities: inotify first, fanotify where inotify has no room.

`inotify` and `fanotify` use the facilities; the core polls what neither takes.

Each has its own quota per user, so both together watch twice as much before anything is
polled. inotify comes first: it watches a directory in a quarter of the time and a fifth
of the memory, and reads most events in less than half the time. fanotify is faster only
where the same event repeats, because the kernel merges it (measured on 6.18 by
bench/backend_cost.py).
"""

import select
from collections.abc import Callable, Sequence

from gamin.backends.base import FIRST_MARK, KernelBackend, Usage, Watchable
from gamin.backends.inotify import InotifyBackend
from gamin.errors import WatchLimitReached
from gamin.events import AnyChange

Open = Callable[[], KernelBackend]
"""Opens a backend. Raises OSError if the kernel refuses, even if only at present."""


def open_fanotify() -> KernelBackend:
    # Imported when it is needed, which is seldom: it is a tenth of what a server loads.
    from gamin.backends.fanotify import FanotifyBackend

    return FanotifyBackend()


class CombinedBackend:
    """Two facilities as one: each directory is watched by the first one that takes it,
    and stays there.

    Each is opened when it is needed and the kernel grants it. So one that could not be
    had at first (the user's instances are all taken) is asked for again whenever there
    is no room without it; as long as there is none, nothing has room.

    All changes of one directory come from the same facility, and so in their order.
    Each facility pairs its own renames. A rename from a directory of one to a directory
    of the other is half known to each, and is returned as a deletion and a creation.
    """

    def __init__(
        self, inotify: Open = InotifyBackend, fanotify: Open = open_fanotify
    ) -> None:
        self._opens = (inotify, fanotify)
        self._opened: list[KernelBackend | None] = [None, None]
        self.queued_bytes: int = 0
        self.drained_bytes: int = 0
        self._is_detailed = False
        # The loop waits for one descriptor; those of the facilities come later.
        self._epoll = select.epoll()

    @property
    def is_detailed(self) -> bool:
        return self._is_detailed

    @is_detailed.setter
    def is_detailed(self, value: bool) -> None:
        self._is_detailed = value
        for backend in self._in_use():
            backend.is_detailed = value

    def fileno(self) -> int:
        return self._epoll.fileno()

    def close(self) -> None:
        self._epoll.close()
        for backend in self._in_use():
            backend.close()

    @property
    def usage(self) -> Sequence[Usage]:
        return [share for backend in self._in_use() for share in backend.usage]

    def _in_use(self) -> list[KernelBackend]:
        return [backend for backend in self._opened if backend is not None]

    def open_one(self) -> None:
        """Open at least one facility. Raises the OSError of inotify if the kernel
        grants none."""
        try:
            self._open(0)
        except OSError:
            if self._granted(1) is None:
                raise

    def _open(self, index: int) -> KernelBackend:
        backend = self._opens[index]()
        backend.is_detailed = self._is_detailed
        self._epoll.register(backend.fileno(), select.EPOLLIN)
        self._opened[index] = backend
        return backend

    def _granted(self, index: int) -> KernelBackend | None:
        try:
            return self._opened[index] or self._open(index)
        except OSError:
            return None

    # -- what is watched

    def watch(self, node: Watchable, mask: int) -> None:
        """As `Backend.watch`; raises WatchLimitReached only if neither has room."""
        tried = self._opened[node.wd >= FIRST_MARK]
        limit = 0
        if tried is not None:
            try:
                tried.watch(node, mask)
            except WatchLimitReached as full:
                limit = full.limit
            else:
                return
        self._watch_elsewhere(node, mask, tried, limit)

    def _watch_elsewhere(
        self, node: Watchable, mask: int, tried: KernelBackend | None, limit: int
    ) -> None:
        """Watch with a facility that was not tried; open ones before closed ones."""
        for index in sorted((0, 1), key=lambda index: self._opened[index] is None):
            backend = self._granted(index)
            if backend is None or backend is tried:
                continue
            try:
                backend.watch(node, mask)
            except WatchLimitReached as full:
                limit += full.limit
            else:
                return
        raise WatchLimitReached(node.path(), limit)

    def unwatch(self, node: Watchable) -> None:
        holder = self._opened[node.wd >= FIRST_MARK]
        if node.wd >= 0 and holder is not None:
            holder.unwatch(node)

    # -- what happened

    @property
    def has_pending(self) -> bool:
        inotify, fanotify = self._opened
        if inotify is not None and inotify.has_pending:
            return True
        return fanotify is not None and fanotify.has_pending

    def read_ahead(self) -> None:
        for backend in self._in_use():
            backend.read_ahead()
        self._note_progress()

    def _note_progress(self) -> None:
        """Take over the positions of inotify: fanotify returns at once what it
        reads."""
        inotify = self._opened[0]
        if inotify is not None:
            self.queued_bytes, self.drained_bytes = (
                inotify.queued_bytes,
                inotify.drained_bytes,
            )

    def drain(self) -> Sequence[AnyChange]:
        inotify, fanotify = self._opened
        if fanotify is None:
            if inotify is None:
                return ()
            changes = inotify.drain()
            self.queued_bytes, self.drained_bytes = (
                inotify.queued_bytes,
                inotify.drained_bytes,
            )
            return changes
        if inotify is None or fanotify.has_pending:
            # fanotify resolves its doubts of before, of which there is an end; the
            # events of inotify wait for the next drain.
            changes = fanotify.drain()
            self.read_ahead()
            return changes
        changes = [*inotify.drain(), *fanotify.drain()]
        self._note_progress()
        return changes

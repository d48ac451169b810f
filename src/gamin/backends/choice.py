"""Which kernel facility watches what: inotify, fanotify, or one where the other cannot.

How each of them works is left to `inotify` and `fanotify`; polling, for what neither
takes, to the core's policy.

Both have a quota for each user. So with both, twice as much is watched before anything
is polled. inotify comes first: a directory is watched in a quarter of the time and a
fifth of the memory, and most happenings are read in less than half the time. Only where
the same happens again and again is fanotify quicker, because the kernel joins it
(measured on 6.18 by bench/backend_cost.py).
"""

import select
from collections.abc import Sequence
from enum import Enum

from gamin.backends.base import KernelBackend, Watchable
from gamin.backends.fanotify import FanotifyBackend
from gamin.backends.inotify import InotifyBackend
from gamin.backends.marks import FIRST_NUMBER
from gamin.errors import WatchLimitReached
from gamin.events import Change


class Wish(Enum):
    """What the kernel is asked for."""

    AUTO = "auto"
    INOTIFY = "inotify"
    FANOTIFY = "fanotify"


def open_kernel(wish: Wish = Wish.AUTO) -> KernelBackend:
    """What the kernel grants.

    With AUTO, both facilities or one; OSError (that of inotify) when it grants neither.
    With INOTIFY, that one alone. With FANOTIFY, that one, and inotify where the file
    system has no fanotify. OSError when what is named is refused.
    """
    match wish:
        case Wish.INOTIFY:
            return InotifyBackend()
        case Wish.FANOTIFY:
            return _with_inotify(FanotifyBackend())
        case Wish.AUTO:
            return _with_fanotify()


def _with_inotify(fanotify: FanotifyBackend) -> KernelBackend:
    try:
        inotify = InotifyBackend()
    except OSError:
        return fanotify
    return PairedBackend(inotify, fanotify, is_fanotify_first=True)


def _with_fanotify() -> KernelBackend:
    try:
        fanotify = FanotifyBackend()
    except OSError:
        return InotifyBackend()
    try:
        inotify = InotifyBackend()
    except OSError:
        return fanotify
    return PairedBackend(inotify, fanotify)


class PairedBackend:
    """Two facilities as one: each directory is watched by the first one that takes it.

    Of one directory all changes come from the same facility, so in their order. Each
    facility sees to its own renames: of one from a directory of this to one of that,
    each sees half, and so a deletion and an arrival come out.
    """

    def __init__(
        self,
        inotify: InotifyBackend,
        fanotify: FanotifyBackend,
        *,
        is_fanotify_first: bool = False,
    ) -> None:
        self._inotify = inotify
        self._fanotify = fanotify
        self._order: tuple[KernelBackend, KernelBackend] = (
            (fanotify, inotify) if is_fanotify_first else (inotify, fanotify)
        )
        self._epoll = select.epoll()
        for backend in self._order:
            self._epoll.register(backend.fileno(), select.EPOLLIN)

    def fileno(self) -> int:
        return self._epoll.fileno()

    def close(self) -> None:
        self._epoll.close()
        for backend in self._order:
            backend.close()

    @property
    def watches(self) -> int:
        return self._inotify.watches + self._fanotify.watches

    @property
    def limit(self) -> int:
        return self._inotify.limit + self._fanotify.limit

    # -- what is watched

    def watch(self, node: Watchable, mask: int) -> None:
        """WatchLimitReached only when neither has room."""
        first, second = self._order
        if node.wd >= 0 and self._holder(node) is second:
            first, second = second, first
        try:
            first.watch(node, mask)
        except WatchLimitReached as full:
            try:
                second.watch(node, mask)
            except WatchLimitReached as error:
                limit = full.limit + error.limit
                raise WatchLimitReached(error.path, limit) from None

    def unwatch(self, node: Watchable) -> None:
        if node.wd >= 0:
            self._holder(node).unwatch(node)

    def _holder(self, node: Watchable) -> KernelBackend:
        return self._fanotify if node.wd >= FIRST_NUMBER else self._inotify

    # -- what happened

    @property
    def has_noticed(self) -> bool:
        return self._inotify.has_noticed or self._fanotify.has_noticed

    def drain(self) -> Sequence[Change]:
        if self._fanotify.has_noticed:
            # It settles what it said before, and that comes to an end; what inotify
            # has is announced again.
            return self._fanotify.drain()
        return [*self._inotify.drain(), *self._fanotify.drain()]

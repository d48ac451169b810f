"""One client of libgamin's language that may have come back from an earlier server.

libgamin drops what it receives after a reconnection until the first Created or Changed,
or an EndExist, which it drops as well; it does so once for a connection and not for
each request. So a client that has come back is sent one EndExist before anything else,
and everything after that reaches its program, deletions too.

A path is looked at before its difference is known. Until then its subscription counts
as one whose first listing was not sent, so what happens meanwhile is part of the
difference.
"""

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence

from gamin.core.model.subscription import Subscription
from gamin.daemon.io.loop import Loop
from gamin.daemon.sessions.gam_memory import Gap, Repetition
from gamin.events import AnyRow, Row
from gamin.protocol.gam.server import Monitor

SLICE_SECONDS = 0.003
"""Seconds of looking at paths before other work runs."""

Look = tuple[Subscription, Generator[None, None, None]]


class ClientReturn:
    def __init__(
        self,
        find: Callable[[Sequence[Monitor]], Repetition | None],
        looked: Callable[[list[Subscription]], object],
        loop: Loop,
    ) -> None:
        """`find` returns what is known of a client whose first requests these are.
        `looked` is called when it is known what is at the paths of subscriptions."""
        self._find = find
        self._looked = looked
        self._loop = loop
        self._is_first = True
        self._repetition: Repetition | None = None
        self._gaps: dict[Subscription, Gap] = {}
        """Of the subscriptions whose difference was not sent."""
        self._looks: deque[Look] = deque()

    def has_come_back(self, request: Monitor, more: Iterable[Monitor]) -> bool:
        """Whether this request is the first one of a client that has come back; `more`
        are requests that follow it."""
        if not self._is_first:
            return False
        self._is_first = False
        if request.no_exists:
            self._repetition = self._find([request, *more])
        return self._repetition is not None

    def requested(self, request: Monitor, subscription: Subscription) -> None:
        """The subscription carries out the request, and is not ready yet."""
        repetition = self._repetition
        if repetition is None:
            return
        gap = repetition.gap(request, subscription)
        if gap is not None:
            self._gaps[subscription] = gap
        if repetition.is_over:
            self._repetition = None

    def look(self, subscription: Subscription) -> bool:
        """The subscription is ready: look at its path, if its client is owed a
        difference. Return whether `looked` will be called."""
        gap = self._gaps.get(subscription)
        if gap is None:
            return False
        self._looks.append((subscription, gap.steps()))
        if len(self._looks) == 1:
            self._loop.call_soon(self._go_on)
        return True

    def _go_on(self) -> None:
        end = time.monotonic() + SLICE_SECONDS
        done = []
        while self._looks:
            subscription, steps = self._looks[0]
            is_over = subscription not in self._gaps
            for _ in () if is_over else steps:
                break
            else:
                self._looks.popleft()
                if not is_over:
                    done.append(subscription)
            if time.monotonic() >= end:
                break
        if done:
            self._looked(done)
        if self._looks:
            self._loop.call_soon(self._go_on)

    def take_rows(
        self, subscription: Subscription, listed: Iterable[AnyRow]
    ) -> list[Row] | None:
        """What the client is owed, in place of its first listing; None if nothing is
        known of that."""
        gap = self._gaps.pop(subscription, None)
        return None if gap is None else gap.rows(listed)

    def forget(self, subscription: Subscription) -> None:
        """The subscription has ended."""
        self._gaps.pop(subscription, None)

    def close(self) -> None:
        """The client is gone."""
        self._repetition = None
        self._gaps.clear()
        self._looks.clear()

"""The core, its watcher and the clients' faces, connected; no sockets here."""

import logging
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from gamin.core.effects import Deliver, Listing, Trace, TraceKind
from gamin.core.model.subscription import Subscription
from gamin.core.monitor import Monitor
from gamin.daemon.io.connection import Connection
from gamin.daemon.io.loop import Loop
from gamin.engine.executor import Watcher
from gamin.paths import printable

logger = logging.getLogger(__name__)

RELEASE_SLICE_SECONDS = 0.02
"""Seconds of letting go of what a client left before others get their turn."""


NO_ROOM = (
    "the kernel has no watch left for %s: it is polled, and so is whatever else finds "
    "no room, until there is some (fs.inotify.max_user_watches and "
    "fs.fanotify.max_user_marks limit it)"
)


class Session(Protocol):
    """One client, whichever language it speaks."""

    def tell(self, subscription: Subscription, told: Deliver) -> None: ...

    def ready(self, subscription: Subscription) -> None: ...

    def note(self, effect: Trace) -> None: ...

    def flush(self) -> None: ...


class ScanObserver(Protocol):
    def listed(self, listings: Sequence[Listing]) -> None:
        """These directories are taken in next."""


class Service:
    """What the faces share. `start` connects it to a watcher."""

    watcher: Watcher

    def __init__(
        self,
        monitor: Monitor,
        loop: Loop,
        greeted: Callable[[Connection], None],
        cwd: bytes,
    ) -> None:
        self.monitor = monitor
        self.loop = loop
        self.greeted = greeted
        self.faces: dict[int, Session] = {}
        self.readers: list[ScanObserver] = []
        """Who reads files in directories before they are taken in."""
        self._cwd = cwd
        self._left: deque[Subscription] = deque()
        self.told: dict[int, None] = {}
        """Clients that may have something to send at the end of this round."""

    # -- for the faces

    def absolute(self, path: bytes) -> bytes:
        """A relative path is meant as seen from where the server was started."""
        return path if path.startswith(b"/") else os.path.join(self._cwd, path)

    def subscribe(self, subscription: Subscription) -> None:
        """Begin; the caller has synchronised, so the tree knows all that was before."""
        self.watcher.do(self.monitor.subscribe(subscription, time.monotonic()))

    def cancel(self, subscription: Subscription) -> None:
        self.watcher.do(self.monitor.cancel(subscription, time.monotonic()))

    def leave(self, subscriptions: Iterable[Subscription]) -> None:
        """Cancel what a client that has gone left behind; as many as 65,535, so the
        others get their turn in between."""
        is_begun = bool(self._left)
        self._left.extend(subscriptions)
        if not is_begun:
            self._let_go()

    def end(self) -> None:
        """The server ends: nobody needs the rest to be let go."""
        self._left.clear()

    def _let_go(self) -> None:
        end = time.monotonic() + RELEASE_SLICE_SECONDS
        while self._left:
            self.cancel(self._left.popleft())
            if time.monotonic() > end:
                self.loop.call_soon(self._let_go)
                break
        self.flush()

    def tell_withheld(self) -> None:
        """Tell everyone now of what is too busy to be told at once."""
        if self.monitor.flow.busy:
            self.watcher.do(self.monitor.flush_deferred(time.monotonic()))

    def rules_changed(
        self, keeper: Subscription, directory: bytes, name: bytes, text: bytes | None
    ) -> None:
        """An ignore file of a tree says something else now."""
        now = time.monotonic()
        self.watcher.do(self.monitor.rules_changed(keeper, directory, name, text, now))

    # -- from the watcher

    def listed(self, listings: Sequence[Listing]) -> None:
        for face in self.readers:
            face.listed(listings)

    def tell(self, effect: Deliver) -> None:
        for subscription in effect.subscriptions:
            face = self.faces.get(subscription.client)
            if face is not None:
                face.tell(subscription, effect)
                self.told[subscription.client] = None

    def ready(self, subscription: Subscription) -> None:
        face = self.faces.get(subscription.client)
        if face is not None:
            face.ready(subscription)
            self.told[subscription.client] = None

    def note(self, effect: Trace) -> None:
        path = printable(effect.node.path())
        if effect.what is TraceKind.NO_ROOM:
            logger.warning(NO_ROOM, path)
        else:
            logger.info("%s: %s", effect.what.name, path)
        for client, face in self.faces.items():
            face.note(effect)
            self.told[client] = None

    def flush(self) -> None:
        """A round is over: everyone who was told something sends it."""
        while self.told:
            told, self.told = self.told, {}
            for client in told:
                face = self.faces.get(client)
                if face is not None:
                    face.flush()

"""Connects the core, its executor and the sessions; has no sockets."""

import logging
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

from gamin.config.client_limits import ClientLimits
from gamin.config.mounts import Mounts
from gamin.config.state_settings import StateSettings
from gamin.core.effects import Deliver, Listing, Trace, TraceKind
from gamin.core.model.node import Node
from gamin.core.model.subscription import Subscription
from gamin.core.monitor import Monitor
from gamin.daemon.io.connection import Connection
from gamin.daemon.io.drive import Drive
from gamin.daemon.io.errands import Errands
from gamin.daemon.io.error_log import log_exception
from gamin.daemon.io.loop import Loop
from gamin.daemon.sessions.accounts import Accounts
from gamin.engine.proxy import Reader
from gamin.events import AnyChange
from gamin.paths import printable
from gamin.system import libc

if TYPE_CHECKING:
    from gamin.daemon.sessions.gam_memory import GamMemory

logger: logging.Logger = logging.getLogger(__name__)
_package = logging.getLogger("gamin")
"""Its level is switched while the server runs; see `gamin.system.debug_log`."""

RELEASE_SLICE_SECONDS = 0.02
"""Seconds of letting go of what a client left before other work runs."""


NO_ROOM = (
    "the kernel has no watch left for %s: it is polled, and so is whatever else finds "
    "no room, until there is some (fs.inotify.max_user_watches and "
    "fs.fanotify.max_user_marks limit it)"
)


class Session(Protocol):
    """A subscriber to the core: a client's connection, or a part of the server.

    A subscription names its session as its `client`.
    """

    def deliver(self, subscription: Subscription, effect: Deliver) -> None:
        """Rows of one of its subscriptions."""

    def ready(self, subscription: Subscription) -> None:
        """One of its subscriptions is really watched."""

    def note(self, effect: Trace) -> None:
        """The server did something inside that clients may ask to be informed of."""

    def flush(self) -> None:
        """The round of the loop is over: send what there is to send."""


class ScanObserver(Protocol):
    def reader(self, node: Node) -> Reader | None:
        """What is to be read in a directory of a distant mount when it is scanned."""

    def was_read(self, node: Node, read: object) -> None:
        """What its reader returned; `listed` follows."""

    def listed(self, listings: Sequence[Listing]) -> None:
        """These scans are applied to the tree next."""


class Service:
    """What the sessions share. `drive` is set before the first subscription."""

    drive: Drive

    def __init__(
        self,
        monitor: Monitor,
        loop: Loop,
        greeted: Callable[[Connection], None],
        cwd: bytes,
    ) -> None:
        self.monitor = monitor
        self.loop = loop
        self.errands: Errands = Errands(loop)
        self.greeted = greeted
        self.sessions: dict[Session, None] = {}
        """The present sessions, oldest first."""
        self.scan_observers: list[ScanObserver] = []
        """Called to read files in directories before their scans are applied."""
        self.accounts: Accounts = Accounts()
        self.limits: ClientLimits = ClientLimits()
        """What clients may take; see `limit`."""
        self.state: StateSettings = StateSettings()
        """How much is remembered across restarts."""
        self.on_no_memory: Callable[[], object] = libc.trim_memory
        """Called where there is no memory for what is to be delivered."""
        self.gam_memory: GamMemory | None = None
        """What remembers the clients of libgamin's language, once there is one."""
        self._cwd = cwd
        self._left: deque[Subscription] = deque()
        self._unflushed: dict[Session, None] = {}
        """Sessions that may have something to send at the end of this round."""

    def limit(self, limits: ClientLimits) -> None:
        """These limits hold from now on; what clients have already stays theirs."""
        self.limits = limits
        self.accounts.max_held_bytes = limits.held_bytes

    # -- for the sessions

    def join(self, session: Session) -> None:
        self.sessions[session] = None

    def part(self, session: Session) -> None:
        """It gets nothing more, though its subscriptions may end later."""
        self.sessions.pop(session, None)

    def flush_later(self, session: Session) -> None:
        """It has something to send at the end of this round."""
        self._unflushed[session] = None

    @property
    def mounts(self) -> Mounts:
        """Where file systems are mounted."""
        return self.monitor.coverage.method.policy.mounts

    def absolute(self, path: bytes) -> bytes:
        """A relative path is relative to where the server was started."""
        return path if path.startswith(b"/") else os.path.join(self._cwd, path)

    def subscribe(self, subscription: Subscription) -> None:
        """Begin. The caller has synchronised, so the tree knows what was before."""
        self.drive.do(self.monitor.subscribe(subscription, time.monotonic()))

    def cancel(self, subscription: Subscription) -> None:
        self.drive.do(self.monitor.cancel(subscription, time.monotonic()))

    def leave(self, subscriptions: Iterable[Subscription]) -> None:
        """Cancel what a client that is gone left behind: up to 65,535 subscriptions,
        so in slices between which others are served."""
        is_begun = bool(self._left)
        self._left.extend(subscriptions)
        if not is_begun:
            self._let_go()

    @property
    def is_letting_go(self) -> bool:
        """What a client left behind is still being cancelled."""
        return bool(self._left)

    def end(self) -> None:
        """The server ends, so nothing needs to be released."""
        self._left.clear()

    def _let_go(self) -> None:
        end = time.monotonic() + RELEASE_SLICE_SECONDS
        while self._left:
            self.cancel(self._left.popleft())
            if time.monotonic() > end:
                self.loop.call_soon(self._let_go)
                break
        self.flush()

    def flush_deferred(self) -> None:
        """Report now what flow control deferred."""
        if self.monitor.flow.busy:
            self.drive.do(self.monitor.flush_deferred(time.monotonic()))

    def rules_changed(
        self,
        subscription: Subscription,
        directory: bytes,
        name: bytes,
        text: bytes | None,
    ) -> None:
        """An ignore file of a tree has another text now, or None: it is gone."""
        now = time.monotonic()
        self.drive.do(
            self.monitor.rules_changed(subscription, directory, name, text, now)
        )

    # -- from the executor

    def detected(self, changes: Sequence[AnyChange]) -> None:
        if _package.level == logging.DEBUG:
            from gamin.daemon.io.change_log import log

            log(changes)

    def reader(self, node: Node) -> Reader | None:
        for observer in self.scan_observers:
            reader = observer.reader(node)
            if reader is not None:
                return reader
        return None

    def was_read(self, node: Node, read: object) -> None:
        for observer in self.scan_observers:
            observer.was_read(node, read)

    def listed(self, listings: Sequence[Listing]) -> None:
        for observer in self.scan_observers:
            observer.listed(listings)

    def deliver(self, effect: Deliver) -> None:
        sessions, unflushed = self.sessions, self._unflushed
        for subscription in effect.subscriptions:
            session: Session = subscription.request.client
            if session in sessions:
                session.deliver(subscription, effect)
                unflushed[session] = None

    def ready(self, subscription: Subscription) -> None:
        session: Session = subscription.client
        if session in self.sessions:
            session.ready(subscription)
            self._unflushed[session] = None

    def note(self, effect: Trace) -> None:
        path = printable(effect.node.path())
        if effect.what is TraceKind.NO_ROOM:
            logger.warning(NO_ROOM, path)
        else:
            logger.info("%s: %s", effect.what.name, path)
        for session in self.sessions:
            session.note(effect)
            self._unflushed[session] = None

    def packed(self) -> None:
        libc.trim_memory()

    def no_memory(self) -> None:
        self.on_no_memory()

    def flush(self) -> None:
        """A round is over: every session sends what it has."""
        while self._unflushed:
            unflushed, self._unflushed = self._unflushed, {}
            for session in unflushed:
                if session in self.sessions:
                    try:
                        session.flush()
                    except MemoryError:  # what it was to send may be lost
                        self.on_no_memory()
                    except Exception:  # the others send what they have
                        log_exception(logger, "a bug; what was to be sent is not")

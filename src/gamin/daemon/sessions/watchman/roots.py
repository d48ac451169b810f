"""All roots: opened, found, kept for a while after their last client, released."""

import itertools
import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from gamin.config.client_limits import ClientLimits
from gamin.core.effects import Deliver, Trace
from gamin.core.model.subscription import Scope, Subscription
from gamin.core.throttle.activity import Activity
from gamin.daemon.io.errands import Answer, Done, Errands, MountStalled, Steps, aside
from gamin.daemon.io.loop import Loop
from gamin.daemon.io.turns import Turns
from gamin.daemon.sessions.hub import Service
from gamin.daemon.sessions.watchman import holding
from gamin.daemon.sessions.watchman.ignore_files import WatchmanIgnore
from gamin.daemon.sessions.watchman.needed_roots import NeededRoots
from gamin.daemon.sessions.watchman.projects import real_path
from gamin.daemon.sessions.watchman.root import Root
from gamin.daemon.sessions.watchman.rule_files import RootRules, RuleFiles
from gamin.daemon.sessions.watchman.subscriber import Subscriber
from gamin.daemon.sessions.watchman.tick_times import TickTimes
from gamin.engine.known_listings import KnownListings
from gamin.patterns.ignore_rules import IgnoreRules
from gamin.protocol.watchman.query.query import Query
from gamin.protocol.watchman.root_config import RootConfig
from gamin.system import reach
from gamin.system.errands import STALLED_SECONDS

KEPT_SECONDS = 60.0
"""Seconds for which a root stays watched after its last client."""


MAX_UNUSED = 16
"""Roots of one path that stay watched without a client; the oldest is closed first."""

DEFAULT = RootConfig()


class RootKey(NamedTuple):
    """What makes a root: clients with equal keys share it."""

    path: bytes
    recursive: bool = True
    ignore: tuple[str, ...] = ()
    vcs_ignore: bool = False
    cross_mounts: bool = False
    is_watchman: bool = False
    details: bool = False
    flow_control: bool = True

    @classmethod
    def of(cls, path: bytes, query: Query) -> "RootKey":
        return cls(
            path,
            query.recursive,
            query.ignore,
            query.vcs_ignore,
            query.cross_mounts,
            details=query.details,
            flow_control=query.flow_control,
        )


class Roots:
    """The session of all shared subscriptions: passes rows on to their roots."""

    def __init__(self, service: Service, rules: RuleFiles, start: int) -> None:
        self._service = service
        self._rules = rules
        self._server = (start, os.getpid())
        self._by_key: dict[RootKey, Root] = {}
        self._keys: dict[Root, RootKey] = {}
        self._by_path: dict[bytes, set[Root]] = {}
        self._unused: dict[bytes, dict[Root, None]] = {}
        """By path, the roots that are kept without a client."""
        self._by_subscription: dict[Subscription, Root] = {}
        self._numbers = itertools.count(1)
        self._turns = Turns(service.loop)
        self.needed: NeededRoots = NeededRoots(self.release)
        self.times: TickTimes = TickTimes()
        self.on_cancel: Callable[[], None] = lambda: None
        """Called when a root is not watched for good any more."""
        self._delivered: dict[Root, None] = {}
        self.on_closing: Callable[[RootKey, Root, Callable[[], None]], None]
        """Called with a root that nobody came back to, and with what to call to have it
        released."""
        self.on_closing = lambda key, root, then: then()
        self.on_closed: Callable[[Root], None] = lambda root: None
        """Called when a root was released."""
        self.on_changed: Callable[[Root], None] = lambda root: None
        """Called when more is known of a root."""

    def __str__(self) -> str:
        return "roots"

    @property
    def errands(self) -> Errands:
        return self._service.errands

    @property
    def server(self) -> tuple[int, int]:
        """When this server started and its pid: the beginning of its clocks."""
        return self._server

    @property
    def files(self) -> KnownListings:
        return self._service.drive.files

    @property
    def loop(self) -> Loop:
        return self._service.loop

    @property
    def limits(self) -> ClientLimits:
        """What clients may take."""
        return self._service.limits

    @property
    def all(self) -> list[Root]:
        return list(self._by_key.values())

    def by_key(self) -> list[tuple[RootKey, Root]]:
        return list(self._by_key.items())

    def key_of(self, root: Root) -> RootKey | None:
        """The key of a root; None once it is closed."""
        return self._keys.get(root)

    def find_key(self, key: RootKey) -> Root | None:
        return self._by_key.get(key)

    def at(self, path: bytes) -> set[Root]:
        """All roots of one path, each with other rules."""
        return set(self._by_path.get(path, ()))

    def watched(self) -> list[bytes]:
        """The paths that clients asked to be watched for good (`watch`)."""
        return [key.path for key, root in self._by_key.items() if root.is_pinned]

    def mount_of(self, root: Root) -> bytes:
        """The point of the mount that a root is on, where a system call there may take
        for ever; empty for all others."""
        policy = self._service.monitor.coverage.method.policy
        mount = policy.distant_mount(root.prefix.rstrip(b"/") or b"/")
        return b"" if mount is None else mount.point

    def find(self, path: bytes) -> Root | None:
        root = self._by_key.get(RootKey(path, is_watchman=True))
        return root if root is not None and root.is_pinned else None

    def open(self, key: RootKey, config: RootConfig = DEFAULT) -> Steps[Root]:
        """Return the root, made if there is none. It calls its `waiting` when it is
        ready."""
        root = self._by_key.get(key)
        if root is None:
            subscription, rules = yield from self._subscription(key, config)
            root = self._by_key.get(key)  # another client may have come meanwhile
            if root is None:
                root = self._make(key, config, subscription, rules)
        self._forget_reaper(root)
        return root

    def _forget_reaper(self, root: Root) -> None:
        """It has a client again, or is closed."""
        if root.reaper is not None:
            root.reaper.cancel()
            root.reaper = None
            unused = self._unused[root.path]
            del unused[root]
            if not unused:
                del self._unused[root.path]

    def _make(
        self,
        key: RootKey,
        config: RootConfig,
        subscription: Subscription,
        rules: RootRules | None,
    ) -> Root:
        service = self._service
        root = Root(
            subscription,
            self._numbers,
            service.monitor,
            service.loop,
            self._server,
            service.errands,
            self._turns,
        )
        root.config = config
        root.has_warnings = key.is_watchman
        self._by_key[key] = root
        self._keys[root] = key
        self._by_path.setdefault(key.path, set()).add(root)
        self._by_subscription[subscription] = root
        if rules is not None:
            self._rules.follow(subscription, rules)
        service.subscribe(subscription)
        return root

    def _subscription(
        self, key: RootKey, config: RootConfig
    ) -> Steps[tuple[Subscription, RootRules | None]]:
        ignore: IgnoreRules | WatchmanIgnore | None = None
        rules: RootRules | None = None
        if key.is_watchman:
            ignore = WatchmanIgnore(config)
        elif key.ignore or key.vcs_ignore:
            globs = [os.fsencode(glob) for glob in key.ignore]
            if key.vcs_ignore:
                path = yield from aside(partial(real_path, key.path), None)
                rules = yield from self._rules.rules_for(path, globs)
                ignore = rules.rules
            else:
                ignore = IgnoreRules(globs)
        scope = Scope.TREE if key.recursive else Scope.DIRECTORY
        subscription = Subscription(
            self,
            0,
            key.path,
            scope,
            ignore=ignore,
            cross_mounts=key.cross_mounts or config.allow_crawling_other_mounts,
            wants_details=key.details,
            is_unthrottled=not key.flow_control,
        )
        return subscription, rules

    def until_ready(self, root: Root, *, must_answer: bool) -> Steps[None]:
        """Go on when the root is ready, or closed. `must_answer`: raises MountStalled
        when it waits for a mount that does not answer."""
        while not root.is_ready and root in self._keys:
            seconds = STALLED_SECONDS if must_answer and reach.has_distant() else None
            yield partial(_wait_for, root, seconds)
            if must_answer and not root.is_ready:
                distant = self._service.drive.executor.distant
                mount = distant.stalled_mount(root.subscription)
                if mount is not None:
                    raise MountStalled(mount.point)

    def bringing_up_to_date(self, root: Root) -> Steps[bool]:
        """Detect now what would be detected later in the root, for what is asked is
        answered from what is on the disk. Return whether that was possible. Yields
        where others may get their turn; raises MountStalled if a mount does not
        answer."""
        drive, subscription = self._service.drive, root.subscription
        is_complete = yield from drive.bringing_up_to_date(subscription)
        if reach.has_distant():
            answer = Answer()
            distant = drive.executor.distant
            poll = distant.poll_now(subscription, answer.give)
            if poll is not None and poll.is_sent:
                yield partial(answer.wait, STALLED_SECONDS)
            if poll is not None and not answer.is_given:
                raise MountStalled(poll.mount.point)
        return is_complete

    def rescan(self, reason: str) -> None:
        """Compare all there is with the disk, as after a loss of events."""
        self._service.monitor.recovery.on_wish(time.monotonic(), reason)

    def file_system(self, path: bytes) -> str:
        """The type of the file system that a path, free of symlinks, is on."""
        return self._service.monitor.coverage.method.policy.file_system(path)

    def flush_deferred(self) -> None:
        """Report what flow control deferred, before a question is answered."""
        self._service.flush_deferred()
        self._rules.reread()

    def activity(
        self, root: Root, names: Sequence[bytes], now: float
    ) -> list[Activity | None]:
        """What reports do not say of entries of the root; the empty name is its own."""
        activities = self._service.monitor.activities
        return [activities.of(_real_path(root, name), now) for name in names]

    def close(self, root: Root) -> None:
        """Stop watching it."""
        del self._by_key[self._keys.pop(root)]
        its = self._by_path[root.path]
        its.discard(root)
        if not its:
            del self._by_path[root.path]
        del self._by_subscription[root.subscription]
        self._forget_reaper(root)
        for subscriber in root.subscribers:
            root.remove(subscriber)
        self._service.cancel(root.subscription)
        self._rules.drop(root.subscription)
        self.on_closed(root)
        self._call_waiting(root)

    def _call_waiting(self, root: Root) -> None:
        waiting, root.waiting = root.waiting, []
        for then in waiting:
            then()

    def cancel(self, root: Root) -> None:
        """The root is not watched any more, and its subscriptions end."""
        root.is_pinned = False
        self.on_cancel()
        for subscriber in root.subscribers:
            subscriber.sink.canceled(root.path)
        self.close(root)

    def client_left(self, client: object) -> None:
        """The states that it asserted are asserted no more."""
        for root in self.all:
            for name in root.states.of(client):
                holding.leave_state(root, name, client, None, is_abandoned=True)

    def unsubscribe(self, root: Root, subscriber: Subscriber) -> None:
        """A subscription ends. Without any the root is kept for a while only."""
        if root.has(subscriber):
            root.remove(subscriber)
        self.release(root)

    def release(self, root: Root) -> None:
        """Close the root after a while, unless a client needs it again."""
        if root in self.needed or root.reaper is not None:
            return
        if root.subscription in self._by_subscription:
            reap = partial(self._reap, root)
            root.reaper = self._service.loop.call_later(KEPT_SECONDS, reap)
            unused = self._unused.setdefault(root.path, {})
            unused[root] = None
            if len(unused) > MAX_UNUSED:
                self._reap(next(iter(unused)))

    def _reap(self, root: Root) -> None:
        self._forget_reaper(root)
        key = self.key_of(root)
        if key is not None:
            self.on_closing(key, root, partial(self._close_unused, root))

    def _close_unused(self, root: Root) -> None:
        """Close the root, if no client came meanwhile."""
        is_used = root in self.needed or root.reaper is not None
        if root in self._keys and not is_used:
            self.close(root)

    # -- from the core

    def deliver(self, subscription: Subscription, effect: Deliver) -> None:
        root = self._by_subscription.get(subscription)
        if root is None:
            return
        root.deliver(effect)
        self._delivered[root] = None
        self._rules.delivered(subscription, effect.rows)

    def ready(self, subscription: Subscription) -> None:
        root = self._by_subscription.get(subscription)
        if root is None:
            return
        second = int(time.time())
        root.become_ready(second)
        self.times.note(second, self._service.monitor.tree.tick)
        self.on_changed(root)
        self._call_waiting(root)

    def note(self, effect: Trace) -> None:
        """Watchman's clients cannot ask for these."""

    def flush(self) -> None:
        """The round is over: what was reported becomes messages to the clients."""
        self._rules.reread()
        self.times.note(int(time.time()), self._service.monitor.tree.tick)
        effect, self._delivered = self._delivered, {}
        for root in effect:
            self.on_changed(root)
            if root.is_lost and root.is_pinned:  # as Watchman: a new `watch` is needed
                self.cancel(root)
            else:
                root.flush()
        if self._service.monitor.details.is_wanted:
            self._service.monitor.details.end_round()


def _real_path(root: Root, name: bytes) -> bytes:
    if name:
        return root.prefix + name
    steps = root.subscription.steps
    if not steps:
        return root.path
    node, entry = steps[-1]
    return node.path_prefix() + entry


def _wait_for(root: Root, seconds: float | None, errands: Errands, done: Done) -> None:
    root.waiting.append(errands.once(done, seconds))

"""Carries the core's effects out on a disk in memory, with a clock that tests move.

The same work in the same order as the daemon's watcher and its faces, without loop,
sockets or waiting. `meanwhile` is called before every system call: what other programs
do just then is for tests to say.
"""

import errno
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from gamin.config.flow_settings import FlowSettings
from gamin.config.gaminrc import FilesystemRule, PathRule
from gamin.config.mounts import Mount, Mounts
from gamin.config.policy import Policy
from gamin.core.coverage.method import CONTENT_AND_ATTRIB
from gamin.core.effects import (
    Deliver,
    Effect,
    Listing,
    Probe,
    Ready,
    Scan,
    Trace,
    Unwatch,
    Watch,
)
from gamin.core.model.node import Node
from gamin.core.model.subscription import Subscription
from gamin.core.monitor import Monitor
from gamin.errors import WatchLimitReached
from gamin.events import IS_DIR, MOVED_TO, Change, Row
from testkit.doubles.clients import Client, V1Client, View
from testkit.doubles.disk import Disk, Inode
from testkit.doubles.kernel import KernelInMemory
from testkit.doubles.polling import PollingInMemory

ROOM = 65_536
IN_A_ROW = 4
"""Directories that are taken in together."""


class Listener(Protocol):
    """A client, as far as the core speaks to it."""

    def tell(self, subscription: Subscription, rows: Iterable[Row]) -> None: ...

    def ready(self, subscription: Subscription) -> None: ...

    def flush(self) -> None:
        """A round is over."""


START = 1000.5
MAX_ROUNDS = 10_000
"""A shell that has not come to rest after so many is going round in circles."""

_Work = Watch | Unwatch | Probe | Scan


def _nothing() -> None:
    """Nobody does anything meanwhile."""


class Shell:
    def __init__(
        self,
        policy: Policy | None = None,
        settings: FlowSettings | None = None,
        *,
        has_kernel: bool = True,
        room: int = ROOM,
    ) -> None:
        """`room`: how many directories the kernel watches at the most."""
        self.now = START
        self.disk = Disk(self.real_time)
        self.kernel = KernelInMemory(self.disk, room)
        self.polling = PollingInMemory(self.disk)
        self.monitor = Monitor(policy or plain_policy(), settings)
        self.clients: list[Client] = []
        self.listeners: list[Listener] = []
        """Whoever is told, by number; `clients` are among them."""
        self.notes: list[Trace] = []
        self.calls = 0
        """System calls made so far."""
        self.meanwhile: Callable[[], None] = _nothing
        self.has_kernel = has_kernel
        self._urgent: deque[_Work] = deque()
        self._crawl: deque[Scan] = deque()
        self._noticed: list[Change] = []

    def real_time(self) -> int:
        return int(self.now * 1e9)

    def v1(self) -> V1Client:
        client = V1Client(self, len(self.listeners))
        self.clients.append(client)
        self.listeners.append(client)
        return client

    def view(self) -> View:
        view = View(self, len(self.listeners))
        self.clients.append(view)
        self.listeners.append(view)
        return view

    # -- what happens

    def end(self, subscription: Subscription) -> None:
        self.do(self.monitor.cancel(subscription, self.now))
        self.turn()

    def begin(self, subscription: Subscription) -> None:
        self.synchronise()
        self.do(self.monitor.subscribe(subscription, self.now))
        self.turn()

    def turn(self) -> None:
        """Do everything there is to do now."""
        for _ in range(MAX_ROUNDS):
            self.drain()
            if self._crawl:
                self._crawl_on()
            elif not (self.kernel.inotify.queue or self.kernel.has_pending):
                return
        raise AssertionError("the shell does not come to rest")

    def drain(self) -> None:
        """Take what the kernel has noticed, do what follows from it, and send."""
        self.synchronise()
        self.do([])
        self.flush()

    def synchronise(self) -> None:
        self._catch_up()
        if self.monitor.start_recovery(self.now):
            self._catch_up()
            self.do(self.monitor.recover(self.now))

    def _catch_up(self) -> None:
        started = self.real_time()
        changes = self.kernel.drain()
        if changes:
            self._pass_to_polling(changes)
            self.do(self.monitor.changed(changes, self.now))
        self.monitor.drained(started)

    def _pass_to_polling(self, changes: Iterable[Change]) -> None:
        for node, mask, _, name in changes:
            if not name or node is None or node.wd_poll < 0:
                continue
            if not mask & CONTENT_AND_ATTRIB or mask & node.kernel_mask:
                self.polling.absorb_kernel_event(node, mask, name)

    def sleep(self, seconds: float) -> None:
        """Let time pass, with all that is due meanwhile."""
        end = self.now + seconds
        self.turn()
        while (due := self._next_due()) <= end:
            self.now = max(self.now, due)
            deadline = self.monitor.deadline()
            if deadline is not None and deadline <= self.now:
                self.do(self.monitor.due(self.now))
            if self.now % 1 == 0 and (changes := self.polling.look_all(self.now)):
                self.do(self.monitor.changed(changes, self.now))
            self.turn()
        self.now = end

    def settle(self) -> None:
        """Let time pass until nothing is pending any more."""
        for _ in range(MAX_ROUNDS):
            self.turn()
            deadline = self.monitor.deadline()
            if deadline is None:
                return
            self.sleep(max(0.0, deadline - self.now))
        raise AssertionError("something is always pending")

    def change_policy(self, policy: Policy) -> None:
        self.synchronise()
        self.do(self.monitor.policy_changed(policy, self.now))
        self.turn()

    def flush(self) -> None:
        for listener in self.listeners:
            listener.flush()

    def _next_due(self) -> float:
        deadline = self.monitor.deadline()
        dues = [] if deadline is None else [deadline]
        if self.polling.watches:
            dues.append(self.now // 1 + 1)
        return min(dues, default=float("inf"))

    # -- effects

    def do(self, effects: list[Effect]) -> None:
        """Carry effects out, and what follows from them, save for crawls."""
        self._take(effects)
        self._work()
        if self.kernel.has_pending:
            changes = self.kernel.drain()
            self._pass_to_polling(changes)
            self.do(self.monitor.changed(changes, self.now))

    def _work(self) -> None:
        while self._noticed or self._urgent:
            if self._noticed:
                noticed, self._noticed = self._noticed, []
                self._take(self.monitor.changed(noticed, self.now))
            else:
                self._perform(self._urgent.popleft())

    def _take(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Deliver(subscriptions, rows):
                    for subscription in subscriptions:
                        self.listeners[subscription.client].tell(subscription, rows)
                case Ready(subscription):
                    self.listeners[subscription.client].ready(subscription)
                case Trace():
                    self.notes.append(effect)
                case Scan(_, requested_by) if requested_by is not None:
                    self._crawl.append(effect)
                case Watch() | Unwatch() | Probe() | Scan():
                    self._urgent.append(effect)

    def _crawl_on(self) -> None:
        listings = self._survey() if self.has_kernel else []
        if listings:
            self._take(self.monitor.listed(listings, self.now))
        else:
            self._explore(self._crawl.popleft())
        self._work()

    def _survey(self) -> list[Listing]:
        found: list[Listing] = []
        crawl = self._crawl
        try:
            while crawl and len(found) < IN_A_ROW and crawl[0].is_first_kernel_scan:
                node = crawl[0].node
                self._call()
                self.kernel.watch(node, node.kernel_mask)
                self._call()
                directories, others = _sorted(self.disk.listing(node.path()))
                found.append((crawl.popleft(), directories, others, ()))
        except (OSError, WatchLimitReached):
            pass
        return found

    def _perform(self, work: _Work) -> None:
        match work:
            case Scan():
                self._explore(work)
            case Probe():
                self._look(work)
            case Unwatch(node):
                self._unwatch(node)
            case Watch(node) if node.mask:
                try:
                    self._watch(node)
                except OSError as error:
                    self._failed(work, error.errno or errno.EIO)
                except WatchLimitReached:
                    self._failed(work, errno.ENOSPC)

    def _failed(self, work: Watch | Scan, number: int) -> None:
        """What is to be done instead comes before what relies on it being watched."""
        waiting = len(self._urgent)
        self._take(self.monitor.unwatchable(work, number, self.now))
        self._urgent.rotate(len(self._urgent) - waiting)

    def _watch(self, node: Node) -> None:
        self._call()
        polled = self.polling.mask(node)
        if node.poll_mask:
            self._poll(node, polled | node.poll_mask)
        if node.kernel_mask and self.has_kernel:
            before = node.wd
            self.kernel.watch(node, node.kernel_mask)
            if before not in (-1, node.wd):
                self._replaced(node)
        elif node.wd >= 0:
            changes = self.kernel.drain()
            self._pass_to_polling(changes)
            self._noticed += changes
            self.kernel.unwatch(node)
        if polled & ~node.poll_mask:
            self._noticed += self.polling.final_look(node)
            if node.poll_mask:
                self._poll(node, node.poll_mask)
            else:
                self.polling.unwatch(node)

    def _poll(self, node: Node, mask: int) -> None:
        names = node.awaited_names if node.watches_named_entries_only else None
        self._noticed += self.polling.watch(node, mask, node.interval, names)

    def _watch_another(self, node: Node) -> bool:
        """`_watch`, and whether there is another directory now than was listed, or
        nobody noticed of late which one was there."""
        if node.listed and node.wd < 0:
            is_known = self.polling.is_known(node)
            self._watch(node)
            if not is_known:
                self._replaced(node)
            return not is_known
        before = node.wd
        self._watch(node)
        return node.kernel_mask != 0 and before not in (-1, node.wd)

    def _replaced(self, node: Node) -> None:
        """Another directory is there than the one that was watched."""
        if node.parent is not None:
            self.polling.absorb_kernel_event(
                node.parent, 0, node.name
            )  # it need not be told again
            mask = MOVED_TO | IS_DIR
            self._noticed.append(Change(node.parent, mask, 0, node.name))

    def _unwatch(self, node: Node) -> None:
        if not node.mask:
            self.kernel.unwatch(node)
            self.polling.unwatch(node)

    def _explore(self, work: Scan) -> None:
        node = work.node
        if not node.mask:
            self._take(self.monitor.skipped(work, self.now))
            return
        try:
            since = 1 if self._watch_another(node) else work.changed_since_ns
            self._call()
            entries = self.disk.listing(node.path())
        except OSError as error:
            self._failed(work, error.errno or errno.EIO)
            return
        except WatchLimitReached:
            self._failed(Watch(node), errno.ENOSPC)
            self._urgent.append(work)
            return
        newer = [
            name for name, inode in entries.items() if since and inode.ctime >= since
        ]
        if node.wd_poll >= 0:
            self._noticed += self.polling.absorb_scan(node, entries, is_all=True)
        listing = (work, *_sorted(entries), newer)
        self._take(self.monitor.listed([listing], self.now))

    def _look(self, work: Probe) -> None:
        self.polling.track_entry(work.node, work.name)
        self._call()
        found: bool | bytes | None = None
        inode: Inode | None = None
        is_newer = False
        try:
            inode = self.disk.inode(work.node.path_prefix() + work.name)
        except OSError:
            pass
        else:
            found = inode.is_dir if inode.target is None else inode.target
            is_newer = not inode.target and 0 < work.changed_since_ns <= inode.ctime
        subscription, node, name, _ = work
        if node.wd_poll >= 0:
            self._noticed += self.polling.absorb_scan(node, {name: inode})
        self._take(
            self.monitor.probed(subscription, node, name, found, self.now, is_newer)
        )

    def _call(self) -> None:
        self.calls += 1
        self.meanwhile()


def _sorted(entries: Mapping[bytes, Inode]) -> tuple[list[bytes], list[bytes]]:
    """The subdirectories, and all others."""
    directories = [name for name, inode in entries.items() if inode.is_dir]
    return directories, [name for name in entries if name not in directories]


def plain_policy(
    *rules: PathRule | FilesystemRule,
    mounts: Iterable[bytes] = (),
    poll_only: bool = False,
) -> Policy:
    points = [Mount(b"/", "ext4"), *(Mount(point, "ext4") for point in mounts)]
    return Policy(rules, Mounts(points), poll_only)

"""Passes work on distant mounts to their threads, and applies what these answer.

A mount is distant where a system call may take for ever: network file systems, FUSE,
automounts. The loop's thread makes no system call on one. Its directories are watched,
scanned and polled by a thread (`engine.mount_executor`) through proxies, and what that
thread finds is applied here, in its order. Nothing waits for an answer: until it comes,
the tree keeps what it knew.

An automount that nothing is mounted on is not asked at all, for to look is to mount: it
counts as an empty directory.
"""

import errno
from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

from gamin.config.mounts import AUTOMOUNT, Mount
from gamin.core.effects import Effect, Probe, Ready, Scan, Unwatch, Watch
from gamin.core.model.node import Node
from gamin.core.model.subscription import Subscription
from gamin.core.monitor import Monitor
from gamin.engine.outstanding import Outstanding
from gamin.engine.ports import Clock, Delivery, MountThreads
from gamin.engine.proxy import (
    DISTANT_WATCH,
    Batch,
    Failed,
    Listed,
    NoRoom,
    Observed,
    Polled,
    PollNow,
    Probed,
    Proxy,
    Request,
    Wanted,
    Watched,
)
from gamin.events import IGNORED, MOVED_FROM, MOVED_TO, Change
from gamin.paths import is_within

Work = Watch | Unwatch | Probe | Scan | Ready


class Hands(NamedTuple):
    """What the executor does for us."""

    take: Callable[[list[Effect]], None]
    """Carries effects out."""
    release: Callable[[Node], None]
    """Ends the kernel's or the poller's watch of a directory that is distant now."""
    redo: Callable[[Work], None]
    """Queues work again, to be done by the way that is right now."""


class PollRequest(NamedTuple):
    """What came of `poll_now`."""

    mount: Mount
    """One of those that the answer depends on."""
    is_sent: bool
    """False: the mount is stalled, and nothing is done."""


class Distant:
    def __init__(
        self,
        monitor: Monitor,
        threads: MountThreads | None,
        delivery: Delivery,
        clock: Clock,
        hands: Hands,
    ) -> None:
        """`threads` is None where every mount is certain to answer."""
        self._monitor = monitor
        self._threads = threads
        self._delivery = delivery
        self._clock = clock
        self._take, self._release, self._redo = hands
        self._proxies: dict[Node, Proxy] = {}
        self._used: Counter[Mount] = Counter()
        """How many proxies each mount has."""
        self._outstanding = Outstanding()
        self._policy = monitor.coverage.method.policy
        self.inbox: deque[tuple[Mount, Batch]] = deque()
        """Answers that are still to be applied."""
        self._polled: deque[PollNow] = deque()
        """Those that are answered, and that wait until that is carried out."""

    @property
    def is_in_use(self) -> bool:
        """Whether any directory is, or could be, distant."""
        if self._threads is None:
            return False
        if self._proxies or self._outstanding:
            return True
        return bool(self._monitor.coverage.method.policy.distant_points)

    def _follow_policy(self) -> None:
        """Let go of mounts that are not there any more; the core has their places
        scanned again."""
        policy = self._policy = self._monitor.coverage.method.policy
        for mount in {*self._used, *self._outstanding.mounts}:
            if policy.distant_mount(mount.point) == mount:
                continue
            for node, proxy in list(self._proxies.items()):
                if proxy.mount == mount:
                    self._drop(node, proxy)
            self._end_if_idle(mount)

    # -- out

    def takes(self, work: Work) -> bool:
        """Pass the work on if it is for a distant mount; return whether it was."""
        if self._policy is not self._monitor.coverage.method.policy:
            self._follow_policy()
        if isinstance(work, Ready):
            mounts = self._mounts_of(work.subscription) if self._outstanding else ()
            # What changes between its first rows and a watch would never be reported.
            return self._outstanding.hold(work, mounts)
        node = work.node
        mount = self._mount_of(node)
        proxy = self._proxies.get(node)
        if proxy is not None and (proxy.mount != mount or isinstance(work, Unwatch)):
            if node.mask and isinstance(work, Unwatch):
                return True  # wanted again by now
            self._drop(node, proxy)
        if isinstance(work, Unwatch):
            return proxy is not None
        if isinstance(work, Probe):
            return self._takes_probe(work, mount)
        if mount is None:
            return False
        if not node.mask:
            return isinstance(work, Watch)  # a scan that nobody needs is answered
        if mount.type == AUTOMOUNT:
            self._leave_unmounted(work)
        else:
            if node.listed and proxy is None and isinstance(work, Watch):
                work = Scan(node, None)  # for it may change before it is watched here
            reader = self._delivery.reader(node) if isinstance(work, Scan) else None
            wanted = self._wanted(node, mount, work)
            self._send(mount, Request(*wanted, node.path(), reader))
        return True

    def _takes_probe(self, work: Probe, mount: Mount | None) -> bool:
        path = work.node.path_prefix() + work.name
        there = self._monitor.coverage.method.policy.distant_mount(path)
        if there is None:
            return False
        if there.type == AUTOMOUNT:
            found = path == there.point or None
            now = self._clock.monotonic()
            self._take(
                self._monitor.probed(
                    work.subscription, work.node, work.name, found, now
                )
            )
        elif there == mount and work.node.mask:
            proxy, _, wanted = self._wanted(work.node, mount, work)
            self._send(mount, Request(proxy, work, wanted, path))
        else:
            self._send(there, Request(Proxy(work.node, there), work, None, path))
        return True

    def _leave_unmounted(self, work: Watch | Scan) -> None:
        """Of an automount nothing is known until somebody else has it mounted."""
        node = work.node
        if node.is_watched:
            self._release(node)
        if isinstance(work, Scan):
            now = self._clock.monotonic()
            self._take(self._monitor.listed([(work, (), (), ())], now))

    def _wanted(
        self, node: Node, mount: Mount, work: Watch | Scan | Probe
    ) -> tuple[Proxy, Watch | Scan | Probe, Wanted]:
        proxy = self._proxies.get(node)
        if proxy is None:
            if node.is_watched:
                self._release(node)
            proxy = self._proxies[node] = Proxy(node, mount)
            self._used[mount] += 1
        above = node.parent or node
        parent = self._proxies.get(above) or Proxy(above, mount)
        return proxy, work, Wanted.of(node, parent)

    def _mount_of(self, node: Node) -> Mount | None:
        decision = node.decision
        if decision is not None:
            found: Mount | None = decision.distant
            return found
        return self._monitor.coverage.method.policy.distant_mount(node.path())

    def _send(self, mount: Mount, request: Request) -> None:
        assert self._threads is not None
        self._threads.send(mount, request)
        self._outstanding.add(mount, request)

    def _drop(self, node: Node, proxy: Proxy) -> None:
        """The directory is not watched through this proxy any more."""
        del self._proxies[node]
        self._used[proxy.mount] -= 1
        _unnotice(node)
        assert self._threads is not None
        self._threads.send(proxy.mount, Request(proxy, None, None, proxy.where))
        self._end_if_idle(proxy.mount)

    def _end_if_idle(self, mount: Mount) -> None:
        """End the thread of a mount that has nothing to do, or is not there any more.
        What it did not answer is done again, by whoever has the place now."""
        point = mount.point
        is_there = self._monitor.coverage.method.policy.distant_mount(point) == mount
        if self._used[mount] or (is_there and self._outstanding.has(mount)):
            return
        del self._used[mount]
        assert self._threads is not None
        self._threads.end(mount)
        requests, ready = self._outstanding.give_up(mount)
        for request in requests:
            if isinstance(request.work, PollNow):
                request.work.done()
            elif request.work is not None:
                self._redo(request.work)
        for work in ready:
            self._redo(work)

    # -- who waits for what

    def _mounts_of(self, subscription: Subscription) -> set[Mount]:
        """The distant mounts that a subscription's path leads through, or that its
        tree contains."""
        nodes = [node for node, _ in subscription.steps]
        if subscription.node is not None:
            nodes.append(subscription.node)
        mounts = {self._mount_of(node) for node in nodes}
        top = subscription.bound_directory
        if top is not None and subscription.request.cross_mounts:
            path = top.path()
            mounts |= {mount for mount in self._used if is_within(mount.point, path)}
        return {mount for mount in mounts if mount is not None}

    def poll_now(
        self, subscription: Subscription, done: Callable[[], None]
    ) -> PollRequest | None:
        """Have the threads of the subscription's mounts detect what there is now;
        `done` is called when that is applied. Nothing is done if one of them is
        stalled. None: it is on no distant mount.
        """
        if not self.is_in_use or self._threads is None:
            return None
        mounts = [
            mount
            for mount in self._mounts_of(subscription)
            if self._used[mount] and mount.type != AUTOMOUNT
        ]
        for mount in mounts:
            if self._threads.is_stalled(mount):
                return PollRequest(mount, is_sent=False)
        left = len(mounts)

        def one_done() -> None:
            nonlocal left
            left -= 1
            if not left:
                done()

        root = self._monitor.tree.root
        top = (subscription.node or root).path()
        for mount in mounts:
            where = mount.point if is_within(mount.point, top) else top
            self._send(
                mount, Request(Proxy(root, mount), PollNow(one_done), None, where)
            )
        return PollRequest(mounts[0], is_sent=True) if mounts else None

    def stalled_mount(self, subscription: Subscription) -> Mount | None:
        """The mount that the subscription waits for and that does not answer."""
        if self._threads is None:
            return None
        is_stalled = self._threads.is_stalled
        mounts = self._outstanding.waited_for_by(subscription)
        return next((mount for mount in mounts if is_stalled(mount)), None)

    # -- in

    def collect(self) -> None:
        """Take over what the threads answered."""
        if self._threads is not None:
            self.inbox.extend(self._threads.take())

    def apply_until(self, end: float, work: Callable[[], None]) -> None:
        """Apply batches of answers until that time of the clock, and at least one;
        `work` does what follows from each."""
        while self.inbox:
            self._apply_next(work)
            if self._clock.monotonic() >= end:
                break

    def _apply_next(self, work: Callable[[], None]) -> None:
        mount, batch = self.inbox[0]
        while batch:
            self._apply_first(mount, batch)
        self.inbox.popleft()
        if not self._outstanding.has(mount):
            self._end_if_idle(mount)
        work()
        while self._polled:
            self._polled.popleft().done()

    def _apply_first(self, mount: Mount, batch: Batch) -> None:
        """Apply one answer and remove it. Without memory it is still to be applied;
        after a bug nobody waits for it any more."""
        answer = batch[0]
        is_over = True
        try:
            if isinstance(answer, Observed):
                self._observed(mount, answer.changes)
            elif isinstance(answer.request.work, PollNow):
                self._polled.append(answer.request.work)
            else:
                self._answered(answer)
        except MemoryError:
            is_over = False
            raise
        finally:
            if is_over:
                del batch[0]
                if not isinstance(answer, Observed):
                    for ready in self._outstanding.answered(mount, answer.request):
                        self._redo(ready)

    def _observed(self, mount: Mount, changes: Iterable[Change]) -> None:
        known = self._proxies
        applied = []
        is_renamed = False
        for change in changes:
            proxy: Proxy = change.node
            if proxy.mount == mount and known.get(proxy.real) is proxy:
                applied.append(change._replace(node=proxy.real))
                if change.mask & IGNORED:
                    _unnotice(proxy.real)
                is_renamed = is_renamed or change.mask & (MOVED_FROM | MOVED_TO) != 0
        if applied:
            self._delivery.detected(applied)
            self._take(self._monitor.changed(applied, self._clock.monotonic()))
        if is_renamed:
            for node, proxy in known.items():
                proxy.where = node.path()

    def _answered(
        self, answer: Watched | Listed | Probed | Polled | Failed | NoRoom
    ) -> None:
        request = answer.request
        work, proxy = request.work, request.proxy
        node, now = proxy.real, self._clock.monotonic()
        if work is None or isinstance(work, PollNow):
            return
        if isinstance(work, Probe):
            if request.path != node.path_prefix() + work.name:
                self._redo(work)
            elif isinstance(answer, Probed):
                self._take(
                    self._monitor.probed(
                        *(work.subscription, node, work.name, answer.found, now),
                        is_newer=answer.is_newer,
                        error=answer.error,
                    )
                )
            return
        if isinstance(work, Scan) and not node.mask:
            self._take(self._monitor.skipped(work, now))
        elif self._proxies.get(node) is not proxy or request.path != node.path():
            self._redo(work)
        elif isinstance(answer, Listed):
            assert isinstance(work, Scan)
            self._listed(node, work, answer, now)
        elif isinstance(answer, Failed):
            _unnotice(node)
            self._take(self._monitor.unwatchable(work, answer.number, now))
        elif isinstance(answer, NoRoom):
            self._take(self._monitor.unwatchable(Watch(node), errno.ENOSPC, now))
            self._redo(work)
        else:
            node.wd = DISTANT_WATCH

    def _listed(self, node: Node, work: Scan, answer: Listed, now: float) -> None:
        node.wd = DISTANT_WATCH
        listing = (work, answer.directories, answer.others, answer.changed)
        if answer.read is not None:
            self._delivery.was_read(node, answer.read)
        self._delivery.listed([listing])
        self._take(self._monitor.listed([listing], now))


def _unnotice(node: Node) -> None:
    if node.wd == DISTANT_WATCH:
        node.wd = -1

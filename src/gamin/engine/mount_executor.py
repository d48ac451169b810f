"""Carries out what is to be done on one mount, in that mount's own thread.

A system call may take for ever here. What is detected and what requests find goes back
in the order in which it was found, so the tree sees a consistent state of the mount,
only later than others.

When a call took long, or the mount gave nothing but errors for a while, whatever
changed meanwhile is found by scans that say so: clients get it as recovered.
"""

import errno
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from gamin.backends.base import KernelBackend
from gamin.core.coverage.recovery import MARGIN_NS
from gamin.core.effects import Probe, Scan
from gamin.engine.handover import Handover
from gamin.engine.ports import Clock, FileSystem, Poller
from gamin.engine.proxy import (
    Answer,
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
    Watched,
)
from gamin.errors import WatchLimitReached
from gamin.events import ATTRIB, CLOSE_WRITE, MODIFY, OVERFLOW, AnyChange, Change

STALLED_SECONDS = 2.0
"""A mount that needs so many seconds for one system call is stalled."""
RETRY_SECONDS = 1.0
"""Seconds between two attempts to reach a mount that gives nothing but errors."""
TURN_REQUESTS = 64
"""Requests whose answers go back together."""

_CONTENT = MODIFY | CLOSE_WRITE | ATTRIB
_LEGITIMATE = {errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.ELOOP}
"""Errors that say something of the path, and nothing of the mount."""


_T = TypeVar("_T")


class MountDown(Exception):
    """The mount's own root cannot be looked at; the text is the reason."""


class MountExecutor:
    def __init__(
        self,
        point: bytes,
        kernel: KernelBackend | None,
        polling: Poller,
        files: FileSystem,
        clock: Clock,
    ) -> None:
        self._point = point
        self._kernel = kernel
        self._polling = polling
        self._files = files
        self._clock = clock
        self._handover = Handover(kernel, polling, self._observe)
        self._requests: deque[Request] = deque()
        self._proxies: dict[Proxy, None] = {}
        self._observed: list[Change] = []
        self._complete_until_ns = clock.time_ns()
        """Real time until which everything that was detected went back as a change."""
        self._lost_since_ns = 0
        """Real time since which something may have been missed; 0: nothing."""
        self._newer: dict[Proxy, set[bytes]] = {}
        """Entries whose content changed meanwhile, where that is reported by a scan."""
        self._rescans: deque[tuple[Proxy, int]] = deque()
        self._retry_at: float | None = None
        self.call_since: float | None = None
        """When the system call that is under way began; None while there is none."""
        self.down_since: float = 0.0
        """When `trouble` began."""
        self.trouble: str = ""
        """Why the mount cannot be reached; empty while it can."""

    @property
    def is_down(self) -> bool:
        """Whether nothing is done until the mount's root is tried again."""
        return self._retry_at is not None

    def deadline(self) -> float | None:
        """When `turn` is to be called next, if nothing else happens."""
        if self._retry_at is not None:
            return self._retry_at
        has_pending = self._kernel is not None and self._kernel.has_pending
        if self._requests or self._rescans or has_pending:
            return 0.0
        return self._polling.deadline()

    def turn(self, requests: Sequence[Request]) -> Batch:
        """Do what is due and some of what is asked for; return what was found."""
        self._requests.extend(requests)
        now = self._clock.monotonic()
        if self._retry_at is not None and now < self._retry_at:
            return []
        batch: Batch = []
        started_ns = self._clock.time_ns()
        try:
            if self._retry_at is not None:
                self._check_root()
                self._retry_at, self.trouble = None, ""
            self._turn(batch)
        except MountDown as down:
            self.down_since = self.down_since if self.trouble else now
            self.trouble = str(down)
            self._retry_at = self._clock.monotonic() + RETRY_SECONDS
            self._lose()
        else:
            if not self._lost_since_ns:
                self._complete_until_ns = started_ns
        if self._lost_since_ns and self._retry_at is None:
            self._rescan_all()
        self._flush(batch)
        return batch

    def _turn(self, batch: Batch) -> None:
        self._drain()
        if self._lost_since_ns:
            self._rescan_all()
        self._flush(batch)
        left = TURN_REQUESTS
        while self._rescans and left:
            left -= 1
            proxy, since_ns = self._rescans[0]
            if proxy in self._proxies:
                work = Scan(proxy.real, None, since_ns)
                self._scan(Request(proxy, work, None, proxy.where), work, batch)
            self._rescans.popleft()
        while self._requests and left and not self._lost_since_ns:
            left -= 1
            self._perform(self._requests[0], batch)
            if isinstance(self._requests[0].work, PollNow) and self._lost_since_ns:
                break  # it is answered after the rescans
            self._requests.popleft()
        due_at = self._polling.deadline()
        if due_at is not None and due_at <= self._clock.monotonic():
            self._check_answers()
            self._observe(self._timed(self._look))
        self._drain()

    # -- what is asked for

    def _perform(self, request: Request, batch: Batch) -> None:
        proxy, work = request.proxy, request.work
        if request.wanted is not None:
            proxy.update(request.wanted)
            self._proxies[proxy] = None  # behind those of the directories above it
        if work is None:
            self._proxies.pop(proxy, None)
            self._handover.release(proxy)
        elif isinstance(work, Probe):
            self._probe(request, work, batch)
        elif isinstance(work, Scan):
            self._scan(request, work, batch)
        elif isinstance(work, PollNow):
            self._poll_below(request, batch)
        else:
            self._watch(request, batch)

    def _watch(self, request: Request, batch: Batch) -> None:
        try:
            self._timed(partial(self._handover.watch, request.proxy))
        except OSError as error:
            batch.append(self._failed(request, error))
        except WatchLimitReached:
            batch.append(Failed(request, errno.ENOSPC))
        else:
            batch.append(Watched(request))

    def _scan(self, request: Request, work: Scan, batch: Batch) -> None:
        proxy = request.proxy
        try:
            is_new = self._timed(partial(self._handover.rewatch, proxy))
            since_ns = 1 if is_new else work.changed_since_ns
            path = request.path
            directories, others, changed = self._timed(
                partial(self._files.scan, path, since_ns)
            )
        except OSError as error:
            batch.append(self._failed(request, error))
            return
        except WatchLimitReached:
            batch.append(NoRoom(request))
            return
        if proxy.wd_poll >= 0:
            found = dict.fromkeys(directories, True) | dict.fromkeys(others, False)
            self._absorb(proxy, found, is_all=True)
        proxy.was_listed()
        newer = self._newer.pop(proxy, set()) if work.changed_since_ns else set()
        newer = {*changed, *newer.intersection([*directories, *others])}
        read = None
        if request.reader is not None:
            names = [*directories, *others]
            read = self._timed(partial(request.reader, path, names))
        batch.append(Listed(request, list(directories), list(others), newer, read))

    def _probe(self, request: Request, work: Probe, batch: Batch) -> None:
        proxy = request.proxy
        if proxy.wd_poll >= 0:
            self._timed(partial(self._polling.track_entry, proxy, work.name))
        found, is_newer, error = self._timed(
            partial(self._files.probe, request.path, work.changed_since_ns)
        )
        if error:
            self._check_root()
        elif proxy.wd_poll >= 0:
            kind = None if found is None else found is True
            self._absorb(proxy, {work.name: kind}, is_all=False)
        batch.append(Probed(request, found, is_newer, error))

    def _poll_below(self, request: Request, batch: Batch) -> None:
        self._check_answers()
        self._drain()
        look = partial(self._polling.poll_below, request.path)
        self._observe(self._timed(look))
        if not self._lost_since_ns:
            self._flush(batch)
            batch.append(Polled(request))

    def _absorb(
        self, proxy: Proxy, found: Mapping[bytes, bool | None], *, is_all: bool
    ) -> None:
        """Have the poller not detect again what was found."""
        absorb = partial(self._polling.absorb_scan, proxy, found, is_all=is_all)
        self._observe(self._timed(absorb))

    def _failed(self, request: Request, error: OSError) -> Failed:
        """The answer, if the error is one of this path and not of the whole mount."""
        number = error.errno or errno.EIO
        if number not in _LEGITIMATE:
            self._check_root()
        return Failed(request, number)

    def _check_answers(self) -> None:
        """Polling takes an error for no change, so ask whether the mount answers."""
        _, _, error = self._timed(partial(self._files.probe, self._point, 0))
        if error:
            self._check_root()

    def _check_root(self) -> None:
        """Raises MountDown if not even the mount's root can be listed."""
        try:
            self._timed(partial(self._files.scan, self._point, 0))
        except OSError as error:
            if error.errno not in _LEGITIMATE:
                raise MountDown(error.strerror or "error") from None

    def _timed(self, call: Callable[[], _T]) -> _T:
        """What the call returns. One that takes long makes all suspect that was found
        since the last one."""
        before = self.call_since = self._clock.monotonic()
        try:
            return call()
        finally:
            self.call_since = None
            if self._clock.monotonic() - before >= STALLED_SECONDS:
                self._lose()

    # -- what is detected

    def _look(self) -> Sequence[Change]:
        return self._polling.due(self._clock.monotonic())

    def _drain(self) -> None:
        """Read everything that the kernel has queued."""
        kernel = self._kernel
        if kernel is None:
            return
        goal: int | None = None
        while goal is None or kernel.drained_bytes < goal or kernel.has_pending:
            changes = self._timed(kernel.drain)
            goal = kernel.queued_bytes if goal is None else goal
            if not changes:
                break
            self._handover.absorb_kernel_events(changes)
            self._observe(changes)

    def _observe(self, changes: Sequence[AnyChange]) -> None:
        observed, self._handover.observed = self._handover.observed, []
        for fields in (*observed, *changes):
            change = Change(*fields)
            if change.mask & OVERFLOW:
                self._lose()
            else:
                self._observed.append(change)

    def _lose(self) -> None:
        if not self._lost_since_ns:
            self._lost_since_ns = max(1, self._complete_until_ns - MARGIN_NS)

    def _rescan_all(self) -> None:
        """Scan everything again. What is observed by then is found by the scans."""
        since_ns, self._lost_since_ns = self._lost_since_ns, 0
        self._observe(())
        kept: list[Change] = []
        for change in self._observed:
            proxy = change.node
            if not proxy.listed or proxy.watches_named_entries_only:
                kept.append(change)  # no scan shows it
            elif change.mask & _CONTENT and change.name:
                self._newer.setdefault(proxy, set()).add(change.name)
        self._observed = kept
        self._rescans.extend((proxy, since_ns) for proxy in self._proxies)

    def _flush(self, batch: list[Answer]) -> None:
        self._observe(())
        if self._observed and not self._lost_since_ns:
            batch.append(Observed(self._observed))
            self._observed = []

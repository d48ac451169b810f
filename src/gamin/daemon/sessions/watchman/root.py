"""A root: one tree that is kept watched, and the clients that subscribe to it.

The core sees one subscription, the *keeper*, whatever the number of clients. So one
more client costs no watch, and rows are encoded once for all who asked the same. The
keeper outlives its clients for a while: one that comes back gets the difference.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from json.encoder import encode_basestring_ascii
from typing import Protocol

from gamin.core.effects import Deliver
from gamin.core.model.subscription import Subscription
from gamin.core.monitor import Monitor
from gamin.daemon.io.loop import Loop, Timer
from gamin.daemon.sessions.watchman.directory_listing import folders
from gamin.daemon.sessions.watchman.results import ResultBuilder, admitted
from gamin.events import Kind, Row
from gamin.protocol.watchman import replies
from gamin.protocol.watchman.clocks import ClockSpec, Timeline
from gamin.protocol.watchman.codec.compact import (
    EVENT_FIELDS,
    encode_compact,
    encode_message,
)
from gamin.protocol.watchman.codec.directory_listing import encode_folders
from gamin.protocol.watchman.codec.framing import encode
from gamin.protocol.watchman.codec.rows import encode_events, encode_rows
from gamin.protocol.watchman.query.query import Query

MAX_USUAL_DELAY = 2.0
"""Seconds: `MAX_USUAL_DELAY_NS` of the clients."""
WATCHMAN_SETTLE = 0.02
"""Seconds of silence before Watchman tells its subscribers."""
MAX_SETTLE = 50
"""How many times its span a settling may be put off by new changes."""


class Sink(Protocol):
    """The connection of a client, as far as a view needs it."""

    @property
    def is_blocked(self) -> bool: ...

    def say(self, data: bytes) -> None: ...

    def flush(self) -> None: ...


class Subscriber:
    """One subscription of one client."""

    def __init__(
        self, speaker: Sink, name: str, query: Query, tick: int, number: int
    ) -> None:
        self.speaker = speaker
        self.name = name
        self.quoted_name = encode_basestring_ascii(name).encode()
        self.query = query
        self.tick = tick
        """Told up to here."""
        self.number = number
        """The root's number at that time."""
        self.is_behind = False
        self.wants_picture = False
        """The names are still to follow what happened since the client's clock."""


class SharedQuery:
    """The views of one root that asked the same."""

    def __init__(self, root: "Root", query: Query) -> None:
        self.root = root
        self.query = query
        self.views: list[Subscriber] = []
        self.answer = ResultBuilder(root.keeper, query)
        self.wants_event_fields = (
            query.fields == EVENT_FIELDS
            and query.expression is None
            and query.selection is None
            and not query.relative_root
        )
        self.is_compact = self.wants_event_fields and query.names
        self.member, self.empty = "files", b"[]"
        if self.is_compact:
            self.member, self.empty = "rows", b'""'
        settle = query.settle
        self.settle = WATCHMAN_SETTLE if settle is None else settle
        self.timer: Timer | None = None
        self.latest = 0.0
        """When the settling ends at the latest."""

    def forget_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def encoded(self, rows: Iterable[Row]) -> bytes:
        """The rows as the JSON of `member`; equal to `empty` if that is none."""
        if self.wants_event_fields:
            skip = len(self.root.prefix)
            encode_all = encode_compact if self.is_compact else encode_events
            return encode_all(rows, skip)
        now = self.root.timeline
        return encode_rows(self.answer.rows(rows, now), self.query.fields, now)


class Root:
    def __init__(
        self,
        keeper: Subscription,
        numbers: Iterator[int],
        monitor: Monitor,
        loop: Loop,
        server: tuple[int, int],
    ) -> None:
        """`server` is when this one started (in seconds) and its pid."""
        self.keeper = keeper
        self._numbers = numbers
        self.number = next(numbers)
        """Part of its clocks; another one when the path leads elsewhere, or nowhere."""
        self.prefix = b""
        """The directory whose rows are told, with a slash at the end. The keeper's may
        be another one already while there are still rows to tell."""
        self._place = keeper.current_target
        self.is_ready = False
        self._rows: list[Row] = []
        self._is_recovered = False
        """Some of the rows were found by comparing with the disk."""
        self.groups: dict[Query, SharedQuery] = {}
        self.waiting: list[Callable[[], None]] = []
        """What to do when it is ready."""
        self.reaper: Timer | None = None
        self.is_pinned = False
        """A client asked for it to be watched for good (`watch`)."""
        self._monitor = monitor
        self._loop = loop
        self._server = server

    @property
    def path(self) -> bytes:
        return self.keeper.path

    @property
    def views(self) -> list[Subscriber]:
        return [view for group in self.groups.values() for view in group.views]

    @property
    def timeline(self) -> Timeline:
        start, pid = self._server
        tree = self._monitor.tree
        return Timeline(start, pid, self.number, tree.tick, tree.floor)

    # -- what is told

    def tell(self, told: Deliver) -> None:
        """Note what is to be told at the end of this round."""
        # All of a round is one message: a client that left between two would come back
        # with a clock that says it has both.
        self._is_recovered = self._is_recovered or told.recovered
        keeper = self.keeper
        node = keeper.bound_directory
        is_there = (
            node is not None and (node.prefix or node.path_prefix()) == self.prefix
        )
        if is_there and keeper.current_target == self._place:
            if keeper.ignore is None:
                self._rows += told.rows
            else:
                self._note(told.rows, told.is_exempt)
        else:
            self._on_root_moved(told.rows, told.is_exempt)

    def _note(self, rows: list[Row], is_exempt: bool) -> None:
        keeper = self.keeper
        if keeper.ignore is None or keeper.ignore.is_empty or is_exempt:
            self._rows += rows
        else:
            self._rows += admitted(keeper, rows)

    def begin(self) -> None:
        """The keeper is ready: what is told from now on is of where it leads."""
        self.is_ready = True
        self._place, self.prefix = self.keeper.current_target, self.keeper.prefix

    def _on_root_moved(self, rows: Iterable[Row], is_exempt: bool) -> None:
        """Note rows when the path may lead elsewhere now.

        What happened before it did is told first. What happened in a directory after
        that was moved away from its path is nobody's affair.
        """
        kept: list[Row] = []
        for row in rows:
            path, source = row.path, row.source or row.path
            if not path and row.kind is not Kind.CHANGED:
                self._note(kept, is_exempt)
                self.flush()
                kept = []
                self.number = next(self._numbers)
                self._place, self.prefix = (
                    self.keeper.current_target,
                    self.keeper.prefix,
                )
            if not path or (
                path.startswith(self.prefix) and source.startswith(self.prefix)
            ):
                kept.append(row)
        self._note(kept, is_exempt)

    def flush(self) -> None:
        """The round is over: tell it, each group in its own way."""
        is_recovered, self._is_recovered = self._is_recovered, False
        if not self._rows:
            return
        rows, self._rows = self._rows, []
        is_replaced = not rows[0].path and rows[0].kind is not Kind.CHANGED
        for group in self.groups.values():
            if is_replaced and group.wants_event_fields:
                # Whatever was to be settled is no more.
                group.forget_timer()
                self._tell_group(group, rows, is_recovered)
            elif group.settle > 0:
                self._settle(group)
            else:
                self._tell_group(group, rows, is_recovered)

    def _tell_group(self, group: SharedQuery, rows: list[Row], recovered: bool) -> None:
        told: bytes | None = None
        for view in group.views:
            if view.speaker.is_blocked:
                view.is_behind = True
            if view.is_behind:
                continue
            if told is None:
                if group.is_compact:
                    told = encode_compact(rows, len(self.prefix))
                else:
                    told = group.encoded(rows)
                if told == group.empty:
                    break
            if group.is_compact and view.number == self.number:
                self._say_rows(view, told, recovered)
            else:
                self._send(view, told, recovered=recovered)

    def _say_rows(self, view: Subscriber, rows: bytes, recovered: bool) -> None:
        """As `_say`, for a client of ours that knows where the path leads."""
        tick = self._monitor.tree.tick
        now = (*self._server, self.number, tick)
        name, complete_until_ns = view.quoted_name, self._complete_until_ns()
        view.speaker.say(
            encode_message(name, now, complete_until_ns, rows, recovered=recovered)
        )
        view.tick, view.number = tick, self.number

    def _send(
        self,
        view: Subscriber,
        told: bytes,
        *,
        fresh: bool = False,
        recovered: bool = False,
        names: bytes | None = None,
    ) -> None:
        now = self.timeline
        since = None if fresh else now.clock(view.tick)
        complete_until_ns, inode = None, None
        if view.query.names:
            is_list = names is not None
            complete_until_ns = self._complete_until_ns(is_list=is_list)
            if is_list or view.number != self.number:
                inode = self._inode()
        message = replies.message(
            view.name,
            self.path,
            now.clock(now.latest),
            since=since,
            fresh=fresh,
            recovered=recovered,
            complete_until_ns=complete_until_ns,
            inode=inode,
        )
        if names is not None and self.keeper.entry is not None:
            message["is_file"] = True
        parts = {self.groups[view.query].member: told}
        if names is not None:
            parts["names"] = names
        view.speaker.say(encode(message, **parts))
        view.tick, view.number = now.latest, self.number

    def _settle(self, group: SharedQuery) -> None:
        """Tell when it was quiet for the group's span, or at the latest after some."""
        now = time.monotonic()
        if group.timer is None:
            group.latest = now + group.settle * MAX_SETTLE
        else:
            group.timer.cancel()
        when = min(now + group.settle, group.latest)
        group.timer = self._loop.call_at(when, partial(self._settled, group))

    def _settled(self, group: SharedQuery) -> None:
        group.timer = None
        for view in list(group.views):
            self.catch_up(view)
        # A timer is no round, at the end of which all is sent. Whom this shows to be
        # gone takes its views along.
        for view in list(group.views):
            view.speaker.flush()

    # -- what was not told

    def catch_up(self, view: Subscriber) -> None:
        """Tell a view the difference from its clock to now, if its client reads."""
        if view.speaker.is_blocked:
            view.is_behind = True
            return
        view.is_behind = False
        group = self.groups[view.query]
        rows = self.since(view.tick) if view.number == self.number else None
        if rows is None:
            self.send_fresh(view)
            return
        files = group.encoded(rows)
        if files == group.empty:
            view.tick = self.timeline.latest
        else:
            self._send(view, files)
        if view.wants_picture:
            view.wants_picture = False
            self._send(view, group.empty, names=self._names())

    def send_fresh(self, view: Subscriber) -> None:
        """Everything there is: the client is to forget what it knew."""
        group = self.groups[view.query]
        if view.query.names:
            view.wants_picture = False
            self._send(view, group.empty, fresh=True, names=self._names())
            return
        is_empty = view.query.empty_on_fresh_instance
        told = group.empty if is_empty else group.encoded(self.listing())
        self._send(view, told, fresh=True)

    def since(self, tick: int) -> list[Row] | None:
        rows = self._monitor.rows_since(self.keeper, tick)
        return None if rows is None else list(admitted(self.keeper, rows))

    def listing(self) -> Iterable[Row]:
        if self.keeper.entry is not None:
            return [Row(Kind.EXISTS, b"", False)]
        return admitted(self.keeper, self._monitor.listing(self.keeper))

    def _names(self) -> bytes:
        """Everything there is, as the JSON of `names`."""
        if self.keeper.node is None:
            return b"null"
        return encode_folders(folders(self.keeper))

    def _complete_until_ns(self, *, is_list: bool = False) -> int | None:
        """The real time up to which nothing is missing; None while that is not known.

        A list of all there is has what is known by now. What is told as it happens may
        be told late: clients allow for what is usual, and so not for what is slower.
        """
        recovery = self._monitor.recovery
        if recovery.due_at is not None:
            return None
        now_ns = recovery.complete_until_ns or time.time_ns()
        if is_list:
            return now_ns
        more = max(0.0, self._monitor.longest_delay - MAX_USUAL_DELAY)
        return now_ns - int(more * 1e9)

    def _inode(self) -> tuple[int, int] | None:
        """Which object the path leads to; None for none."""
        try:
            status = os.stat(self.path)
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def resume(self, spec: ClockSpec | None) -> int | None:
        return None if spec is None else self.timeline.resume(spec)

    # -- views

    def add(self, view: Subscriber) -> None:
        group = self.groups.get(view.query)
        if group is None:
            group = self.groups[view.query] = SharedQuery(self, view.query)
        group.views.append(view)

    def remove(self, view: Subscriber) -> None:
        group = self.groups[view.query]
        group.views.remove(view)
        if not group.views:
            group.forget_timer()
            del self.groups[view.query]

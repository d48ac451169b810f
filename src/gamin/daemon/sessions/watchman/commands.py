"""Carries out the requests of the Watchman language."""

import logging
import os
import time
from collections.abc import Callable, Sequence
from functools import partial

from gamin import __version__
from gamin.daemon.io.errands import Answer, MountStalled, Steps
from gamin.daemon.io.worker import Worker
from gamin.daemon.sessions.watchman import holding, watches
from gamin.daemon.sessions.watchman.aging import Aging
from gamin.daemon.sessions.watchman.asker import Asker, Host
from gamin.daemon.sessions.watchman.content_hashes import ContentHashes, Reading
from gamin.daemon.sessions.watchman.debugging import Debugging
from gamin.daemon.sessions.watchman.delivery import FileRows
from gamin.daemon.sessions.watchman.figures_feed import FiguresFeed
from gamin.daemon.sessions.watchman.hashing_subscription import (
    ReadContents,
)
from gamin.daemon.sessions.watchman.lazy_memory import LazyMemory, Past
from gamin.daemon.sessions.watchman.log_feed import LogFeed
from gamin.daemon.sessions.watchman.plain_changes import PlainChanges
from gamin.daemon.sessions.watchman.plain_listing import PlainListing
from gamin.daemon.sessions.watchman.queries import Queries
from gamin.daemon.sessions.watchman.recalling import Recalling
from gamin.daemon.sessions.watchman.root import Root
from gamin.daemon.sessions.watchman.roots import RootKey, Roots
from gamin.daemon.sessions.watchman.subscribing import MAX_NAME, Subscribing
from gamin.daemon.sessions.watchman.triggers import Triggers
from gamin.paths import printable
from gamin.protocol.watchman import replies
from gamin.protocol.watchman import requests as ask
from gamin.protocol.watchman.clocks import Clock, ClockSpec, Cursor
from gamin.protocol.watchman.errors import (
    BadRequest,
    QueryFailed,
)
from gamin.protocol.watchman.names import to_text
from gamin.protocol.watchman.query.file_row import FileRow
from gamin.protocol.watchman.query.query import Query

logger: logging.Logger = logging.getLogger(__name__)

HASH_CHECK_SECONDS = 0.5
"""Seconds after which a client that waits for hashes has their mounts looked at."""
MAX_ROWS_WITHOUT_ROOM = 10_000
"""Rows of an answer that is given even when the server holds too much for clients that
do not read."""


class Commands:
    def __init__(
        self,
        roots: Roots,
        host: Host,
        memory: LazyMemory,
        place: watches.Place,
    ) -> None:
        self.roots = roots
        self._host = host
        self._memory = memory
        self._recalling = Recalling(roots, memory)
        self._queries = Queries(
            roots.times, self._recalling.cursor, lambda: roots.limits
        )
        self._subscribing = Subscribing(
            roots, self._queries, self._recalled, self._content_reader
        )
        self._hashes: dict[Root, ContentHashes] = {}
        self.reader: Worker = Worker(roots.loop, "read requests")
        """Reads large requests."""
        roots.on_closed = self._closed
        self._triggers = Triggers(
            roots.loop, lambda: host.watchman_path, lambda: roots.limits.triggers
        )
        self.watches: watches.Watches = watches.Watches(
            roots, host, self._triggers, place, self._content_reader
        )
        aging = Aging(roots.times, self._queries.drop_cursors)
        self.watches.on_found = aging.consider
        self._debugging = Debugging(
            roots, host, self._queries, self._hashes_of, self._current
        )
        self._figures_feed = FiguresFeed(roots.loop, host.status)
        self._log_feed = LogFeed(roots.loop, logging.getLogger("gamin"))

    def carry_out(self, request: ask.Request, client: Asker) -> None:
        """Answers now, or has the client do it in steps. Raises BadRequest."""
        match request:
            case ask.GetVersion():
                client.reply(replies.version(request, __version__))
            case ask.ListCapabilities():
                client.reply(replies.list_capabilities())
            case ask.GetSockname():
                client.reply(replies.get_sockname(self._host.watchman_path))
            case ask.GetPid():
                client.reply(replies.get_pid(os.getpid()))
            case ask.GaminStatus():
                client.reply(replies.status(self._host.status()))
            case ask.GaminFigures(seconds):
                client.reply(replies.figures_interval(seconds))
                self._figures_feed.set_interval(client, seconds)
            case ask.GaminDump():
                client.reply(replies.dump(self._host.dump()))
            case ask.GaminStop():
                client.reply(replies.stop())
                self._host.stop()
            case ask.ShutdownServer():
                client.reply(replies.shutdown_server())
                self._host.stop()
            case ask.WriteLog(level, text):
                logger.log(level, "%s: %s", client, printable(text))
                client.reply(replies.log())
            case ask.SetLogLevel(level, label):
                self._log_feed.set_level(client, level)
                client.reply(replies.log_level(label))
            case ask.SetGlobalLogLevel(level, label):
                self._host.set_log_level(level)
                client.reply(replies.log_level(label))
            case ask.GetLog():
                path = self._host.log_path
                if path is None:
                    raise BadRequest("this server does not write its log to a file")
                client.reply(replies.get_log(path))
            case _ if isinstance(request, watches.Request):
                client.work(self.watches.carry_out(request, client))
            case _ if isinstance(request, ask.DebugRequest):
                client.work(self._debugging.carry_out(request, client))
            case ask.GetActivity():
                self._activity(request, client)
            case _:
                client.work(self._asking(request, client))

    def _closed(self, root: Root) -> None:
        self._queries.drop_cursors(root)
        self._hashes.pop(root, None)
        self.watches.closed(root)

    def client_left(self, client: Asker) -> None:
        """It asserts no state any more, and gets no log and no figures."""
        self.roots.client_left(client)
        self._log_feed.set_level(client, None)
        self._figures_feed.set_interval(client, 0)

    # -- questions

    def _asking(self, request: ask.Request, client: Asker) -> Steps[None]:
        match request:
            case ask.GetClock(path):
                root = yield from self.watches.find(path)
                now = root.timeline
                reply = replies.clock(now.clock(now.latest))
                client.reply(replies.warned(reply, root.warning))
            case ask.DefineTrigger() | ask.DeleteTrigger() | ask.ListTriggers():
                yield from self._trigger(request, client)
            case ask.GetConfig(path):
                root = yield from self.watches.find(path)
                client.reply(replies.get_config(root.config.given))
            case ask.RunQuery(path, query, is_find):
                yield from self._query(path, query, is_find, client)
            case ask.Subscribe():
                yield from self._subscribe(request, client)
            case ask.EnterState(path, name, metadata):
                if len(name) > MAX_NAME:
                    raise BadRequest("the name of the state is too long")
                yield from self._state(path, name, metadata, client, entered=True)
            case ask.LeaveState(path, name, metadata):
                yield from self._state(path, name, metadata, client, entered=False)
            case ask.FlushSubscriptions(path, names):
                yield from self._flush_subscriptions(path, names, client)
            case ask.Unsubscribe(path, name):
                found = client.subscriptions.pop((path, name), None)
                if found is not None:
                    self.roots.unsubscribe(*found)
                client.reply(replies.unsubscribe(name, deleted=found is not None))

    def _trigger(
        self,
        request: ask.DefineTrigger | ask.DeleteTrigger | ask.ListTriggers,
        client: Asker,
    ) -> Steps[None]:
        root = yield from self._current(request.root)
        client.reply(self._triggers.carry_out(request, root))

    def _state(
        self, path: bytes, name: str, metadata: object, client: Asker, *, entered: bool
    ) -> Steps[None]:
        root = yield from self._current(path)
        change = holding.enter_state if entered else holding.leave_state
        change(root, name, client, metadata)
        client.reply(replies.state(root.path, name, entered=entered))

    def _query(
        self, path: bytes, query: Query, is_find: bool, client: Asker
    ) -> Steps[None]:
        """Yields where others may get their turn."""
        if query.request_id:
            # In Watchman's words, which its users search for in the log.
            logger.debug("request_id = %s", printable(query.request_id))
        if query.settle_period is None or query.settle_timeout is None:
            root = yield from self._current(path)
        else:
            seconds = query.settle_period / 1000, query.settle_timeout / 1000
            root = yield from self._quiet(path, *seconds)
        for fast in () if is_find else (PlainListing, PlainChanges):
            if fast.can_answer(root, query, client.codec):
                if (yield from self._answer_fast(fast, root, query, client)):
                    return
                root = yield from self._current(path)
        spec, past = yield from self._recalled(root, query)
        self.roots.flush_deferred()
        root.flush()
        answer = yield from self._queries.answer(root, query, spec, past)
        self.roots.on_changed(root)  # the client has a clock of now
        is_large = len(answer.rows.rows) > MAX_ROWS_WITHOUT_ROOM
        # A named cursor has moved, so it must be answered.
        may_fail = not isinstance(query.since, Cursor)
        if is_large and may_fail and not client.has_room:
            raise QueryFailed("too many answers wait for clients that do not read")
        if query.wants_hashes:
            yield from self._read_contents(answer.rows, root, query)
        yield from answer.rows.encode(client.codec)
        reply = replies.query(answer.clock, fresh=answer.is_fresh)
        if is_find:
            reply = replies.find(answer.clock)
        client.reply(replies.warned(reply, root.warning), answer.rows)

    def _answer_fast(
        self,
        fast: type[PlainListing] | type[PlainChanges],
        root: Root,
        query: Query,
        client: Asker,
    ) -> Steps[bool]:
        """Whether the answer could be made in the fast way."""
        most = self.roots.limits.query_price
        plain = fast(root, query, client.codec, most)
        is_right = yield from plain.find()
        if plain.count > MAX_ROWS_WITHOUT_ROOM and not client.has_room:
            raise QueryFailed("too many answers wait for clients that do not read")
        if is_right:
            self.roots.on_changed(root)  # the client has a clock of now
            reply = replies.query(root.clock(), fresh=fast is PlainListing)
            reply = replies.warned(reply, root.warning)
            client.reply_around(reply, plain.member, plain.encoded())
        return is_right

    def _hashes_of(self, root: Root) -> ContentHashes:
        hashes = self._hashes.get(root)
        if hashes is None:
            most = root.config.content_hash_max_items
            hashes = self._hashes[root] = ContentHashes(self.roots.loop, most)
        return hashes

    def _content_reader(self, root: Root, query: Query) -> ReadContents:
        inner = query.relative_root

        def read(rows: Sequence[FileRow], done: Callable[[], None]) -> Reading:
            directory = root.prefix + (inner + b"/" if inner else b"")
            mount = self.roots.mount_of(root)
            return self._hashes_of(root).fill(rows, directory, mount, done)

        return read

    def _read_contents(self, rows: FileRows, root: Root, query: Query) -> Steps[None]:
        """Raises MountStalled where files are on a mount that has been silent for a
        while: its thread waits on alone."""
        answer = Answer()
        reading = self._content_reader(root, query)(rows.rows, answer.give)
        try:
            while not answer.is_given:
                point = reading.stalled_point()
                if point is not None:
                    raise MountStalled(point)
                yield partial(answer.wait, HASH_CHECK_SECONDS)
        finally:
            reading.cancel()  # the client has left, if the hashes are not there

    def _current(self, path: bytes) -> Steps[Root]:
        """The root, when all that happened until now was detected and delivered."""
        root = yield from self.watches.find(path)
        if not (yield from self.roots.bringing_up_to_date(root)):
            raise QueryFailed(
                "synchronization failed: the kernel loses events faster than "
                f"{to_text(path)} can be rescanned"
            )
        root = yield from self.watches.find(path)
        self.roots.flush_deferred()
        root.flush()
        return root

    def _quiet(self, path: bytes, period: float, timeout: float) -> Steps[Root]:
        """As `_current`, when nothing has happened in the root for `period` seconds.
        Raises QueryFailed after `timeout` seconds."""
        now = self.roots.loop.time
        root = yield from self._current(path)
        begun = now()
        end = begun + timeout
        while begun + period <= end:
            tick, number = root.timeline.latest, root.number
            yield partial(Answer().wait, period)
            root = yield from self._current(path)
            found = root.changes_since(tick) if root.number == number else None
            if found is not None and next(iter(found), None) is None:
                return root
            begun = now()
        raise QueryFailed(f"{to_text(path)} did not settle within {timeout:g} s")

    def _flush_subscriptions(
        self, path: bytes, names: tuple[str, ...] | None, client: Asker
    ) -> Steps[None]:
        root = yield from self._current(path)
        mine = {name: found for (_, name), found in client.subscriptions.items()}
        if names is None:
            names = tuple(name for name, (its, _) in mine.items() if its is root)
        for name in names:
            if name not in mine:
                raise BadRequest(
                    f"this client does not have a subscription named '{name}'"
                )
            its = mine[name][0]
            if its is not root:
                raise BadRequest(
                    f"subscription '{name}' is on root '{to_text(its.path)}' different "
                    f"from command root '{to_text(root.path)}'"
                )
        results: dict[str, list[str]] = {}
        for name in names:
            result = root.flush_subscriber(mine[name][1])
            results.setdefault(result, []).append(name)
        client.reply(replies.flush_subscriptions(results))

    def _subscribe(self, request: ask.Subscribe, client: Asker) -> Steps[None]:
        subscribing = self._subscribing
        subscribing.check(request, client)
        # Whoever subscribes wants to receive what happens later, and so waits for a
        # mount that does not answer.
        if not request.watch:
            root = yield from self.watches.find(request.root)
            yield from self.watches.until_ready(root, must_answer=True)
            yield from subscribing.subscribe(root, request, client)
            return
        key = RootKey.of(request.root, request.query)
        past = yield from self._recalling.prepared(key, request.query)
        with self._recalling.comparing(key, *past):
            root = yield from subscribing.open(request, client)
            with self.roots.needed.during(root):
                waits = request.query.wait_for_mounts
                yield from self.watches.until_ready(root, must_answer=not waits)
                yield from subscribing.subscribe(root, request, client)

    def _activity(self, request: ask.GetActivity, client: Asker) -> None:
        """The caller has synchronised: what was detected is delivered before."""
        found = client.subscriptions.get((request.root, request.name))
        if found is None:
            raise BadRequest(f"there is no subscription {request.name!r}")
        root = found[0]
        root.flush()
        now = time.monotonic()
        client.reply(
            replies.activity(now, self.roots.activity(root, request.paths, now))
        )

    # -- what earlier servers knew

    def cursors(self) -> list[tuple[RootKey, str, Clock]]:
        """All named cursors, to be saved."""
        keys = {root: key for key, root in self.roots.by_key()}
        return [
            (keys[root], name, clock)
            for root, name, clock in self._queries.cursors
            if root in keys
        ]

    def _recalled(
        self, root: Root, query: Query
    ) -> Steps[tuple[ClockSpec | None, Past | None]]:
        return (yield from self._recalling.recalled(root, query, self._queries))

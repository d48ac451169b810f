"""Begins subscriptions: what a client gets first is found in slices, as an answer is.

What happens meanwhile follows as a difference.
"""

from collections.abc import Callable
from typing import NamedTuple

from gamin.core.deliver.cursor import Cursor
from gamin.daemon.io.errands import Steps
from gamin.daemon.io.turns import LongList
from gamin.daemon.sessions.watchman.asker import Asker
from gamin.daemon.sessions.watchman.client_subscription import ClientSubscription
from gamin.daemon.sessions.watchman.delivery import Delivery, FileRows
from gamin.daemon.sessions.watchman.hashing_subscription import (
    HashingSubscription,
    ReadContents,
)
from gamin.daemon.sessions.watchman.lazy_memory import Past
from gamin.daemon.sessions.watchman.queries import MAX_ATTEMPTS, Queries
from gamin.daemon.sessions.watchman.results import ResultBuilder
from gamin.daemon.sessions.watchman.root import Root
from gamin.daemon.sessions.watchman.roots import RootKey, Roots
from gamin.daemon.sessions.watchman.subscriber import Subscriber
from gamin.daemon.sessions.watchman.update import Update
from gamin.protocol.watchman import replies
from gamin.protocol.watchman import requests as ask
from gamin.protocol.watchman.clocks import ClockSpec, Timeline
from gamin.protocol.watchman.codec.codec import Codec
from gamin.protocol.watchman.codec.compact import EVENT_FIELDS
from gamin.protocol.watchman.errors import BadRequest
from gamin.protocol.watchman.query.file_row import FileRow
from gamin.protocol.watchman.query.query import Query

MAX_NAME = 4_096
"""Characters in the name of a subscription or of a state; the server keeps it."""

Recall = Callable[[Root, Query], Steps[tuple[ClockSpec | None, Past | None]]]


class _First(NamedTuple):
    """What a subscriber gets first."""

    rows: FileRows
    now: Timeline
    """When this was right."""
    since: int | None
    """The tick after which it happened; None for everything there is."""


class Subscribing:
    def __init__(
        self,
        roots: Roots,
        queries: Queries,
        recall: Recall,
        content_reader: Callable[[Root, Query], ReadContents],
    ) -> None:
        """`recall` returns what the query's `since` stands for."""
        self._roots = roots
        self._queries = queries
        self._recall = recall
        self._content_reader = content_reader

    def check(self, request: ask.Subscribe, client: Asker) -> None:
        """Raises BadRequest for more than anybody needs."""
        most = self._roots.limits.subscriptions
        if len(client.subscriptions) >= most:
            raise BadRequest(f"a connection has no more than {most} subscriptions")
        if len(request.name) > MAX_NAME:
            raise BadRequest("the name of the subscription is too long")

    def open(self, request: ask.Subscribe, client: Asker) -> Steps[Root]:
        """The root for a subscription that watches what it names.

        Raises BadRequest if the client has too many lists of rules on one path: each of
        them is a tree of its own, and asked about whatever happens there.
        """
        key = RootKey.of(request.root, request.query)
        most = self._roots.limits.rule_lists
        its = self._roots.at(key.path)
        # Its subscriptions are looked through only where there are so many: for each of
        # a thousand paths, a million would be.
        if len(its) >= most:
            its &= {root for root, _ in client.subscriptions.values()}
        if len(its) >= most and self._roots.find_key(key) not in its:
            raise BadRequest(
                f"a connection has no more than {most} different lists of rules on one "
                "tree"
            )
        return (yield from self._roots.open(key))

    def subscribe(
        self, root: Root, request: ask.Subscribe, client: Asker
    ) -> Steps[None]:
        """Yields where others may get their turn."""
        query = request.query
        if root.config.enforce_unique_subscription_names:
            known = client.subscriptions.get((request.root, request.name))
            if known is not None and known[0].has(known[1]):
                raise BadRequest(f"subscription name '{request.name}' is not unique")
        if query.since is not None:
            yield from self._roots.bringing_up_to_date(root)
        spec, past = yield from self._recall(root, query)
        self._roots.flush_deferred()
        root.flush()
        first: _First | None = None
        if past is None and _is_found_in_slices(query):
            price = self._roots.limits.query_price
            first = yield from _find_first(root, query, spec, client.codec, price)
        past_rows = None if past is None else past.rows(root)
        now = root.timeline if first is None else first.now
        subscriber, warning = self._add(root, request, client, spec, first)
        warning = "\n".join(filter(None, (warning, root.warning)))
        clock = now.clock(now.latest)
        states = root.states.asserted
        client.reply(replies.subscribe(request.name, clock, warning, states))
        if first is not None:
            _deliver_first(root, subscriber, first)
        elif past is not None and past_rows is not None:
            root.deliver_past(subscriber, past.clock, past_rows)
        elif root.resume(spec) is not None:
            subscriber.wants_listing = query.names and query.initial
            root.catch_up(subscriber)
        elif query.since is not None or query.initial:
            root.deliver_all(subscriber)

    def _add(
        self,
        root: Root,
        request: ask.Subscribe,
        client: Asker,
        spec: ClockSpec | None,
        first: _First | None,
    ) -> tuple[Subscriber, str]:
        """The subscriber, in the place of one with the same name, with a warning."""
        query = request.query
        key = (request.root, request.name)
        replaced = client.subscriptions.pop(key, None)
        warning = ""
        if replaced is not None and replaced[0].has(replaced[1]):
            replaced[0].remove(replaced[1])
            warning = f"subscription name '{request.name}' is not unique"
        self._queries.move_cursor(root, query.since, root.clock())
        self._roots.on_changed(root)  # a client has a clock of now
        cursor = root.cursor(root.resume(spec))
        if first is not None:
            cursor = Cursor(first.now.root, first.now.latest, is_behind=True)
        sink = ClientSubscription(client, request.name)
        if query.wants_hashes:
            read = self._content_reader(root, query)
            sink = HashingSubscription(client, request.name, root, read)
        subscriber = Subscriber(
            sink,
            query.sharing_key(),
            cursor,
            defer=request.defer,
            drop=request.drop,
            defer_vcs=request.defer_vcs and root.has_warnings,
        )
        sink.belongs_to(subscriber)
        root.add(subscriber)
        client.subscriptions[key] = (root, subscriber)
        return subscriber, warning


def _is_found_in_slices(query: Query) -> bool:
    """Whether its first rows take long for each file. Names, and the rows that our own
    clients ask for, are those of the tree; hashes are read in a thread."""
    return not (query.names or query.wants_hashes or query.fields == EVENT_FIELDS)


def _find_first(
    root: Root, query: Query, spec: ClockSpec | None, codec: Codec, max_price: int
) -> Steps[_First | None]:
    """Yields where others may get their turn. None if there is nothing to find, or the
    root changes too fast for it. Raises QueryFailed past the greatest price."""
    shared = query.sharing_key()
    for _ in range(MAX_ATTEMPTS):
        begun, tick = root.timeline, root.resume(spec)
        source = None if tick is None else root.changes_since(tick)
        if source is None:
            tick = None
            wants_all = query.since is not None or query.initial
            if not wants_all or query.empty_on_fresh_instance:
                return None
            source = root.listing()
        found = LongList[FileRow](root.turns)
        builder = ResultBuilder(
            root.subscription, shared, root.far_disk, root.last_stats
        )
        yield from builder.find(source, begun, found, max_price)
        current = yield from Update(root, shared, tick).apply(found, begun)
        now = root.timeline
        if current is not None and (tick is None or tick >= now.oldest):
            rows = FileRows(current, shared.fields, now)
            yield from rows.encode(codec)
            return _First(rows, now, tick)
    return None


def _deliver_first(root: Root, subscriber: Subscriber, first: _First) -> None:
    """Deliver what was found, and then what happened since."""
    rows, now, since = first
    cursor = subscriber.cursor
    if since is not None and (subscriber.is_held or subscriber.sink.is_blocked):
        cursor.tick = since  # it gets the difference when it can
        return
    if since is None or not rows.is_empty:
        subscriber.sink.deliver(
            Delivery(
                root.path,
                rows,
                now.clock(now.latest),
                since=None if since is None else now.clock(since),
                is_fresh=since is None,
            )
        )
    if root.timeline[:4] == now[:4]:
        cursor.catch_up(now.latest, now.root)
    else:
        root.catch_up(subscriber)

"""Carries out the requests `debug-…`: they show what the server knows, or have it do
at once what it would do later."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from gamin.daemon.io.errands import Steps
from gamin.daemon.sessions.watchman.asker import Asker, Host
from gamin.daemon.sessions.watchman.client_subscription import ClientSubscription
from gamin.daemon.sessions.watchman.content_hashes import ContentHashes
from gamin.daemon.sessions.watchman.holding import pause
from gamin.daemon.sessions.watchman.queries import Queries
from gamin.daemon.sessions.watchman.root import Root
from gamin.daemon.sessions.watchman.roots import Roots
from gamin.protocol.watchman import replies
from gamin.protocol.watchman import requests as ask
from gamin.protocol.watchman.errors import BadRequest
from gamin.protocol.watchman.names import to_text

Find = Callable[[bytes], Steps[Root]]


class Debugging:
    def __init__(
        self,
        roots: Roots,
        host: Host,
        queries: Queries,
        hashes: Callable[[Root], ContentHashes],
        find: Find,
    ) -> None:
        """`hashes` returns those of a root, `find` the watched root at a path, when all
        that happened there until now was detected."""
        self._roots = roots
        self._host = host
        self._queries = queries
        self._hashes = hashes
        self._find = find

    def carry_out(self, request: ask.DebugRequest, client: Asker) -> Steps[None]:
        """Raises BadRequest."""
        match request:
            case ask.DropPrivileges():
                client.is_owner = False
                client.reply(replies.drop_privileges())
            case ask.PauseSubscriptions(paused):
                client.reply(replies.paused(_pause(client, paused)))
            case ask.ShowStatus():
                roots = [self._status(root) for root in self._roots.all]
                clients: Any = self._host.status().get("clients", [])
                client.reply(replies.debug_status(roots, clients))
            case _:
                root = yield from self._find(request.root)
                yield from self._about_root(request, root, client)

    def _about_root(
        self, request: ask.DebugRequest, root: Root, client: Asker
    ) -> Steps[None]:
        match request:
            case ask.AgeOut(_, seconds):
                self._age_out(root, seconds)
                client.reply(replies.age_out())
            case ask.Recrawl():
                self._roots.rescan("debug-recrawl")
                yield from self._find(root.path)  # which rescans first
                client.reply(replies.recrawl())
            case ask.ShowStates():
                client.reply(replies.asserted_states(root.path, root.states.asserted))
            case ask.ShowCursors():
                mine = [each for each in self._queries.cursors if each[0] is root]
                client.reply(replies.cursors({name: at for _, name, at in mine}))
            case ask.ShowSubscriptions():
                infos = list(map(_described, root.subscribers))
                latest = root.timeline.latest
                client.reply(replies.show_subscriptions(latest, infos))
            case ask.ShowRoot():
                client.reply(replies.root_status(self._status(root)))
            case ask.ShowContentHashes():
                its = self._hashes(root)
                client.reply(replies.cache(its.kept, its.hits, its.misses))
            case ask.ShowSymlinkTargets():
                # The target of a link is read for each answer, and never kept.
                client.reply(replies.cache())
            case ask.ClearWatcher():
                # As in Watchman with inotify, there is nothing that could be cleared:
                # what `debug-watcher-info` reports is the present state.
                client.reply(replies.watcher_cleared())
            case ask.ShowWatcher():
                report = self._host.status()
                keys = ("watches", "facilities", "limits", "recoveries")
                info = {key: report[key] for key in keys if key in report}
                client.reply(replies.watcher_info(info))

    def _age_out(self, root: Root, seconds: int) -> None:
        if seconds:
            tick = self._roots.times.before(int(time.time()) - seconds) or 0
        else:
            tick = root.timeline.latest + 1
        root.age_out(tick)
        self._queries.drop_cursors(root, tick)

    def _status(self, root: Root) -> Mapping[str, Any]:
        return {
            "path": root.path,
            "fstype": self._roots.file_system(root.path),
            "watcher": self._host.watcher_name,
            "case_sensitive": True,
            "cookie_prefix": [],
            "cookie_dir": [],
            "cookie_list": [],
            "recrawl_info": {
                "count": root.rescans,
                "should-recrawl": False,
                "warning": root.warning,
            },
            "queries": [],
            "done_initial": root.is_ready,
            "cancelled": root.is_lost,
            "crawl-status": "crawled" if root.is_ready else "crawling",
        }


def _pause(
    client: Asker, paused: Mapping[str, bool]
) -> Mapping[str, tuple[bool, bool]]:
    """Pause subscriptions of the client, or let them go on; return for each whether it
    was paused, and is now."""
    mine = {name: found for (_, name), found in client.subscriptions.items()}
    for name in paused:
        if name not in mine:
            raise BadRequest(f"this client does not have a subscription named '{name}'")
    states = {}
    for name, value in paused.items():
        root, subscriber = mine[name]
        states[name] = subscriber.is_paused, value
        pause(root, subscriber, paused=value)
    return states


def _described(subscriber: Any) -> dict[str, Any]:
    sink, query = subscriber.sink, subscriber.query
    is_client = isinstance(sink, ClientSubscription)
    return {
        "serial": subscriber.cursor.tick,
        "name": sink.name if is_client else to_text(str(sink).encode()),
        "client": sink.client if is_client else "",
        "is_behind": subscriber.cursor.is_behind,
        "query": {"fields": list(query.fields), "relative_root": query.relative_root},
    }

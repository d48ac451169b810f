"""The roots that clients asked to be watched for good, and what lets them end.

They and their triggers outlive the server: a file has them, which is written whenever
they change and read when the first client of the Watchman language comes. What needs a
root waits until the file was read.
"""

import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

from gamin.daemon.io.errands import (
    Done,
    Errands,
    MountStalled,
    Steps,
    aside,
    run_in_background,
)
from gamin.daemon.io.loop import Timer
from gamin.daemon.io.worker import Worker
from gamin.daemon.sessions.watchman.asker import Asker, Host
from gamin.daemon.sessions.watchman.hashing_subscription import ReadContents
from gamin.daemon.sessions.watchman.own_sink import FollowedLinks, OwnSink, Warming
from gamin.daemon.sessions.watchman.projects import (
    check_root,
    find_project,
    link_targets,
    project_of,
    read_config,
    read_global_config,
    real_path,
    root_directory,
)
from gamin.daemon.sessions.watchman.request_limits import query_limits
from gamin.daemon.sessions.watchman.root import Root
from gamin.daemon.sessions.watchman.roots import RootKey, Roots
from gamin.daemon.sessions.watchman.triggers import Triggers
from gamin.paths import printable
from gamin.protocol.watchman import replies
from gamin.protocol.watchman import requests as ask
from gamin.protocol.watchman.errors import BadRequest, NotWatched, QueryFailed
from gamin.protocol.watchman.global_config import GlobalConfig
from gamin.protocol.watchman.names import to_text
from gamin.protocol.watchman.query.query import Query
from gamin.protocol.watchman.trigger import parse_trigger
from gamin.state.place import Unusable
from gamin.state.watch_file import SavedWatch, WatchFile
from gamin.system import errands as blocking

logger: logging.Logger = logging.getLogger(__name__)

Request = ask.Watch | ask.WatchProject | ask.WatchList | ask.WatchDel | ask.WatchDelAll

NOT_OWNER = " (this may be because you are not the process owner)"
RESTORE_SECONDS = 30.0
"""Seconds that requests wait at the most for what an earlier server watched."""
SAVE_SECONDS = 0.1
"""Seconds after a change when it is saved, with those that follow it directly."""


class Place(NamedTuple):
    """Which files say what is to be watched."""

    configuration: Sequence[str] = ()
    """Watchman's global configuration; the later files count more."""
    state: WatchFile | None = None
    """What an earlier server watched; None if nothing is to be kept."""


class Watches:
    def __init__(
        self,
        roots: Roots,
        host: Host,
        triggers: Triggers,
        place: Place,
        reader: Callable[[Root, Query], ReadContents],
    ) -> None:
        """`reader` makes what hashes the files of a root."""
        self._roots = roots
        self._reader = reader
        self._host = host
        self._triggers = triggers
        self._place = place
        self._worker = Worker(roots.loop, "save watches")
        self._is_restored = place.state is None
        self._left = 0
        """Roots of an earlier server that are still to be opened."""
        self._waiting: list[Done] = []
        """To be called when all of these are open."""
        self._is_dirty = False
        """There is something to save."""
        self._is_saving = False
        self._own_sinks: dict[Root, list[OwnSink]] = {}
        """What the configuration of a root has the server do by itself."""
        self._used: dict[Root, float] = {}
        """When a client needed the root last, in seconds since 1970."""
        self._reapers: dict[Root, Timer] = {}
        self.on_found: Callable[[Root], None] = lambda root: None
        """Called with the root of each request about one."""
        triggers.on_changed = self.changed

    # -- requests

    def carry_out(self, request: Request, client: Asker) -> Steps[None]:
        """Raises BadRequest."""
        yield from self._restored()
        match request:
            case ask.WatchList():
                client.reply(replies.watch_list(self._roots.watched()))
            case ask.Watch(path):
                directory = yield from aside(partial(root_directory, path))
                root = yield from self._watch(directory, client)
                reply = replies.watch(directory, self._host.watcher_name)
                client.reply(replies.warned(reply, root.warning))
            case ask.WatchProject(path):
                yield from self._watch_project(path, client)
            case ask.WatchDel(path):
                root = yield from self.find(path)
                self._roots.cancel(root)
                client.reply(replies.watch_del(root.path, deleted=True))
            case ask.WatchDelAll():
                kept = [root for root in self._roots.all if root.is_pinned]
                for root in kept:
                    self._roots.cancel(root)
                client.reply(replies.watch_list([root.path for root in kept]))

    def find(self, path: bytes) -> Steps[Root]:
        """The root at a path that is watched for good. Raises BadRequest."""
        yield from self._restored()
        root = self._roots.find(path)
        if root is None:
            root = self._roots.find((yield from aside(partial(real_path, path))))
        if root is not None and not root.is_ready:
            yield from self._roots.until_ready(root, must_answer=True)
        if root is None or not root.is_ready:
            raise NotWatched(to_text(path))
        if root.subscription.node is None:
            raise QueryFailed(f"root {to_text(path)} is not there")
        self._used[root] = time.time()
        self.on_found(root)
        return root

    def until_ready(self, root: Root, *, must_answer: bool = True) -> Steps[None]:
        """Requests behind this one wait so long."""
        yield from self._roots.until_ready(root, must_answer=must_answer)
        if not root.is_ready:  # it was closed before
            raise NotWatched(to_text(root.path))

    def _watch(self, path: bytes, client: Asker) -> Steps[Root]:
        root = self._roots.find(path)
        if root is None:
            if not client.is_owner:
                raise NotWatched(to_text(path), NOT_OWNER)
            config = yield from self._configuration()
            root = yield from self._open(path, config)
        yield from self.until_ready(root)
        self._used[root] = time.time()
        return root

    def _watch_project(self, path: bytes, client: Asker) -> Steps[None]:
        directory = yield from aside(partial(root_directory, path))
        config = yield from self._configuration()
        watched = self._roots.watched()
        project = yield from aside(partial(find_project, directory, watched, config))
        root = yield from self._watch(project, client)
        inner = directory[len(project.rstrip(b"/")) + 1 :]
        reply = replies.watch_project(project, self._host.watcher_name, inner)
        client.reply(replies.warned(reply, root.warning))

    def _configuration(self) -> Steps[GlobalConfig]:
        """Read each time, so that a change holds for the next root."""
        paths = self._place.configuration
        return (yield from aside(partial(read_global_config, paths)))

    def _open(self, path: bytes, config: GlobalConfig) -> Steps[Root]:
        """Begin to watch a real directory for good. Raises UnresolvedRoot."""
        file_system = self._roots.file_system(path)
        yield from aside(partial(check_root, path, config, file_system))
        reading = partial(read_config, path, config.root_options)
        own = yield from aside(reading)
        root = yield from self._roots.open(RootKey(path, is_watchman=True), own)
        if not root.is_pinned:
            root.is_pinned = True
            self._used.setdefault(root, time.time())
            self._expect_end(root)
            self.changed()
            run_in_background(self._attending(root), self._roots.errands)
        return root

    # -- what the configuration of a root has the server do by itself

    def _attending(self, root: Root) -> Steps[None]:
        """Begin it, once the root is ready."""
        yield from self._roots.until_ready(root, must_answer=False)
        if not (root.is_ready and root.is_pinned):
            return
        sinks: list[OwnSink] = []
        if root.config.content_hash_warming:
            sinks.append(Warming(root, self._reader(root, Query())))
        if root.config.watch_symlinks:
            sinks.append(FollowedLinks(root, self._follow_soon))
        if sinks:
            self._own_sinks[root] = sinks
            for sink in sinks:
                sink.begin()

    def _follow_soon(self, links: Sequence[bytes], done: Done) -> None:
        run_in_background(self._follow(links, done), self._roots.errands)

    def _follow(self, links: Sequence[bytes], done: Done) -> Steps[None]:
        """Watch the projects that these symlinks lead to."""
        for link in links:
            try:
                config = yield from self._configuration()
                for path in (yield from aside(partial(link_targets, link))):
                    watched = self._roots.watched()
                    finding = partial(project_of, path, watched, config)
                    project = yield from aside(finding)
                    if project is not None:
                        yield from self._open(project, config)
            except (BadRequest, MountStalled) as error:
                place, why = printable(link), printable(str(error))
                logger.warning("the target of %s is not watched: %s", place, why)
            yield None
        done()

    # -- roots that nobody needs any more

    def _expect_end(self, root: Root) -> None:
        seconds = root.config.idle_reap_age_seconds
        if seconds:
            idle = time.time() - self._used.get(root, 0.0)
            left = max(0.0, seconds - max(0.0, idle))
            reap = partial(self._reap, root)
            self._reapers[root] = self._roots.loop.call_later(left + 1, reap)

    def _reap(self, root: Root) -> None:
        """Its time may be over, unless it was needed meanwhile."""
        if not root.is_pinned:
            return
        own = len(self._own_sinks.get(root, ()))
        if len(root.subscribers) > own:  # somebody subscribes, or a trigger does
            self._used[root] = time.time()
        idle = time.time() - self._used.get(root, 0.0)
        if 0 <= idle < root.config.idle_reap_age_seconds:
            self._expect_end(root)
            return
        logger.info("%s: nobody needs it", printable(root.path))
        self._roots.cancel(root)

    # -- what an earlier server watched

    def restore(self) -> None:
        """Begin to watch what an earlier server watched."""
        if self._place.state is not None:
            run_in_background(self._restoring(self._place.state), self._roots.errands)

    def _restored(self) -> Steps[None]:
        """Wait until these roots are open."""
        if not self._is_restored:
            yield self._wait

    def _wait(self, errands: Errands, done: Done) -> None:
        self._waiting.append(errands.once(done, RESTORE_SECONDS))

    def _restoring(self, state: WatchFile) -> Steps[None]:
        saved: list[SavedWatch] = []
        try:
            reading = partial(blocking.at, os.path.dirname(state.path), state.read)
            saved = yield from aside(reading)
            config = yield from self._configuration()
        except (Unusable, MountStalled, BadRequest) as error:
            logger.warning("no watch is restored: %s", printable(str(error)))
            saved = []
        self._left = len(saved)
        for one in saved:
            run_in_background(self._restore_one(one, config), self._roots.errands)
        if not saved:
            self._all_restored()

    def _restore_one(self, saved: SavedWatch, config: GlobalConfig) -> Steps[None]:
        path = os.fsencode(saved.path)
        try:
            directory = yield from aside(partial(root_directory, path))
            root = yield from self._open(directory, config)
        except (BadRequest, MountStalled) as error:
            logger.warning("not watched any more: %s", printable(str(error)))
            self.changed()
            return
        finally:
            self._left -= 1
            if not self._left:
                self._all_restored()
        if 0 < saved.used < time.time():
            self._used[root] = saved.used
            self._reap_if_over(root)
        yield from self._roots.until_ready(root, must_answer=False)
        for definition in saved.triggers:
            if root.is_ready and root.is_pinned:
                self._restore_trigger(root, definition)

    def _reap_if_over(self, root: Root) -> None:
        seconds = root.config.idle_reap_age_seconds
        if seconds and time.time() - self._used[root] >= seconds:
            self._reap(root)

    def _restore_trigger(self, root: Root, definition: dict[str, object]) -> None:
        try:
            limits = query_limits(self._roots.limits)
            self._triggers.define(root, parse_trigger([definition], limits))
        except BadRequest as error:
            name = printable(root.path)
            logger.warning("a trigger of %s is gone: %s", name, printable(str(error)))

    def _all_restored(self) -> None:
        self._is_restored = True
        waiting, self._waiting = self._waiting, []
        for done in waiting:
            done()
        self._host.check_idle()

    # -- saving

    def changed(self) -> None:
        """There is something to save, soon and in a thread."""
        if self._place.state is not None and not self._is_dirty:
            self._is_dirty = True
            self._roots.loop.call_later(SAVE_SECONDS, self._save_soon)

    def closed(self, root: Root) -> None:
        """A root is not watched any more."""
        self._used.pop(root, None)
        self._own_sinks.pop(root, None)
        reaper = self._reapers.pop(root, None)
        if reaper is not None:
            reaper.cancel()
        self.changed()

    def _save_soon(self) -> None:
        if self._is_dirty and not self._is_saving and self._is_restored:
            self._is_dirty, self._is_saving = False, True
            self._worker.start(self._writing(self._snapshot()), self._saved)

    def _saved(self) -> None:
        self._is_saving = False
        self._save_soon()

    def save(self, seconds: float) -> None:
        """Save now, because the server ends; wait so long at the most."""
        if self._place.state is None or not self._is_restored or not self._used:
            return
        # A thread may be about to write what was true a moment ago: it comes first.
        job = self._worker.start(self._writing(self._snapshot()), lambda: None)
        job.wait(seconds)

    def _snapshot(self) -> list[SavedWatch]:
        return [
            SavedWatch(
                to_text(root.path),
                self._triggers.definitions(root),
                int(self._used.get(root, 0.0)),
            )
            for root in self._roots.all
            if root.is_pinned
        ]

    def _writing(self, watches: list[SavedWatch]) -> Iterator[None]:
        """In a thread."""
        assert self._place.state is not None
        try:
            self._place.state.write(watches)
        except Unusable as error:
            logger.warning("watches are not kept: %s", printable(str(error)))
        yield

"""One connection to the server for all watches of watchdog in this process.

An observer may have hundreds of watches. Each is a path of one live watch, and has a
feed of its own. A thread reads the connection, as watchdog's own inotify thread does.
Watches that follow links have a connection each.
"""

import logging
import os
import threading
from contextlib import suppress
from queue import SimpleQueue

from gamin.client.path_change import PathChange
from gamin.client.watch import Watch
from gamin.errors import GaminError, ServerError
from gamin.events import Event
from gamin.protocol.watchman.client.watched_path import WatchOptions
from gamin.protocol.watchman.client.watching import Batch, Watching

logger: logging.Logger = logging.getLogger(__name__)

JOIN_SECONDS = 1.0
"""Seconds that the last watch waits for the end of the thread at most, so that a
program that counts its threads finds none of ours."""


class Feed:
    """The events of one path."""

    def __init__(self, hub: "Hub", key: str) -> None:
        self._hub = hub
        self._key = key
        self._batches: SimpleQueue[list[Event] | None] = SimpleQueue()
        self.error: GaminError | None = None
        """Why nothing comes any more, if the server is lost for good."""

    def put(self, events: list[Event] | None) -> None:
        """Add a batch; None at the end."""
        self._batches.put(events)

    def get(self) -> list[Event] | None:
        """Wait for a batch; None when the feed has ended."""
        return self._batches.get()

    def close(self) -> None:
        """End the feed, and the watch of its path. May be repeated, by any thread."""
        self._hub.leave(self, self._key)
        self.put(None)


class LinkFeed:
    """The events of a path whose links to directories are followed.

    It has a connection of its own, for what is behind a link is a path of its watch, of
    which only that watch knows the owner.
    """

    def __init__(self, path: str, options: WatchOptions) -> None:
        """Raises GaminError."""
        self._watch = Watch(Watching([path], options, has_clock=False))
        self.error: GaminError | None = None
        """Why nothing comes any more, if the server is lost for good."""

    def get(self) -> list[Event] | None:
        """Wait for a batch; None when the feed has ended."""
        try:
            return self._watch.next()
        except GaminError as problem:
            self.error = problem
            logger.debug("the server is lost", exc_info=True)
            return None

    def close(self) -> None:
        """End the feed. May be repeated, by any thread."""
        self._watch.close()


class Hub:
    """A live watch whose paths come and go, and the thread that reads it."""

    def __init__(self) -> None:
        """Raises ServerError."""
        watching = Watching([], WatchOptions(), has_clock=False)
        self._watch = _NamedWatch(watching)
        self._lock = threading.Lock()
        self._feeds: dict[str, Feed] = {}
        self._unclaimed: dict[str, list[Batch]] = {}
        """Batches of paths whose feeds are being made."""
        self.users: int = 0
        """Feeds, and those who are about to get one; guarded by `_lock` below."""
        self.is_over: bool = False
        """The connection is closed, or lost for good."""
        self._thread = threading.Thread(
            target=self._read, name="gamin-hub", daemon=True
        )
        self._thread.start()

    def open(self, path: str, options: WatchOptions) -> Feed:
        """Watch an absolute path; return when that is so. Raises GaminError."""
        try:
            key = self._watch.add_path(path, options)
        except BaseException:
            self.release()
            raise
        with self._lock:
            feed = self._feeds[key] = Feed(self, key)
            for batch in self._unclaimed.pop(key, ()):
                feed.put(batch.events)
            if self.users == len(self._feeds):
                self._unclaimed.clear()
            if self.is_over:
                feed.put(None)
        return feed

    def leave(self, feed: Feed, key: str) -> None:
        """A feed is closed; with the last one, so is the connection."""
        with self._lock:
            if self._feeds.pop(key, None) is not feed:
                return
        if not self.release():
            self._watch.take_away(key)

    def release(self) -> bool:
        """Somebody uses it no more. Return whether that was the last one."""
        with _lock:
            self.users -= 1
            if self.users:
                return self.is_over
            self.is_over = True
        self._watch.close()
        if self._thread is not threading.current_thread():
            self._thread.join(JOIN_SECONDS)
        return True

    def _read(self) -> None:
        error: GaminError | None = None
        try:
            while (batch := self._watch.next_named()) is not None:
                self._pass_on(batch)
        except GaminError as problem:
            error = problem
            logger.debug("the server is lost", exc_info=True)
        with self._lock:
            self.is_over = True
            for feed in self._feeds.values():
                feed.error = error
                feed.put(None)
        self._watch.close()

    def _pass_on(self, batch: Batch) -> None:
        with self._lock:
            feed = self._feeds.get(batch.key)
            if feed is not None:
                feed.put(batch.events)
            elif self.users > len(self._feeds):
                self._unclaimed.setdefault(batch.key, []).append(batch)


class _NamedWatch(Watch):
    """A watch that says which of its paths a batch is about."""

    def next_named(self) -> Batch | None:
        """Wait for the next batch; None at the end. Raises GaminError."""
        try:
            with self._busy:
                if self._readiness is None:
                    return None
                return self._run(self._driver.next(None))
        finally:
            if self._driver.closed:
                self._release()

    def add_path(self, path: str, options: WatchOptions) -> str:
        """Watch one more path; return its key."""
        change = PathChange(add=[(path, options)])
        self._carry_out(change)
        if not change.is_done:
            raise ServerError("the connection was closed")
        change.check(self._driver.channel.watching)
        return change.keys[0]

    def take_away(self, key: str) -> None:
        """Watch a path no more; returns at once."""
        with suppress(ValueError):  # it is closed, and the path gone with it
            self._request(PathChange(remove=[key]))


_lock = threading.Lock()
_hub: Hub | None = None


def open_feed(path: str, options: WatchOptions) -> Feed:
    """Watch an absolute path over this process's connection. Raises GaminError."""
    global _hub
    with _lock:
        hub = _hub
        if hub is None or hub.is_over:
            hub = _hub = Hub()
        hub.users += 1
    return hub.open(path, options)


def _forget() -> None:
    """A forked process has no thread that reads, and needs a connection of its own."""
    global _hub, _lock
    _lock = threading.Lock()
    _hub = None


os.register_at_fork(after_in_child=_forget)

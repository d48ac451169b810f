"""watchdog's emitter and observer over the service.

watchdog meets the kernel in its emitters, and `EventEmitter` is the documented place
for another one. Everything above (handlers, event classes, tricks, commands) stays that
of the installed library. A watch that needs what the service does not report is given
to the library's own emitter, beside the others in the same observer.

This module imports watchdog. `gamin.compat.install` imports it right after watchdog's
own observers were, and before their names are replaced.
"""

import logging
import os
from typing import TYPE_CHECKING, Any

from watchdog.events import (
    FileClosedNoWriteEvent,
    FileOpenedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers.api import (
    DEFAULT_EMITTER_TIMEOUT,
    DEFAULT_OBSERVER_TIMEOUT,
    BaseObserver,
    EventEmitter,
    EventQueue,
    ObservedWatch,
)
from watchdog.observers.inotify import InotifyEmitter, InotifyFullEmitter

from gamin.compat import fallback, outage, settings
from gamin.compat.changed_files import Beginning

if TYPE_CHECKING:
    from gamin.compat.hub import Feed, LinkFeed

logger: logging.Logger = logging.getLogger(__name__)

UNREPORTED_EVENTS = frozenset[type[FileSystemEvent]](
    (FileOpenedEvent, FileClosedNoWriteEvent)
)
"""The events that the service does not report: it never listens to opens."""
UNREPORTED_METHODS = ("on_opened", "on_closed_no_write")
"""The methods of handlers that they are passed to."""


class GaminEmitter(EventEmitter):
    """Queues what the service reports, as the events that inotify would have caused."""

    own_class: type[EventEmitter] = InotifyEmitter
    """The library's emitter, for what the service cannot do."""
    always_own: bool = False

    def __init__(
        self,
        event_queue: EventQueue,
        watch: ObservedWatch,
        *,
        timeout: float = DEFAULT_EMITTER_TIMEOUT,
        event_filter: list[type[FileSystemEvent]] | None = None,
        **own_options: Any,
    ) -> None:
        super().__init__(event_queue, watch, timeout=timeout, event_filter=event_filter)
        self._own_options = {**own_options, "event_filter": event_filter}
        self._own: EventEmitter | None = None
        self._feed: Feed | LinkFeed | None = None
        self._line: fallback.Line | None = None
        """Where the program began to watch."""

    def on_thread_start(self) -> None:
        """Return when everything is watched. Raises OSError for a missing path."""
        if self.always_own or settings.why_not() is not None or outage.is_known():
            return self._start_own()
        beginning = Beginning()
        # Imported late: most processes that import watchdog watch nothing, as the
        # children of a reloader.
        from gamin.client.arguments import absolute
        from gamin.compat.hub import LinkFeed, open_feed
        from gamin.compat.translation import Translation
        from gamin.errors import GaminError, ServerError
        from gamin.events import Event, Kind
        from gamin.protocol.watchman.client.watched_path import WatchOptions

        self._line = fallback.calling_line()
        path = os.fsdecode(self.watch.path)
        os.stat(path)
        self._translation = Translation(self.watch)
        options = WatchOptions(
            recursive=self.watch.is_recursive,
            vcs_ignore=settings.vcs_ignore(),
            cross_mounts=True,
            # 6.0 has no such attribute.
            follow_symlinks=getattr(self.watch, "follow_symlink", False),
            details=True,
            flow_control=False,
            # Other observers of this process would wait as well.
            wait_for_mounts=False,
        )
        try:
            make_feed = LinkFeed if options.follow_symlinks else open_feed
            self._feed = make_feed(absolute(path), options)
        except (GaminError, OSError) as error:
            if isinstance(error, ServerError):
                outage.remember()
            fallback.warn_once("watchdog", error, self._line)
            return self._start_own()
        early = [
            Event(Kind.CREATED if is_new else Kind.CHANGED, changed, recovered=True)
            for is_new, changed in beginning.changes(
                [absolute(path)], recursive=options.recursive
            )
        ]
        for event in self._translation.events(early):
            self.queue_event(event)

    def on_thread_stop(self) -> None:
        if self._own is not None:
            self._own.stop()
        if self._feed is not None:
            self._feed.close()

    def queue_events(self, timeout: float) -> None:
        """Wait until something is reported, and queue it."""
        if self._own is not None:
            self.stopped_event.wait()
            self._own.join()
        elif self._feed is not None:
            batch = self._feed.get()
            if batch is None:
                if self._feed.error is not None and self.should_keep_running():
                    self._go_on_without(self._feed.error)
                elif self._own is None:
                    self.stop()
                return
            for event in self._translation.events(batch):
                self.queue_event(event)
                if self._translation.is_end(event):
                    self.stop()

    def use_own(self) -> None:
        """Go on with the library's emitter."""
        if self._own is not None:
            return
        if self._feed is None:
            self.always_own = True  # it was not started yet
        elif self.should_keep_running():
            self._start_own()
            self._feed.close()

    def _go_on_without(self, error: Exception) -> None:
        """The server is lost for good, and what was not reported yet is, too."""
        fallback.warn_once("watchdog", error, self._line)
        try:
            self._start_own()
        except OSError as problem:
            logger.error("no more events for %r: %s", self.watch.path, problem)
            self.stop()

    def _start_own(self) -> None:
        own = self.own_class(
            self._event_queue, self.watch, timeout=self.timeout, **self._own_options
        )
        own.start()
        self._own = own


class OwnEmitter(GaminEmitter):
    """The library's emitter from the start."""

    always_own = True


class _FullEmitter(OwnEmitter):
    own_class = InotifyFullEmitter


class GaminObserver(BaseObserver):
    """watchdog's `Observer` over the service.

    Its `schedule` gives a watch to the library's own emitter if the handler or the
    filter asks for opens.
    """

    emitter_class: type[GaminEmitter] = GaminEmitter
    own_emitter_class: type[GaminEmitter] = OwnEmitter

    def __init__(
        self,
        *,
        timeout: float = DEFAULT_OBSERVER_TIMEOUT,
        generate_full_events: bool = False,
    ) -> None:
        """`generate_full_events`: halves of renames, which the library reports."""
        self._default = _FullEmitter if generate_full_events else self.emitter_class
        super().__init__(self._default, timeout=timeout)

    def schedule(
        self, event_handler: FileSystemEventHandler, path: Any, **options: Any
    ) -> ObservedWatch:
        """Watch a path; the arguments are those of the installed watchdog."""
        needs_own = needs_unreported(event_handler) or any(
            cls in UNREPORTED_EVENTS for cls in options.get("event_filter") or ()
        )
        with self._lock:
            if needs_own and self._default is self.emitter_class:
                self._emitter_class = self.own_emitter_class
            try:
                watch = super().schedule(event_handler, path, **options)
            finally:
                self._emitter_class = self._default
            if needs_own:
                self._use_own(watch)
        return watch

    def add_handler_for_watch(
        self, event_handler: FileSystemEventHandler, watch: ObservedWatch
    ) -> None:
        """Add a handler to a watch."""
        with self._lock:
            super().add_handler_for_watch(event_handler, watch)
            if needs_unreported(event_handler):
                self._use_own(watch)

    def _use_own(self, watch: ObservedWatch) -> None:
        emitter = self._emitter_for_watch.get(watch)
        if isinstance(emitter, GaminEmitter):
            emitter.use_own()


def needs_unreported(handler: object) -> bool:
    """Whether a handler has its own method for an event that is not reported.

    Those of watchdog's own handlers (LoggingEventHandler has all) do not count.
    """
    for name in UNREPORTED_METHODS:
        if name in getattr(handler, "__dict__", ()):
            return True
        for cls in type(handler).__mro__:
            if name in vars(cls):
                if cls.__module__.partition(".")[0] != "watchdog":
                    return True
                break
    return False

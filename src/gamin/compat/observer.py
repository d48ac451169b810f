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
import stat
from collections.abc import Iterable
from typing import Any

from watchdog import events as watchdog_events
from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirModifiedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileClosedNoWriteEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileOpenedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
    generate_sub_moved_events,
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

from gamin.client.watch import Watch, watch
from gamin.compat import settings
from gamin.compat.spelling import Spelling
from gamin.errors import GaminError
from gamin.events import Event, Kind

logger = logging.getLogger(__name__)

# From 7.0 on a change of attributes has its own events. The service does not say
# whether content or attributes changed, and reports both as modified.
_ATTRIB_EVENTS = tuple(
    getattr(watchdog_events, name)
    for name in ("FileAttribEvent", "DirAttribEvent")
    if hasattr(watchdog_events, name)
)
UNREPORTED_EVENTS = frozenset[type[FileSystemEvent]](
    (FileOpenedEvent, FileClosedEvent, FileClosedNoWriteEvent, *_ATTRIB_EVENTS)
)
"""The events that the service does not report."""
UNREPORTED_METHODS = ("on_opened", "on_closed", "on_closed_no_write", "on_attrib")
"""The methods of handlers that they are passed to."""


class GaminEmitter(EventEmitter):
    """Queues what the service reports, as the events that inotify would have caused."""

    own_class: type[EventEmitter] = InotifyEmitter
    """The library's emitter, for what the service cannot do."""
    always_own = False

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
        self._reports: Watch | None = None
        self._root = ""

    def on_thread_start(self) -> None:
        """Return when everything is watched. Raises OSError for a missing path."""
        if self.always_own or settings.why_not() is not None:
            return self._start_own()
        path = os.fsdecode(self.watch.path)
        os.stat(path)
        try:
            self._open(path)
        except (GaminError, OSError) as error:
            settings.warn_once("watchdog", error)
            self._start_own()

    def on_thread_stop(self) -> None:
        if self._own is not None:
            self._own.stop()
        if self._reports is not None:
            self._reports.close()

    def queue_events(self, timeout: float) -> None:
        """Wait until something is reported, and queue it."""
        if self._own is not None:
            self.stopped_event.wait()
            self._own.join()
        elif self._reports is not None:
            try:
                batch = self._reports.next()
            except GaminError:
                logger.exception("no more events for %r", self.watch.path)
                return self.stop()
            self._queue_batch(batch or [])

    def use_own(self) -> None:
        """Go on with the library's emitter."""
        if self._own is not None:
            return
        if self._reports is None:
            self.always_own = True  # it was not started yet
        elif self.should_keep_running():
            self._start_own()
            self._reports.close()

    def _open(self, path: str) -> None:
        self._spelling = Spelling([(path, path)])
        self._root = os.path.abspath(path)
        self._reports = watch(
            path,
            recursive=self.watch.is_recursive,
            cross_mounts=True,
            flow_control=False,
            vcs_ignore=settings.vcs_ignore(),
        )

    def _start_own(self) -> None:
        own = self.own_class(
            self._event_queue, self.watch, timeout=self.timeout, **self._own_options
        )
        own.start()
        self._own = own

    def _queue_batch(self, batch: Iterable[Event]) -> None:
        # A new file that has content is reported as modified, too. When its writing
        # is in the same batch, once is enough.
        filled: set[str] = set()
        for event in batch:
            kind, path = event.kind, event.path
            if kind is Kind.CREATED:
                self._created(event, filled)
            elif kind is Kind.DELETED:
                self._deleted(event)
            elif kind is Kind.MOVED:
                self._moved(event)
            elif path in filled:
                filled.discard(path)
            else:
                cls = DirModifiedEvent if event.is_dir else FileModifiedEvent
                self._queue(cls, event, path)

    def _created(self, event: Event, filled: set[str]) -> None:
        path = event.path
        cls = DirCreatedEvent if event.is_dir else FileCreatedEvent
        self._queue(cls, event, path)
        self._queue_parents(event, path)
        if not event.is_dir and _has_content(path):
            filled.add(path)
            self._queue(FileModifiedEvent, event, path)

    def _deleted(self, event: Event) -> None:
        path = event.path
        cls = DirDeletedEvent if event.is_dir else FileDeletedEvent
        self._queue(cls, event, path)
        self._queue_parents(event, path)
        if event.is_dir and self._spelled(path) == self.watch.path:
            self.stop()

    def _moved(self, event: Event) -> None:
        assert event.dest is not None, "a rename has both paths"
        cls = DirMovedEvent if event.is_dir else FileMovedEvent
        self._queue(cls, event, event.path, event.dest)
        self._queue_parents(event, event.path, event.dest)
        if event.is_dir and self.watch.is_recursive:
            source, target = self._spelled(event.path), self._spelled(event.dest)
            for below in generate_sub_moved_events(source, target):
                self.queue_event(below)

    def _queue(self, cls: type[FileSystemEvent], event: Event, *paths: str) -> None:
        source = self._spelled(paths[0])
        target = self._spelled(paths[1]) if len(paths) > 1 else ""
        self.queue_event(cls(source, target, is_synthetic=event.recovered))

    def _queue_parents(self, event: Event, *paths: str) -> None:
        """Report that the directories changed that the entries are in."""
        for path in paths:
            spelled = self._spelled(path)
            if spelled != self.watch.path:
                parent = os.path.dirname(spelled)
                self.queue_event(DirModifiedEvent(parent, is_synthetic=event.recovered))

    def _spelled(self, path: str) -> str | bytes:
        spelled = self._spelling.of(path)
        return os.fsencode(spelled) if isinstance(self.watch.path, bytes) else spelled


class OwnEmitter(GaminEmitter):
    """The library's emitter from the start."""

    always_own = True


class _FullEmitter(OwnEmitter):
    own_class = InotifyFullEmitter


class GaminObserver(BaseObserver):
    """watchdog's `Observer` over the service.

    Its `schedule` gives a watch to the library's own emitter if the handler or the
    filter asks for opened, closed or attribute events, or if links are to be followed.
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
        needs_own = (
            needs_unreported(event_handler)
            or any(
                cls in UNREPORTED_EVENTS for cls in options.get("event_filter") or ()
            )
            or bool(options.get("follow_symlink"))
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


def _has_content(path: str) -> bool:
    try:
        status = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_size > 0

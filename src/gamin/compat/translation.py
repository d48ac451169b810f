"""Turns the service's events into those that watchdog's emitter for inotify queues.

This module imports watchdog.
"""

import os
import stat
from collections.abc import Iterable, Iterator

from watchdog import events as watchdog_events
from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirModifiedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    generate_sub_moved_events,
)
from watchdog.observers.api import ObservedWatch

from gamin.compat.spelling import Spelling
from gamin.events import Detail, Event, Kind

# Before 7.0 a change of attributes was a modification.
_FILE_ATTRIB: type[FileSystemEvent] = getattr(
    watchdog_events, "FileAttribEvent", FileModifiedEvent
)
_DIR_ATTRIB: type[FileSystemEvent] = getattr(
    watchdog_events, "DirAttribEvent", DirModifiedEvent
)
_CHANGED = Detail.CONTENT | Detail.CLOSED
"""What counts as having happened to a file of which nobody knows: handlers that wait
for one of both must not wait for ever."""


class Translation:
    """The events of one watch of watchdog."""

    def __init__(self, watch: ObservedWatch) -> None:
        path = os.fsdecode(watch.path)
        self._watch = watch
        self._spelling = Spelling([(path, path)])
        self._arrived: list[str] = []
        """Directories that came by a rename; what is in them follows."""

    def events(self, batch: Iterable[Event]) -> Iterator[FileSystemEvent]:
        """The events to queue for a batch of the service."""
        self._arrived.clear()
        for event in batch:
            kind = event.kind
            if kind is Kind.CREATED:
                yield from self._created(event)
            elif kind is Kind.DELETED:
                cls = DirDeletedEvent if event.is_dir else FileDeletedEvent
                yield self._make(cls, event, event.path)
                yield from self._parents(event, event.path)
            elif kind is Kind.MOVED:
                yield from self._moved(event)
            else:
                yield from self._changed(event)

    def is_end(self, event: FileSystemEvent) -> bool:
        """Whether the watched directory itself is gone."""
        return isinstance(event, DirDeletedEvent) and event.src_path == self._watch.path

    def _created(self, event: Event) -> Iterator[FileSystemEvent]:
        path, details = event.path, event.details
        cls: type[FileSystemEvent]
        cls = DirCreatedEvent if event.is_dir else FileCreatedEvent
        if details is None and path.startswith(tuple(self._arrived)):
            yield cls(self._spelled(path), is_synthetic=True)
            return
        yield self._make(cls, event, path)
        yield from self._parents(event, path)
        if event.is_dir:
            if details is not None and Detail.RENAMED in details:
                self._arrived.append(path + "/")
        elif details is None and _has_content(path):
            yield from self._content(event, _CHANGED)
        elif details is not None:
            yield from self._content(event, details)

    def _changed(self, event: Event) -> Iterator[FileSystemEvent]:
        details = _CHANGED if event.details is None else event.details
        if not event.is_dir:
            yield from self._content(event, details or Detail.CONTENT)
        elif Detail.ATTRIBUTES in details:
            attrib = self._make(_DIR_ATTRIB, event, event.path)
            yield attrib
            if self._watch.is_recursive and attrib.src_path != self._watch.path:
                yield attrib  # once from the directory, once from its parent
        else:
            yield self._make(DirModifiedEvent, event, event.path)

    def _content(self, event: Event, details: Detail) -> Iterator[FileSystemEvent]:
        """What happened to the file beside its creation, in the usual order."""
        path = event.path
        if details & (Detail.CONTENT | Detail.RENAMED) and not (
            event.kind is Kind.CREATED and Detail.RENAMED in details
        ):
            yield self._make(FileModifiedEvent, event, path)
        if Detail.ATTRIBUTES in details:
            yield self._make(_FILE_ATTRIB, event, path)
        if Detail.CLOSED in details:
            yield self._make(FileClosedEvent, event, path)
            yield from self._parents(event, path)

    def _moved(self, event: Event) -> Iterator[FileSystemEvent]:
        assert event.dest is not None, "a rename has both paths"
        cls: type[FileSystemEvent] = DirMovedEvent if event.is_dir else FileMovedEvent
        source, target = self._spelled(event.path), self._spelled(event.dest)
        yield cls(source, target, is_synthetic=event.recovered)
        yield from self._parents(event, event.path, event.dest)
        if event.is_dir and self._watch.is_recursive:
            yield from generate_sub_moved_events(source, target)

    def _make(
        self, cls: type[FileSystemEvent], event: Event, path: str
    ) -> FileSystemEvent:
        return cls(self._spelled(path), is_synthetic=event.recovered)

    def _parents(self, event: Event, *paths: str) -> Iterator[FileSystemEvent]:
        """The directories changed that the entries are in."""
        for path in paths:
            spelled = self._spelled(path)
            if spelled != self._watch.path:
                parent = os.path.dirname(spelled)
                yield DirModifiedEvent(parent, is_synthetic=event.recovered)

    def _spelled(self, path: str) -> str | bytes:
        spelled = self._spelling.of(path)
        return os.fsencode(spelled) if isinstance(self._watch.path, bytes) else spelled


def _has_content(path: str) -> bool:
    try:
        status = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_size > 0

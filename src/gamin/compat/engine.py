"""The engine of watchfiles over the service: it replaces the class in Rust.

watchfiles has one such class, `watchfiles._rust_notify.RustNotify`. Everything above it
(filters, `Change`, commands, `run_process`) stays that of the installed library.
"""

import os
import re
import time
from collections.abc import Callable, Sequence
from typing import Any, Literal, Self

from gamin.client.arguments import absolute
from gamin.client.driver import StopEvent
from gamin.client.pausing import pause
from gamin.client.watch import Watch, watch
from gamin.compat import settings
from gamin.compat.changed_files import Beginning
from gamin.compat.spelling import Spelling
from gamin.errors import GaminError
from gamin.events import Detail, Event, Kind

ADDED, MODIFIED, DELETED = 1, 2, 3
"""The values of `watchfiles.Change`."""

STOP_EVENT_INTERVAL = 0.05
"""Seconds between two checks of a stop event, as in the library's own engine."""

RawChanges = set[tuple[int, str]]
Outcome = RawChanges | Literal["signal", "stop", "timeout"]


class Engine:
    """`RustNotify`, as far as watchfiles and its users call it.

    Watching has begun when the constructor returns.
    """

    def __init__(
        self,
        watch_paths: Sequence[str],
        *,
        recursive: bool = True,
        ignore_permission_denied: bool = True,
        ignore: Sequence[str] = (),
        substitute: Callable[[Exception], Any] | None = None,
    ) -> None:
        """`substitute` makes the engine that goes on if the server is lost for good.

        Raises FileNotFoundError for a path that is missing, PermissionError for one
        that may not be read, also below it, and GaminError.
        """
        self._watch: Watch | None = None
        self._substitute = substitute
        self._own: Any = None
        self._paths = [os.fspath(path) for path in watch_paths]
        _check(self._paths, lenient=ignore_permission_denied)
        directory = os.getcwd()
        roots = [(path, os.path.join(directory, path)) for path in self._paths]
        # A name is appended to the path as it was given, but not to "dir//".
        roots = [(path, spelled.rstrip("/") or "/") for path, spelled in roots]
        self._spelling = Spelling(roots)
        paths = [absolute(path) for path in self._paths]
        self._early: RawChanges = set()
        beginning = Beginning()
        if self._paths:
            # On a mount that does not answer this waits until it does, and can be
            # interrupted. The library's own engine hangs in the kernel then.
            self._watch = watch(
                *dict.fromkeys(paths),
                recursive=recursive,
                cross_mounts=True,
                follow_symlinks=True,
                details=True,
                flow_control=False,
                unreadable=not ignore_permission_denied,
                ignore=[_escaped(name) for name in ignore],
                vcs_ignore=settings.vcs_ignore(),
            )
            self._check_rights(ignore_permission_denied)
        for is_new, path in beginning.changes(
            paths, recursive=recursive, skip=frozenset(ignore)
        ):
            self._early.add((ADDED if is_new else MODIFIED, self._spelling.of(path)))

    def _check_rights(self, lenient: bool) -> None:
        watching = self._watch
        unreadable = [] if lenient or watching is None else watching.unreadable
        if unreadable:
            self.close()
            path = self._spelling.of(unreadable[0])
            raise PermissionError(f'Permission denied (os error 13) about ["{path}"]')

    def watch(
        self,
        debounce_ms: int,
        step_ms: int,
        timeout_ms: int,
        stop_event: StopEvent | None,
    ) -> Outcome:
        """Wait for changes; group what comes within `step_ms` of each other.

        Returns a set of changes once nothing came for `step_ms`, or `debounce_ms`
        after the first; or 'timeout', 'stop', or 'signal' for a KeyboardInterrupt.

        Raises RuntimeError after `close`, and when the server is lost for good, or the
        one that replaces it refuses the watch, and there is no substitute.
        """
        if self._own is not None:
            return self._own.watch(debounce_ms, step_ms, timeout_ms, stop_event)  # type: ignore[no-any-return]  # theirs
        if self._watch is None and self._paths:
            raise RuntimeError("RustNotify watcher closed")
        try:
            return self._wait(debounce_ms, step_ms, timeout_ms, stop_event)
        except KeyboardInterrupt:
            return "signal"
        except GaminError as error:  # lost for good, or another one refuses the watch
            if self._substitute is None:
                raise RuntimeError(str(error)) from error
            self.close()
            self._own = self._substitute(error)
            return self.watch(debounce_ms, step_ms, timeout_ms, stop_event)

    def close(self) -> None:
        """End watching. May be repeated."""
        watching, self._watch = self._watch, None
        if watching is not None:
            watching.close()
        if self._own is not None:
            self._own.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        # The library's own engine is ended by its deletion, without a warning.
        if getattr(self, "_watch", None) is not None:
            self.close()

    def __repr__(self) -> str:
        if self._watch is None:
            return "RustNotify(None)"
        return f"RustNotify(Recommended(\n    {self._watch!r},\n))"

    def _wait(
        self,
        debounce_ms: int,
        step_ms: int,
        timeout_ms: int,
        stop_event: StopEvent | None,
    ) -> Outcome:
        changes, self._early = self._early, set()
        deadline = time.monotonic() + timeout_ms / 1000 if timeout_ms else None
        while not changes:
            if stop_event is not None and stop_event.is_set():
                return "stop"
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return "timeout"
            if stop_event is not None:
                left = STOP_EVENT_INTERVAL if left is None else left
                left = min(left, STOP_EVENT_INTERVAL)
            self._add(changes, self._next(left))
        # Whatever comes from now on is grouped with the first one.
        until = time.monotonic() + debounce_ms / 1000
        while (left := until - time.monotonic()) > 0:
            batch = self._next(min(left, step_ms / 1000))
            if batch is None:
                break
            self._add(changes, batch)
        if stop_event is not None and stop_event.is_set():
            return "stop"
        return changes

    def _next(self, seconds: float | None) -> list[Event] | None:
        watching = self._watch
        if watching is None:
            if self._paths:
                raise RuntimeError("RustNotify watcher closed")
            pause(STOP_EVENT_INTERVAL if seconds is None else seconds)
            return None  # no path at all: nothing ever changes
        batch = watching.next(seconds)
        if batch is None and watching.closed:
            raise RuntimeError("RustNotify watcher closed")
        return batch

    def _add(self, changes: RawChanges, batch: list[Event] | None) -> None:
        spelled = self._spelling.of
        for event in batch or ():
            path = spelled(event.path)
            if event.kind is Kind.MOVED:
                changes.add((DELETED, path))
                assert event.dest is not None, "a rename has both paths"
                changes.add((ADDED, spelled(event.dest)))
            elif event.kind is Kind.DELETED:
                changes.add((DELETED, path))
            elif event.kind is Kind.CREATED:
                changes.discard((MODIFIED, path))
                changes.add((ADDED, path))
            elif (ADDED, path) not in changes and event.details != Detail.CLOSED:
                changes.add((MODIFIED, path))


def _check(paths: Sequence[str], *, lenient: bool) -> None:
    for path in paths:
        if not os.path.exists(path):
            reason = "No such file or directory"
            raise FileNotFoundError(f'{reason} (os error 2) about ["{path}"]')
        if not lenient and not os.access(path, os.R_OK):
            raise PermissionError(f'Permission denied (os error 13) about ["{path}"]')


def _escaped(name: str) -> str:
    """The line of a .gitignore that means just this name, at any depth."""
    return re.sub(r"[\\*?\[\]!# ]", r"\\\g<0>", name)

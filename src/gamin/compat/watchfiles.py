"""The interface of watchfiles over the service; needs no watchfiles.

    from gamin.compat.watchfiles import watch, awatch, Change, DefaultFilter

Change the import line, and nothing else. `run_process` and `arun_process` are not
here: with watchfiles installed, `gamin.compat.install("watchfiles")` gives them this
engine.
"""

import logging
import re
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from enum import IntEnum
from functools import partial
from os import PathLike
from typing import Any

from gamin.client.driver import Call, StopEvent
from gamin.compat.engine import Engine, Outcome
from gamin.compat.filters import pruned_names

__all__ = [
    "BaseFilter",
    "Change",
    "DefaultFilter",
    "FileChange",
    "PythonFilter",
    "awatch",
    "watch",
]

logger: logging.Logger = logging.getLogger("watchfiles.main")
"""Programs silence the library by the name of its logger, so it is the same."""


class Change(IntEnum):
    """What happened to a path. Equal to the members of `watchfiles.Change`."""

    added = 1
    modified = 2
    deleted = 3

    def raw_str(self) -> str:
        """The name of the member."""
        return self.name


FileChange = tuple[Change, str]
"""A change and its path: what the sets that are yielded contain."""
Filter = Callable[[Change, str], bool]
AnyPath = str | PathLike[str]


class BaseFilter:
    """Drops changes by the names in a path; subclasses set the attributes.

    A change is dropped if any name of its absolute path is in `ignore_dirs`, if a
    regular expression of `ignore_entity_patterns` is found in its last name, or if
    the path begins with one of `ignore_paths`.
    """

    ignore_dirs: Sequence[str] = ()
    ignore_entity_patterns: Sequence[str] = ()
    ignore_paths: Sequence[AnyPath] = ()

    def __init__(self) -> None:
        self._ignore_dirs = set(self.ignore_dirs)
        self._ignore_entities = [
            re.compile(each) for each in self.ignore_entity_patterns
        ]
        self._ignore_paths = tuple(str(path) for path in self.ignore_paths)

    def __call__(self, change: Change, path: str) -> bool:
        """Whether to keep the change."""
        names = path.lstrip("/").split("/")
        return not (
            any(name in self._ignore_dirs for name in names)
            or any(pattern.search(names[-1]) for pattern in self._ignore_entities)
            or path.startswith(self._ignore_paths)
        )


class DefaultFilter(BaseFilter):
    """Drops what is seldom meant: caches, version control, files of editors."""

    # fmt: off
    ignore_dirs: Sequence[str] = (
        "__pycache__", ".git", ".hg", ".svn", ".tox", ".venv", ".idea", "node_modules",
        ".mypy_cache", ".pytest_cache", ".hypothesis",
    )
    ignore_entity_patterns: Sequence[str] = (
        r"\.py[cod]$", r"\.___jb_...___$", r"\.sw.$", "~$", r"^\.\#", r"^\.DS_Store$",
        r"^flycheck_",
    )
    # fmt: on

    def __init__(
        self,
        *,
        ignore_dirs: Sequence[str] | None = None,
        ignore_entity_patterns: Sequence[str] | None = None,
        ignore_paths: Sequence[AnyPath] | None = None,
    ) -> None:
        """Each argument replaces the class's own list; None keeps it."""
        if ignore_dirs is not None:
            self.ignore_dirs = ignore_dirs
        if ignore_entity_patterns is not None:
            self.ignore_entity_patterns = ignore_entity_patterns
        if ignore_paths is not None:
            self.ignore_paths = ignore_paths
        super().__init__()


class PythonFilter(DefaultFilter):
    """Keeps Python files only: .py, .pyx, .pyd and `extra_extensions`."""

    def __init__(
        self,
        *,
        ignore_paths: Sequence[AnyPath] | None = None,
        extra_extensions: Sequence[str] = (),
    ) -> None:
        self.extensions: tuple[str, ...] = (".py", ".pyx", ".pyd", *extra_extensions)
        super().__init__(ignore_paths=ignore_paths)

    def __call__(self, change: Change, path: str) -> bool:
        """Whether to keep the change."""
        return path.endswith(self.extensions) and super().__call__(change, path)


_DEFAULT = DefaultFilter()


def watch(
    *paths: AnyPath,
    watch_filter: Filter | None = _DEFAULT,
    debounce: int = 1_600,
    step: int = 50,
    stop_event: StopEvent | None = None,
    rust_timeout: int = 5_000,
    yield_on_timeout: bool = False,
    raise_interrupt: bool = True,
    recursive: bool = True,
    ignore_permission_denied: bool | None = None,
    **_unused: Any,
) -> Generator[set[FileChange], None, None]:
    """Yield sets of changes; see watchfiles' documentation of `watch`.

    `debug`, `force_polling` and `poll_delay_ms` are accepted and have no effect: the
    server polls by itself where notifications do not work.
    """
    with _open(paths, watch_filter, recursive, ignore_permission_denied) as engine:
        while True:
            outcome = engine.watch(debounce, step, rust_timeout, stop_event)
            if outcome == "signal":
                if raise_interrupt:
                    raise KeyboardInterrupt
                logger.warning("KeyboardInterrupt caught, stopping watch")
                return
            if outcome == "stop":
                return
            changes = _changes(outcome, watch_filter)
            if changes or (outcome == "timeout" and yield_on_timeout):
                yield changes


async def awatch(
    *paths: AnyPath,
    watch_filter: Filter | None = _DEFAULT,
    debounce: int = 1_600,
    step: int = 50,
    stop_event: StopEvent | None = None,
    rust_timeout: int | None = None,
    yield_on_timeout: bool = False,
    recursive: bool = True,
    ignore_permission_denied: bool | None = None,
    **_unused: Any,
) -> AsyncGenerator[set[FileChange], None]:
    """Yield sets of changes under asyncio; see watchfiles' documentation of `awatch`.

    A thread waits, as in the library. `stop_event` is any object with `is_set()`,
    that of `threading` as well.
    """
    import asyncio
    import threading

    from gamin.client.asyncio_library import AsyncioLibrary

    cancelled = threading.Event()

    class Stop:
        def is_set(self) -> bool:
            given = stop_event is not None and stop_event.is_set()
            return cancelled.is_set() or given

    timeout = 5_000 if rust_timeout is None else rust_timeout
    opening = partial(_open, paths, watch_filter, recursive, ignore_permission_denied)
    engine = await AsyncioLibrary().call(Call(opening, discard=Engine.close))
    try:
        while True:
            waiting = asyncio.ensure_future(
                asyncio.to_thread(engine.watch, debounce, step, timeout, Stop())
            )
            try:
                outcome = await asyncio.shield(waiting)
            except BaseException:
                cancelled.set()
                await asyncio.wait([waiting])
                raise
            if outcome == "stop":
                return
            changes = _changes(outcome, watch_filter)
            if changes or (outcome == "timeout" and yield_on_timeout):
                yield changes
    finally:
        engine.close()


def _open(
    paths: Sequence[AnyPath],
    watch_filter: Filter | None,
    recursive: bool,
    ignore_permission_denied: bool | None,
) -> Engine:
    return Engine(
        [str(path) for path in paths],
        recursive=recursive,
        ignore_permission_denied=bool(ignore_permission_denied),
        ignore=pruned_names(watch_filter),
    )


def _changes(outcome: Outcome, watch_filter: Filter | None) -> set[FileChange]:
    """The changes that the filter keeps; none if the outcome is not a set."""
    if isinstance(outcome, str):
        return set()
    changes = {(Change(kind), path) for kind, path in outcome}
    if watch_filter is not None:
        changes = {each for each in changes if watch_filter(*each)}
    if changes:
        logger.info("%d change%s detected", len(changes), "s"[: len(changes) > 1])
    return changes

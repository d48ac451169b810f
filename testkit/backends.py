"""The backends under the backend contract, and how a test drains them."""

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from gamin.backends.combined import CombinedBackend
from gamin.backends.fanotify import FanotifyBackend
from gamin.backends.inotify import InotifyBackend
from gamin.backends.polling import PollingBackend
from gamin.events import (
    ATTRIB,
    CLOSE_WRITE,
    CREATE,
    DELETE,
    IGNORED,
    IS_DIR,
    MODIFY,
    MOVED_FROM,
    MOVED_TO,
    Change,
)

NAMES = CREATE | DELETE | MOVED_FROM | MOVED_TO
DETAILS = MODIFY | CLOSE_WRITE | ATTRIB
ALL = NAMES | DETAILS

FEW = 6
"""A quota of watches: enough for the ancestors, and for some of the directories."""
INOTIFY_QUOTA = "max_inotify_watches"
FANOTIFY_QUOTA = "max_fanotify_marks"

_WORDS = (
    (CREATE | MOVED_TO, "created"),
    (DELETE | MOVED_FROM, "deleted"),
    (MODIFY | CLOSE_WRITE, "written"),
    (ATTRIB, "attributes"),
    (IGNORED, "ignored"),
)


class Directory:
    """A node whose path the test sets."""

    def __init__(self, path: os.PathLike[str]) -> None:
        self.wd = self.wd_poll = -1
        self.place = os.fsencode(path)

    def path(self) -> bytes:
        return self.place

    @property
    def is_watched(self) -> bool:
        return max(self.wd, self.wd_poll) >= 0


class Way(NamedTuple):
    """One backend under test."""

    name: str
    open: Callable[[], Any]
    pairs_renames: bool
    quotas: tuple[str, ...] = ()
    """The files of /proc/sys/user that limit it."""

    def seen(self, backend: Any) -> Sequence[Change]:
        """The changes of everything that happened before this call."""
        changes = drain(backend)
        while (more := drain(backend)) or getattr(backend, "has_pending", False):
            changes += more
        return changes

    def __repr__(self) -> str:
        return self.name


def drain(backend: Any) -> list[Change]:
    """One drain, with changes that have fields."""
    return [Change(*change) for change in backend.drain()]


def available() -> Iterator[Way]:
    """The backends that this kernel grants; polling is always among them."""
    yield Way("polling", PollingNow, False)
    for name, opens, quotas in (
        ("inotify", InotifyBackend, (INOTIFY_QUOTA,)),
        ("fanotify", FanotifyBackend, (FANOTIFY_QUOTA,)),
        ("both", both, (INOTIFY_QUOTA, FANOTIFY_QUOTA)),
        ("in turns", in_turns, (INOTIFY_QUOTA, FANOTIFY_QUOTA)),
    ):
        try:
            opens().close()
        except OSError:
            continue
        yield Way(name, opens, True, quotas)


class PollingNow(PollingBackend):
    """A polling backend that can be drained like a kernel backend: each drain is the
    next round."""

    def drain(self) -> Sequence[Change]:
        deadline = self.deadline()
        return () if deadline is None else self.due(deadline)

    def close(self) -> None:
        """Nothing was opened."""


def both() -> CombinedBackend:
    backend = CombinedBackend()
    backend.open_one()
    return backend


def in_turns() -> CombinedBackend:
    """A combined backend with room for so few inotify watches that fanotify has most of
    the directories; parents and subdirectories are often in different facilities."""
    backend = CombinedBackend(lambda: InotifyBackend(most=FEW))
    backend.open_one()
    FanotifyBackend().close()
    return backend


def story(changes: Sequence[Change], node: Directory | None = None) -> list[str]:
    """The changes in words, without what only one kind of backend can know.

    A trailing slash marks a directory; equal changes in a row count once.
    """
    lines: list[str] = []
    for change in changes:
        if node is not None and change.node is not node:
            continue
        slash = "/" if change.mask & IS_DIR else ""
        for bits, word in _WORDS:
            line = f"{word} {os.fsdecode(change.name)}{slash}".strip()
            if change.mask & bits and lines[-1:] != [line]:
                lines.append(line)
    return lines

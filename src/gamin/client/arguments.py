"""The arguments of `watch()` and `awatch()`: paths, patterns, and the time-out."""

import os
from collections.abc import Iterable

from gamin.errors import GaminError, InvalidPath
from gamin.protocol.watchman.client.watched_path import WatchOptions
from gamin.protocol.watchman.client.watching import Batch, NeedsStat, Watching

AnyPath = str | bytes | os.PathLike[str] | os.PathLike[bytes]

MAX_PATH_BYTES = 4095  # bytes: PATH_MAX on Linux without the NUL that ends it


class WatchTimeout(GaminError, TimeoutError):
    """Nothing happened for `seconds`; the next call continues the watch."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds

    def __str__(self) -> str:
        return f"nothing happened for {self.seconds:g} s"


def make_session(
    paths: Iterable[AnyPath], options: WatchOptions, since: str | None
) -> Watching:
    """Return the session of a watch.

    Raises InvalidPath, and ValueError for no path or a `since` of other paths.
    """
    absolute_paths = [absolute(path) for path in paths]
    if not absolute_paths:
        raise ValueError("no path to watch")
    return Watching(absolute_paths, options, since)


def as_patterns(ignore: Iterable[str]) -> tuple[str, ...]:
    """Return the patterns. One `str` is one pattern, not a sequence of letters."""
    return (ignore,) if isinstance(ignore, str) else tuple(ignore)


def absolute(path: AnyPath) -> str:
    """Return the absolute path, without dots. Raises InvalidPath.

    Only `..` reads the disk: the parent of a link's target is not that of its name.
    """
    name = os.fsencode(path)
    if not name:
        raise InvalidPath(name, "it is empty")
    if b"\0" in name:
        raise InvalidPath(name, "it contains NUL")
    dotted = b".." in name.split(b"/")
    found = os.path.realpath(name) if dotted else os.path.abspath(name)
    if len(found) > MAX_PATH_BYTES:
        raise InvalidPath(name, f"it is longer than {MAX_PATH_BYTES} bytes")
    # POSIX lets two leading slashes mean something else; Linux does not.
    return os.fsdecode(b"/" + found.lstrip(b"/"))


def resolve_stat(batch: NeedsStat) -> Batch:
    """Complete a batch with the files that changed, by reading the ctime of each."""
    # Imported late: it comes with the other language, and servers seldom die.
    from gamin.client.ctime_check import newer

    return batch.batch(newer(batch.files, batch.folders, batch.since_ns))

"""The file that `gamin record` writes and `gamin report` reads.

JSON lines: a header with `gamin_recording`, `paths` and `started`, then an object per
change with the members of `gamin watch --json` but the clock, and `time`, in seconds
since 1970. A file that ends in .gz or .zst is compressed.
"""

import io
import json
from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import IO, Any, BinaryIO, NamedTuple, cast

from gamin.errors import GaminError
from gamin.events import Event, Kind

VERSION = 1


class Unusable(GaminError):
    """A recording that cannot be written or read."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"cannot use {self.path!r}: {self.reason}"


class Recorded(NamedTuple):
    """One change and when it was reported, in seconds since 1970."""

    time: float
    event: Event


class Recording(NamedTuple):
    """Everything in a file."""

    paths: list[str]
    """The watched paths."""
    started: float
    """Seconds since 1970."""
    changes: list[Recorded]
    damaged: int
    """Lines that could not be read; the last one, if the writer was killed."""


def open_new(path: str, *, replace: bool) -> BinaryIO:
    """Open a recording for writing. Raises Unusable."""
    mode = "wb" if replace else "xb"
    try:
        if path.endswith(".gz"):
            return cast(BinaryIO, import_module("gzip").open(path, mode))
        if path.endswith(".zst"):
            return cast(BinaryIO, _zstandard(path).open(path, mode))
        return cast(BinaryIO, open(path, mode))
    except FileExistsError:
        raise Unusable(path, "it exists (--force replaces it)") from None
    except (OSError, ValueError) as error:
        raise Unusable(path, getattr(error, "strerror", None) or str(error)) from error


def header(paths: Iterable[str], started: float) -> bytes:
    members = {"gamin_recording": VERSION, "paths": list(paths), "started": started}
    return json.dumps(members).encode() + b"\n"


def lines(batch: Iterable[Event], time: float) -> bytes:
    """The lines for a batch that was reported at `time`."""
    return b"".join(_line(event, time) for event in batch)


def _line(event: Event, time: float) -> bytes:
    members: dict[str, object] = {
        "time": round(time, 3),
        "kind": event.kind.value,
        "path": event.path,
    }
    if event.dest is not None:
        members["dest"] = event.dest
    members["is_dir"] = event.is_dir
    if event.recovered:
        members["recovered"] = True
    return json.dumps(members).encode() + b"\n"


def read(path: str) -> Recording:
    """Read a whole recording. Raises Unusable if it is none."""
    try:
        with _open(path) as file:
            return parse(path, _until_damage(file))
    except (OSError, ValueError) as error:
        raise Unusable(path, getattr(error, "strerror", None) or str(error)) from error


def _open(path: str) -> IO[bytes]:
    if path.endswith(".gz"):
        return cast(IO[bytes], import_module("gzip").open(path, "rb"))
    if path.endswith(".zst"):
        # Buffered, because the package's readers do not split lines.
        return io.BufferedReader(_zstandard(path).open(path, "rb"))
    return open(path, "rb")


def _zstandard(path: str) -> Any:
    """The module for .zst: Python's own (3.14), or the package zstandard."""
    for name in ("compression.zstd", "zstandard"):
        try:
            return import_module(name)
        except ImportError:
            continue
    raise Unusable(path, "for .zst, install the package zstandard; or use .gz")


def _until_damage(file: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of a file, as far as a compressed one can be read.

    The end is missing if the recording was killed.
    """
    lines = iter(file)
    while True:
        try:
            line = next(lines)
        except StopIteration:
            return
        except EOFError:
            yield b"the compressed data ends early\n"
            return
        yield line


def parse(path: str, lines: Iterable[bytes]) -> Recording:
    """Understand the lines of a recording. Raises Unusable without a header."""
    found = iter(lines)
    head = _object(next(found, b""))
    paths, started = head.get("paths"), head.get("started")
    is_list = isinstance(paths, list) and all(isinstance(each, str) for each in paths)
    if head.get("gamin_recording") != VERSION or not is_list or not _is_time(started):
        raise Unusable(path, "it is not a recording of `gamin record`")
    changes: list[Recorded] = []
    damaged = 0
    for line in found:
        change = _change(_object(line))
        if change is None:
            damaged += 1
        else:
            changes.append(change)
    return Recording(cast(list[str], paths), cast(float, started), changes, damaged)


def _object(line: bytes) -> dict[str, Any]:
    """The JSON object in a line; empty if there is none."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _change(members: dict[str, Any]) -> Recorded | None:
    match members:
        case {"time": time, "kind": str(kind), "path": str(path)} if _is_time(time):
            dest = members.get("dest")
            if kind not in set(Kind) or not isinstance(dest, str | None):
                return None
            is_dir = members.get("is_dir") is True
            recovered = members.get("recovered") is True
            return Recorded(time, Event(Kind(kind), path, dest, is_dir, recovered))
    return None


def _is_time(value: object) -> bool:
    """Whether it is a time that the calendar of Python can show."""
    return type(value) in (int, float) and 0 <= cast(float, value) < 1e11

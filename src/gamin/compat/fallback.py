"""The warning that a library uses its own engine. It names the line of the program.

The line is where the program began to watch: the library calls us, and often from a
thread of its own, so no fixed number of frames leads there.
"""

import sys
import warnings
from types import FrameType
from typing import NamedTuple

NO_PROGRAM = frozenset({"gamin", "watchfiles", "watchdog", "importlib", "threading"})
"""Packages whose frames are not the program's."""

_warned: set[str] = set()


class Line(NamedTuple):
    """A line of a program."""

    file: str
    number: int
    module: str


def calling_line() -> Line | None:
    """The line of the program that led here; None if no program did."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        module = str(frame.f_globals.get("__name__"))
        if module.partition(".")[0] not in NO_PROGRAM:
            return Line(frame.f_code.co_filename, frame.f_lineno, module)
        frame = frame.f_back
    return None


def warn_once(library: str, reason: object, line: Line | None = None) -> None:
    """Warn that the library uses its own engine; once for each library.

    `line` is where the program began to watch, by default what led here.
    """
    if library in _warned:
        return
    _warned.add(library)
    message = f"{library} watches files by itself, without gamin: {reason}"
    line = line or calling_line()
    if line is None:
        warnings.warn(message, RuntimeWarning, stacklevel=2)
    else:
        warnings.warn_explicit(message, RuntimeWarning, *line)

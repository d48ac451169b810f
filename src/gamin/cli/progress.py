"""The line on standard error while a large tree is set up."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

FIRST_SECONDS = 0.3
"""How long a set-up takes before the line appears."""

REPEAT_SECONDS = 0.3
"""Seconds between two figures."""

_ERASE = "\r\x1b[K"


@contextmanager
def progress(
    stream: TextIO | None,
    *,
    enabled: bool = True,
    count: Callable[[], int | None] | None = None,
    first_seconds: float = FIRST_SECONDS,
) -> Iterator[None]:
    """Show on a terminal how many directories are watched, until the end of the block.

    `count` returns that number, or None if it is not known; else the server is asked.
    """
    if stream is None or not enabled or not stream.isatty():
        yield
        return
    done = threading.Event()
    arguments = (stream, done, count or watched_directories, first_seconds)
    thread = threading.Thread(target=_show, args=arguments, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _show(
    stream: TextIO,
    done: threading.Event,
    count: Callable[[], int | None],
    first_seconds: float,
) -> None:
    if done.wait(first_seconds):
        return
    while True:
        number = count()
        text = "" if number is None else f": {number:,} directories so far"
        print(f"{_ERASE}Setting up{text} …", end="", file=stream, flush=True)
        if done.wait(REPEAT_SECONDS):
            break
    print(_ERASE, end="", file=stream, flush=True)


def watched_directories() -> int | None:
    """How many directories the server of the session watches."""
    from gamin.cli.control import dial
    from gamin.cli.status import QUESTION, read
    from gamin.errors import GaminError

    try:
        with dial(timeout=1.0) as connection:
            report = read(connection.ask(QUESTION).get("status"))
    except GaminError:
        return None
    return max(report.watches.kernel, report.watches.polled)

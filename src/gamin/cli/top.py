"""`gamin top`: shows what the server of the session does, once a second."""

import argparse
import importlib.util
import os
import re
import select
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from gamin.cli.control import ControlConnection, NoReply, NotRunning, dial
from gamin.cli.options import seconds
from gamin.cli.status import QUESTION, read
from gamin.cli.top_model import Figures, Keys, Sample
from gamin.errors import GaminError
from gamin.system.process_table import usage_of

if TYPE_CHECKING:
    from gamin.cli.change_feed import ChangeFeed

INTERVAL = 1.0
"""Seconds between two questions to the server."""

INTERVAL_PER_ANSWER = 100
"""The interval is at least so many times as long as an answer took: counting the
watches of a large tree costs the server time, and this keeps it below one percent."""

MAX_INTERVAL = 5.0
"""Seconds: an answer can be late because the server is busy with changes."""

MIN_INTERVAL = 0.2
"""The shortest --interval: each question costs the server a look at all its watches."""

ONCE_WIDTH, ONCE_HEIGHT = 80, 24
"""The frame of --once if the output is no terminal."""


class MissingPackage(GaminError):
    """The package that draws in the terminal is not installed."""

    def __str__(self) -> str:
        return "gamin top needs the package rich (pip install 'gamin[top]')"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Show what the server of the session (GAM_CLIENT_ID) does, for which clients,\n"
        "and how much of its limits it uses; with PATHs also the busiest paths there.\n"
        "Keys: q quits, p pauses, s sorts the clients, / filters them."
    )
    parser.epilog = (
        "examples:\n"
        "  gamin top\n"
        "  gamin top ~/src               also the busiest paths in ~/src\n"
        "  gamin top --once              print one frame\n"
        "\n"
        "exit status: 0, 1 no server is running or it failed, 64 wrong usage"
    )
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="show the busiest paths here and below; all of them are watched",
    )
    parser.add_argument(
        "--interval",
        type=_interval,
        default=INTERVAL,
        metavar="SECONDS",
        help="the time between two frames (default: 1)",
    )
    parser.add_argument(
        "--once", action="store_true", help="print one frame, after one interval"
    )
    parser.add_argument(
        "--svg", metavar="FILE", help="with --once: write the frame as a picture"
    )
    parser.set_defaults(refuse=parser.error)


def run(args: argparse.Namespace) -> int:
    if args.svg and not args.once:
        args.refuse("--svg needs --once")
    if not args.once and not sys.stdout.isatty():
        args.refuse("the output is no terminal; --once prints one frame")
    if importlib.util.find_spec("rich") is None:
        raise MissingPackage
    source = Source()
    try:
        with _feed(args.paths) as feed:
            source.sample()  # raises if there is no server
            if args.once:
                return _print_once(source, feed, args)
            return _run_live(source, feed, args.interval)
    finally:
        source.close()


class Source:
    """Asks the server on one connection, and again after its end."""

    def __init__(self) -> None:
        self._connection: ControlConnection | None = None

    def sample(self) -> Sample:
        """Raises NotRunning, NoReply and what `dial` does."""
        if self._connection is None:
            self._connection = dial()
        try:
            report = read(self._connection.ask(QUESTION).get("status"))
        except NoReply:
            self.close()
            raise
        usage = usage_of(report.pid)
        return Sample(time.monotonic(), report, usage.cpu_seconds, usage.memory)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


@contextmanager
def _feed(paths: list[str]) -> "Iterator[ChangeFeed | None]":
    """The changes at the paths; None without paths."""
    if not paths:
        yield None
        return
    import gamin
    from gamin.cli.change_feed import ChangeFeed
    from gamin.cli.progress import progress

    with progress(sys.stderr):
        watch = gamin.watch(*paths)
    with watch:
        feed = ChangeFeed(watch)
        try:
            yield feed
        finally:
            watch.close()
            feed.join()


def _print_once(
    source: Source, feed: "ChangeFeed | None", args: argparse.Namespace
) -> int:
    from rich.console import Console

    from gamin.cli.top_view import frame

    figures = Figures()
    figures.add(source.sample())
    time.sleep(args.interval)
    _count(figures, feed)
    figures.add(source.sample())
    if args.svg:
        with open(os.devnull, "w") as nowhere:
            console = Console(
                file=nowhere, record=True, width=ONCE_WIDTH, force_terminal=True
            )
            console.print(frame(figures, Keys(), ONCE_WIDTH, ONCE_HEIGHT))
        picture = console.export_svg(title="gamin top")
        with open(args.svg, "w", encoding="utf-8") as file:
            # The fonts of the template would be loaded from the network.
            file.write(re.sub(r"@font-face\s*{[^}]*}", "", picture))
        return 0
    is_terminal = sys.stdout.isatty()
    console = Console() if is_terminal else Console(width=ONCE_WIDTH)
    height = console.height - 1 if is_terminal else ONCE_HEIGHT
    console.print(frame(figures, Keys(), console.width, height))
    return 0


def _count(figures: Figures, feed: "ChangeFeed | None") -> None:
    if feed is not None:
        figures.count(feed.take())


def _run_live(source: Source, feed: "ChangeFeed | None", interval: float) -> int:
    from rich.console import Console
    from rich.live import Live

    from gamin.cli.top_view import frame

    console = Console()
    figures, keys = Figures(), Keys()
    next_sample = time.monotonic()
    with (
        _keyboard(sys.stdin) as keyboard,
        Live(console=console, screen=True, auto_refresh=False) as live,
    ):
        while not keys.is_over:
            now = time.monotonic()
            if now >= next_sample:
                if not keys.is_paused:
                    _sample(figures, source, feed)
                took = time.monotonic() - now
                next_sample = now + next_interval(interval, took)
            live.update(
                frame(figures, keys, console.width, console.height), refresh=True
            )
            for key in keyboard(max(0.0, next_sample - time.monotonic())):
                keys = keys.press(key)
    return 0


def next_interval(interval: float, answer_seconds: float) -> float:
    """Seconds until the next question, after an answer that took so long."""
    return max(interval, min(MAX_INTERVAL, INTERVAL_PER_ANSWER * answer_seconds))


def _sample(figures: Figures, source: Source, feed: "ChangeFeed | None") -> None:
    _count(figures, feed)
    try:
        figures.add(source.sample())
    except (NotRunning, NoReply):
        figures.sample = None  # another server may start


@contextmanager
def _keyboard(stream: TextIO) -> Iterator[Callable[[float], str]]:
    """A function that waits so many seconds for keys and returns them.

    Without a terminal it only waits.
    """
    if not stream.isatty():
        yield _wait
        return
    import termios
    import tty

    fd = stream.fileno()
    before = termios.tcgetattr(fd)
    tty.setcbreak(fd)

    def keys(seconds: float) -> str:
        if not select.select([fd], [], [], seconds)[0]:
            return ""
        data = os.read(fd, 1024)
        if not data:
            return "q"  # the terminal has gone
        text = data.decode(errors="replace")
        # An escape sequence is a key that means nothing here; Esc alone is one byte.
        return "" if text.startswith("\x1b") and len(text) > 1 else text

    try:
        yield keys
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)


def _wait(seconds: float) -> str:
    time.sleep(seconds)
    return ""


def _interval(text: str) -> float:
    value = seconds(text)
    if value < MIN_INTERVAL:
        raise argparse.ArgumentTypeError(f"at least {MIN_INTERVAL:g} seconds")
    return value

"""`gamin top`: shows what the server of the session does.

The server pushes its figures once a second. It does nothing for this while nobody
looks, and while the picture is paused.
"""

import argparse
import importlib.util
import os
import re
import select
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, TextIO

from gamin.cli.control import ControlConnection, NoReply, NotRunning, dial
from gamin.cli.options import seconds
from gamin.cli.status import read
from gamin.cli.top_model import Figures, Keys, Sample
from gamin.errors import GaminError
from gamin.protocol.watchman.client.session import FIGURES
from gamin.system.process_table import usage_of

if TYPE_CHECKING:
    from gamin.cli.change_feed import ChangeFeed

INTERVAL = 1.0
"""Seconds between two frames."""

MIN_INTERVAL, MAX_INTERVAL = 0.2, 3600.0
"""Seconds: the limits of --interval. For figures the server counts all its watches."""

RETRY_SECONDS = 1.0
"""Seconds between two attempts to find a server after the end of one."""

ANSWER_SECONDS = 10.0
"""Seconds that the server may take for figures beyond the interval."""

ONCE_SAMPLES = 40
"""Samples within the interval of --once, which its sparklines show."""

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
    interval = args.interval
    if args.once:
        interval = max(MIN_INTERVAL, interval / ONCE_SAMPLES)
    source = Source(interval)
    try:
        with _feed(args.paths) as feed:
            source.connect()  # raises if there is no server
            if args.once:
                return _print_once(source, feed, args)
            return _run_live(source, feed)
    finally:
        source.close()


class Source:
    """The figures that the server pushes, on one connection and again after its end.

    A server that has pushed nothing for too long hangs: the connection is given up.
    """

    def __init__(
        self, interval: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._interval = interval
        self._monotonic = monotonic
        self._due = 0.0
        """When the next figures must have come in."""
        self._connection: ControlConnection | None = None

    def connect(self) -> None:
        """Ask for the figures. Does nothing where they come in already. Raises
        NotRunning, NoReply and what `dial` does."""
        if self._connection is not None:
            return
        connection = dial()
        try:
            connection.subscribe_figures(self._interval)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        self._expect_more()

    def _expect_more(self) -> None:
        self._due = self._monotonic() + self._interval + ANSWER_SECONDS

    def fileno(self) -> int | None:
        """Readable when `sample` has something to return; None without connection."""
        return None if self._connection is None else self._connection.fileno()

    def due_in(self) -> float:
        """Seconds after which `connect` and `sample` are to be called even if nothing
        comes in."""
        if self._connection is None:
            return RETRY_SECONDS
        return max(0.0, self._due - self._monotonic())

    def sample(self) -> Sample | None:
        """The latest figures, if some have come in. Raises NoReply if the server has
        ended, or hangs."""
        if self._connection is None:
            return None
        try:
            figures = self._connection.figures()
            if figures is None:
                if self._monotonic() >= self._due:
                    raise NoReply(FIGURES, "it is busy or stopped")
                return None
            report = read(figures)
        except NoReply:
            self.close()
            raise
        self._expect_more()
        usage = usage_of(report.pid)
        return Sample(self._monotonic(), report, usage.cpu_seconds, usage.memory)

    def next_sample(self) -> Sample:
        """Wait for the next figures. Raises NoReply as `sample`."""
        while (sample := self.sample()) is None:
            fd = self.fileno()
            assert fd is not None, "it is connected until NoReply is raised"
            select.select([fd], [], [], self.due_in())
        return sample

    def close(self) -> None:
        """Nothing is pushed any more."""
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
    end = time.monotonic() + args.interval
    # Rates are differences, so there are two samples at least.
    while len(figures.activity) < 1 or time.monotonic() < end:
        sample = source.next_sample()
        _count(figures, feed)
        figures.add(sample)
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


def _run_live(source: Source, feed: "ChangeFeed | None") -> int:
    from rich.console import Console
    from rich.live import Live

    from gamin.cli.top_view import frame

    console = Console()
    figures, keys = Figures(), Keys()
    with (
        _keyboard(sys.stdin) as keyboard,
        Live(console=console, screen=True, auto_refresh=False) as live,
    ):
        while not keys.is_over:
            if keys.is_paused:
                source.close()
            else:
                _update(figures, source, feed)
            live.update(
                frame(figures, keys, console.width, console.height), refresh=True
            )
            wait = None if keys.is_paused else source.due_in()
            for key in keyboard(source.fileno(), wait):
                keys = keys.press(key)
    return 0


def _update(figures: Figures, source: Source, feed: "ChangeFeed | None") -> None:
    """Take over what has come in; without a server, look for one."""
    try:
        source.connect()
        sample = source.sample()
    except (NotRunning, NoReply):
        figures.sample = None  # another server may start
        return
    if sample is not None:
        _count(figures, feed)
        figures.add(sample)


@contextmanager
def _keyboard(stream: TextIO) -> Iterator[Callable[[int | None, float | None], str]]:
    """A function that waits for keys or figures and returns the keys.

    Its arguments: the descriptor of the figures, and how many seconds it waits at
    most. Without a terminal there are no keys.
    """
    if not stream.isatty():
        yield partial(_keys, None)
        return
    import termios
    import tty

    fd = stream.fileno()
    before = termios.tcgetattr(fd)
    tty.setcbreak(fd)
    try:
        yield partial(_keys, fd)
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)


def _keys(terminal: int | None, figures: int | None, wait: float | None) -> str:
    descriptors = [fd for fd in (terminal, figures) if fd is not None]
    if terminal not in select.select(descriptors, [], [], wait)[0] or terminal is None:
        return ""
    data = os.read(terminal, 1024)
    if not data:
        return "q"  # the terminal has gone
    text = data.decode(errors="replace")
    # An escape sequence is a key that means nothing here; Esc alone is one byte.
    return "" if text.startswith("\x1b") and len(text) > 1 else text


def _interval(text: str) -> float:
    value = seconds(text)
    if not MIN_INTERVAL <= value <= MAX_INTERVAL:
        raise argparse.ArgumentTypeError(
            f"from {MIN_INTERVAL:g} to {MAX_INTERVAL:g} seconds"
        )
    return value

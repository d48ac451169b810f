"""`gamin record`: writes changes to a file, which `gamin report` shows."""

import argparse
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from gamin.cli.options import add_paths, patterns_from, seconds


def configure(parser: argparse.ArgumentParser) -> None:
    parser.usage = "gamin record [OPTION…] FILE -- PATH…"
    parser.description = (
        "Write the changes at each PATH and below it to FILE, until Ctrl-C.\n"
        "FILE holds JSON lines, compressed if it ends in .gz or .zst; `gamin report`\n"
        "makes a page of it."
    )
    parser.epilog = (
        "examples:\n"
        "  gamin record build.jsonl.gz -- src build\n"
        "  gamin record --for 60 minute.jsonl -- ~ && gamin report minute.jsonl\n"
        "\n"
        "exit status: 0 after an interrupt or --for, 1 failed, 64 wrong usage"
    )
    parser.add_argument("file", metavar="FILE", help="the file to write")
    add_paths(parser)
    scope = parser.add_argument_group("which changes are recorded")
    scope.add_argument(
        "-i",
        "--ignore",
        action="append",
        default=[],
        metavar="GLOB",
        help="leave out paths that match GLOB, a line of .gitignore (repeatable)",
    )
    scope.add_argument(
        "--ignore-from",
        action="append",
        default=[],
        metavar="FILE",
        help="leave out what the lines of FILE match, as in .gitignore (repeatable)",
    )
    scope.add_argument(
        "--vcs-ignore", action="store_true", help="leave out what git ignores"
    )
    group = parser.add_argument_group("recording")
    group.add_argument(
        "--for",
        dest="duration",
        type=seconds,
        metavar="SECONDS",
        help="end after so many seconds",
    )
    group.add_argument(
        "-f", "--force", action="store_true", help="replace FILE if it exists"
    )
    group.add_argument(
        "-q",
        "--quiet",
        action="store_true",
        help="do not print `Watching` and the result on standard error",
    )


def run(args: argparse.Namespace) -> int:
    # Imported late: `--help` needs none of it.
    import gamin
    from gamin.cli import recording
    from gamin.cli.progress import progress
    from gamin.cli.watch import announce
    from gamin.client.arguments import absolute
    from gamin.paths import printable

    paths = [absolute(path) for path in args.paths]
    patterns = [*patterns_from(args.ignore_from), *args.ignore]
    own = absolute(args.file)
    deadline = None if args.duration is None else time.monotonic() + args.duration
    count = 0
    interrupts = DeferrableInterrupts()
    with interrupts, recording.open_new(args.file, replace=args.force) as file:
        own = os.path.realpath(own)
        try:
            with progress(sys.stderr, enabled=not args.quiet):
                opened = gamin.watch(
                    *paths,
                    ignore=patterns,
                    vcs_ignore=args.vcs_ignore,
                    unreadable=True,
                )
            with opened as watch:
                file.write(recording.header(paths, time.time()))
                file.flush()
                if not args.quiet:
                    announce(paths, watch.unreadable)
                while not watch.closed and (left := _left(deadline)) != 0:
                    batch = watch.next(left) or []
                    # Or the recording of a change would be the next change.
                    events = [event for event in batch if event.path != own]
                    if events:
                        with interrupts.deferred():
                            file.write(recording.lines(events, time.time()))
                            file.flush()  # so that little is lost if it is killed
                            count += len(events)
        except KeyboardInterrupt:
            pass
    if not args.quiet:
        shown = printable(args.file)
        print(f"Recorded {count:,} changes in {shown}", file=sys.stderr)
    return 0


class DeferrableInterrupts:
    """While entered, Ctrl-C ends the wait for changes, but never the writing of some.

    A SIGINT that is ignored, as in a background job, stays ignored.
    """

    def __init__(self) -> None:
        self._is_deferred = False
        self._is_pending = False
        self._replaces = signal.getsignal(signal.SIGINT) is signal.default_int_handler

    def __enter__(self) -> None:
        if self._replaces:
            signal.signal(signal.SIGINT, self._interrupt)

    def __exit__(self, *_: object) -> None:
        if self._replaces:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        if not self._is_deferred:
            raise KeyboardInterrupt
        self._is_pending = True

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Runs the block to its end, and raises KeyboardInterrupt only then."""
        self._is_deferred = True
        try:
            yield
        finally:
            self._is_deferred = False
        if self._is_pending:
            raise KeyboardInterrupt


def _left(deadline: float | None) -> float | None:
    return None if deadline is None else max(0.0, deadline - time.monotonic())

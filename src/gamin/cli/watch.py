"""`gamin watch`: prints the changes that `gamin.watch` yields."""

import argparse
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from typing import Protocol

from gamin.cli.output import (
    FIELDS,
    Record,
    Template,
    Writer,
    json_record,
    line_record,
    raw,
)
from gamin.errors import GaminError
from gamin.events import Event
from gamin.paths import printable

TIMED_OUT = 2
"""Exit status after --timeout."""

MAX_NAMED = 3
"""Paths that the line `Watching …` names."""

_WIDTH = max(map(len, FIELDS))
_EPILOG = "\n".join(
    [
        "fields of --format (other braces are written {{ and }}):",
        *(
            f"  {{{name}}}{'':{_WIDTH - len(name)}}  {f.meaning}"
            for name, f in FIELDS.items()
        ),
        "",
        "examples:",
        "  gamin watch -r -i '*.pyc' src tests",
        "  gamin watch -r --format '{time} {kind} {path}' .",
        "  gamin watch -r0 . | while IFS= read -rd '' change; do …; done",
        "  gamin watch --once -t 60 build.log && echo it was written",
        "",
        "exit status: 0 after --once or an interrupt, 1 failed, 2 timed out (-t), "
        "64 wrong usage",
    ]
)


class BadClock(GaminError):
    """The value of --since is no clock of these paths."""

    def __init__(self, clock: str, reason: str) -> None:
        super().__init__(clock, reason)
        self.clock = clock
        self.reason = reason

    def __str__(self) -> str:
        return f"cannot continue from {self.clock!r}: {self.reason}"


class Watch(Protocol):
    """The part of the result of `gamin.watch` that this module uses."""

    @property
    def clock(self) -> str | None: ...

    def __iter__(self) -> Iterator[list[Event]]: ...


OpenWatch = Callable[..., AbstractContextManager[Watch]]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Print what changes at each PATH: a file, or a directory and its entries.\n"
        "A PATH need not exist yet. Each line holds the kind of change (exists,\n"
        "created, changed, deleted, moved), a tab and the path; `moved` adds a tab\n"
        "and the new path."
    )
    parser.epilog = _EPILOG
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="a file or directory, which need not exist yet",
    )
    _add_scope(parser)
    _add_form(parser)
    _add_end(parser)


def _add_scope(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("which changes are reported")
    group.add_argument(
        "-r",
        "--recursive",
        action="store_true",
        help="everything below a PATH too, except what git ignores",
    )
    group.add_argument(
        "-i",
        "--ignore",
        action="append",
        default=[],
        metavar="GLOB",
        help="leave out paths that match GLOB, a line of .gitignore (repeatable)",
    )
    group.add_argument(
        "--no-vcs-ignore",
        action="store_true",
        help="with -r, include what git ignores",
    )
    group.add_argument(
        "--initial",
        action="store_true",
        help="report first what exists now, as `exists`",
    )
    group.add_argument(
        "--since",
        metavar="CLOCK",
        help="report first what changed since CLOCK, printed by --json for these PATHs",
    )


def _add_form(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("output")
    forms = group.add_mutually_exclusive_group()
    forms.add_argument(
        "--json",
        action="store_true",
        help="one object per line: kind, path, dest (moved only), is_dir, clock, and "
        "recovered if the change was lost and found again",
    )
    forms.add_argument(
        "--format",
        type=_template,
        metavar="F",
        help="print F for each change; it contains fields, see below",
    )
    group.add_argument(
        "-0",
        "--null",
        action="store_true",
        help="end each change with NUL instead of a newline, and print names byte for "
        "byte; otherwise control characters and bytes that are not UTF-8 are escaped",
    )
    group.add_argument(
        "-q",
        "--quiet",
        action="store_true",
        help="do not print `Watching` on standard error",
    )


def _add_end(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("end")
    group.add_argument(
        "--once", action="store_true", help="end after the first changes, with status 0"
    )
    group.add_argument(
        "-t",
        "--timeout",
        type=_seconds,
        metavar="SECONDS",
        help="end after so long without a change, with status 2",
    )


def run(args: argparse.Namespace, open_watch: OpenWatch | None = None) -> int:
    """Print changes until an interrupt, the time-out, or the first batch (--once).

    `open_watch` replaces `gamin.watch`.
    """
    # Imported late: `--help` needs no client.
    from gamin.client.arguments import absolute

    try:
        paths = [absolute(path) for path in args.paths]
        with _opened(open_watch or _service(), paths, args) as watch:
            if not args.quiet:
                print(watching_line(paths), file=sys.stderr, flush=True)
            return _follow(watch, _writer(args), once=args.once)
    except TimeoutError:
        return TIMED_OUT
    except KeyboardInterrupt:
        return 0


def _opened(
    open_watch: OpenWatch, paths: Sequence[str], args: argparse.Namespace
) -> AbstractContextManager[Watch]:
    try:
        return open_watch(
            *paths,
            recursive=args.recursive,
            ignore=args.ignore,
            vcs_ignore=args.recursive and not args.no_vcs_ignore,
            since=args.since,
            initial=args.initial,
            timeout=args.timeout,
        )
    except ValueError as error:  # the only argument that is not checked yet
        raise BadClock(args.since, str(error)) from error


def _follow(watch: Watch, writer: Writer, *, once: bool) -> int:
    for batch in watch:
        writer.write(batch, watch.clock)
        if once:
            break
    return 0


def _service() -> OpenWatch:
    import gamin

    return gamin.watch


def _writer(args: argparse.Namespace) -> Writer:
    show = raw if args.null else printable
    record: Record
    if args.json:
        record = json_record
    elif args.format:
        record = args.format.record(show)
    else:
        record = line_record(show)
    return Writer(sys.stdout.buffer, record, "\0" if args.null else "\n")


def watching_line(paths: Sequence[str]) -> str:
    """The line that announces that every change from now on is reported."""
    named = ", ".join(printable(path) for path in paths[:MAX_NAMED])
    more = len(paths) - MAX_NAMED
    return f"Watching {named}" + (f" and {more} more" if more > 0 else "")


def _template(text: str) -> Template:
    try:
        return Template(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _seconds(text: str) -> float:
    with suppress(ValueError):
        seconds = float(text)
        if 0 < seconds < math.inf:
            return seconds
    raise argparse.ArgumentTypeError(f"{text!r} is not a positive number of seconds")

"""`gamin watch`: prints what changes.

Watching is left to `gamin.watch`, the look of a change to `output`.
"""

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
MAX_NAMED = 3  # paths in the line that says what is watched

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
    """What --since was given is no clock of these paths."""

    def __init__(self, clock: str, reason: str) -> None:
        super().__init__(clock, reason)
        self.clock = clock
        self.reason = reason

    def __str__(self) -> str:
        return f"cannot go on from {self.clock!r}: {self.reason}"


class Watch(Protocol):
    """What is used of what `gamin.watch` returns."""

    @property
    def clock(self) -> str | None: ...

    def __iter__(self) -> Iterator[list[Event]]: ...


OpenWatch = Callable[..., AbstractContextManager[Watch]]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Print what changes at each PATH: a file, or a directory and its entries.\n"
        "A PATH that does not exist is waited for. One line is the kind of change\n"
        "(exists, created, changed, deleted, moved), a tab and the path; `moved` has\n"
        "a second tab and the new path."
    )
    parser.epilog = _EPILOG
    parser.add_argument("paths", nargs="+", metavar="PATH", help="need not exist")
    _add_scope(parser)
    _add_form(parser)
    _add_end(parser)


def _add_scope(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what is told")
    group.add_argument(
        "-r",
        "--recursive",
        action="store_true",
        help="all that is below too, except what git ignores",
    )
    group.add_argument(
        "-i",
        "--ignore",
        action="append",
        default=[],
        metavar="GLOB",
        help="nothing about these, as a line of .gitignore has it (can be repeated)",
    )
    group.add_argument(
        "--no-vcs-ignore",
        action="store_true",
        help="with -r, also what .gitignore files exclude",
    )
    group.add_argument(
        "--initial", action="store_true", help="first what is there now, as `exists`"
    )
    group.add_argument(
        "--since",
        metavar="CLOCK",
        help="first what changed since CLOCK, which --json gave for the same PATHs",
    )


def _add_form(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how it is told")
    forms = group.add_mutually_exclusive_group()
    forms.add_argument(
        "--json",
        action="store_true",
        help="objects: kind, path, dest (moved only), is_dir, clock, "
        "and recovered if changes were lost and found again",
    )
    forms.add_argument(
        "--format", type=_template, metavar="F", help="a text with fields, see below"
    )
    group.add_argument(
        "-0",
        "--null",
        action="store_true",
        help="end each change with NUL, not a newline, and print names as they are; "
        "without it, control characters and bytes that are not UTF-8 are escaped",
    )
    group.add_argument(
        "-q", "--quiet", action="store_true", help="no `Watching` on standard error"
    )


def _add_end(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("when it ends")
    group.add_argument(
        "--once", action="store_true", help="after the first changes, with status 0"
    )
    group.add_argument(
        "-t",
        "--timeout",
        type=_seconds,
        metavar="SECONDS",
        help="when nothing happens for so long, with status 2",
    )


def run(args: argparse.Namespace, open_watch: OpenWatch | None = None) -> int:
    """Print until interrupted, timed out, or done after the first batch (--once).

    `open_watch` takes what `gamin.watch` takes, which it is unless given.
    """
    # Imported late: `--help` needs neither the paths nor the service.
    from gamin.client.arguments import absolute

    try:
        paths = [absolute(path) for path in args.paths]
        with _opened(open_watch or _service(), paths, args) as watch:
            if not args.quiet:
                print(remark(paths), file=sys.stderr, flush=True)
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
    except ValueError as error:  # of the arguments, only this one is not checked yet
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


def remark(paths: Sequence[str]) -> str:
    """The line that says that from now on nothing is missed."""
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
    raise argparse.ArgumentTypeError(f"{text!r} is not a length of time")

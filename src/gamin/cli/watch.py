"""`gamin watch`: prints the changes that `gamin.watch` yields."""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from gamin.cli.options import add_paths, add_scope, scope_of, seconds
from gamin.cli.output import (
    Record,
    Writer,
    coloured,
    json_record,
    line_record,
    raw,
    relative_to,
    wants_colour,
)
from gamin.cli.template import DEFAULT_TIME, FIELDS, LETTERS, Template
from gamin.errors import GaminError
from gamin.events import Event, Kind
from gamin.paths import printable

TIMED_OUT = 2
"""Exit status after --timeout."""

MAX_NAMED = 3
"""Paths that the line `Watching …` names."""

_WIDTH = max(map(len, FIELDS)) + 2
_EPILOG = "\n".join(
    [
        "fields of --format (other braces are written {{ and }}):",
        *(f"  {f'{{{name}}}':{_WIDTH}}  {f.meaning}" for name, f in FIELDS.items()),
        "",
        "letters of --format, as inotifywait has them (a move gives two records):",
        *(f"  {f'%{letter}':{_WIDTH}}  {text}" for letter, text in LETTERS.items()),
        "",
        "examples:",
        "  gamin watch -r -i '*.pyc' src tests",
        "  gamin watch -r --format '{time} {kind} {path}' .",
        "  gamin watch -r --format '%e %w%f' src",
        "  gamin watch -r0 . | while IFS= read -rd '' change; do …; done",
        "  gamin watch --once -t 60 --kinds created inbox && echo it came",
        "  gamin watch --settle 2 inbox        # a file when it is complete",
        "",
        "exit status: 0 after --once or an interrupt, 1 failed, 2 timed out (-t),\n"
        "64 wrong usage",
    ]
)

Select = Callable[[Iterable[Event]], list[Event]]
"""The events of a batch that are printed, as they are printed."""


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

    @property
    def unreadable(self) -> list[str]: ...

    def next(self, timeout: float | None = None) -> list[Event] | None: ...


OpenWatch = Callable[..., AbstractContextManager[Watch]]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Print what changes at each PATH: a file, or a directory and its entries.\n"
        "A PATH need not exist yet. Each line holds the kind of change (exists,\n"
        "created, changed, deleted, moved), a tab and the path; `moved` adds a tab\n"
        "and the new path."
    )
    parser.epilog = _EPILOG
    add_paths(parser)
    _add_selection(parser)
    _add_form(parser)
    _add_end(parser)


def _add_selection(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("which changes are reported")
    add_scope(group)
    group.add_argument(
        "--kinds",
        type=_kinds,
        metavar="KIND,…",
        help="only these: created, changed, deleted, moved, exists",
    )
    group.add_argument(
        "--settle",
        type=seconds,
        default=0.0,
        metavar="SECONDS",
        help="report a path when nothing has happened to it for so long (a file is "
        "complete), and after 50 times that at the latest",
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
        help="print F for each change; it contains fields or letters, see below",
    )
    group.add_argument(
        "--timefmt",
        metavar="FORMAT",
        default=DEFAULT_TIME,
        help="the format of %%T, as for date(1)",
    )
    group.add_argument(
        "-0",
        "--null",
        action="store_true",
        help="end each change with NUL instead of a newline, and print names byte for "
        "byte; otherwise control characters and bytes that are not UTF-8 are escaped",
    )
    group.add_argument(
        "--relative",
        action="store_true",
        help="print paths relative to the current directory",
    )
    group.add_argument(
        "--color",
        choices=("auto", "always", "never"),
        default="auto",
        help="colour the kinds: auto does on a terminal unless NO_COLOR is set",
    )
    group.add_argument(
        "-q",
        "--quiet",
        action="store_true",
        help="do not print `Watching` and progress on standard error",
    )


def _add_end(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("end")
    group.add_argument(
        "--once",
        action="store_true",
        help="end after the first changes, with status 0",
    )
    group.add_argument(
        "-t",
        "--timeout",
        type=seconds,
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
                announce(paths, watch.unreadable)
            return _follow(watch, _writer(args, paths), _selection(args), args)
    except KeyboardInterrupt:
        return 0


def _opened(
    open_watch: OpenWatch, paths: Sequence[str], args: argparse.Namespace
) -> AbstractContextManager[Watch]:
    from gamin.cli.progress import progress

    scope = scope_of(args)
    try:
        with progress(sys.stderr, enabled=not args.quiet):
            return open_watch(
                *paths,
                **scope,
                since=args.since,
                initial=args.initial,
                unreadable=True,
                settle=args.settle,
            )
    except ValueError as error:  # the only argument that is not checked yet
        raise BadClock(args.since, str(error)) from error


def _follow(
    watch: Watch, writer: Writer, select: Select, args: argparse.Namespace
) -> int:
    timeout: float | None = args.timeout
    deadline = None if timeout is None else time.monotonic() + timeout
    while True:
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        batch = watch.next(left)
        if batch is None:
            is_late = deadline is not None and time.monotonic() >= deadline
            return TIMED_OUT if is_late else 0
        events = select(batch)
        if not events:
            continue
        writer.write(events, watch.clock)
        if args.once:
            return 0
        if timeout is not None:
            deadline = time.monotonic() + timeout


def _selection(args: argparse.Namespace) -> Select:
    """Drops the events that --kinds leaves out, and applies --relative."""
    kinds: frozenset[Kind] = args.kinds or frozenset(Kind)
    shorten = relative_to(os.getcwd()) if args.relative else None

    def select(batch: Iterable[Event]) -> list[Event]:
        events = [event for event in batch if event.kind in kinds]
        return events if shorten is None else [shorten(event) for event in events]

    return select


def _service() -> OpenWatch:
    import gamin

    return gamin.watch


def _writer(args: argparse.Namespace, paths: Sequence[str]) -> Writer:
    show = raw if args.null else printable
    stream = sys.stdout.buffer
    end = "\0" if args.null else "\n"
    if args.json:
        return Writer(stream, json_record, end)
    if args.format:
        if args.relative:
            shorten = relative_to(os.getcwd())
            paths = [shorten(Event(Kind.EXISTS, path)).path for path in paths]
        record: Record = args.format.record(show, paths, args.timefmt)
        return Writer(stream, record, end, splits_moves=args.format.splits_moves)
    record = line_record(show)
    if not args.null and wants_colour(args.color, stream, os.environ):
        record = coloured(record)
    return Writer(stream, record, end)


def announce(paths: Sequence[str], unreadable: Sequence[str]) -> None:
    """Print to standard error that every change from now on is reported, and where
    none can be."""
    print(watching_line(paths), file=sys.stderr, flush=True)
    if unreadable:
        more = f" and {len(unreadable) - 1} more" if len(unreadable) > 1 else ""
        print(
            f"gamin: {printable(unreadable[0])}{more} cannot be read: what happens "
            "inside is not reported",
            file=sys.stderr,
            flush=True,
        )


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


def _kinds(text: str) -> frozenset[Kind]:
    try:
        return frozenset(Kind(word.strip()) for word in text.split(","))
    except ValueError:
        known = ", ".join(kind.value for kind in Kind)
        raise argparse.ArgumentTypeError(f"{text!r} is not among {known}") from None

"""`gamin since`: prints once what changed since a clock or a named moment."""

import argparse
import json
import os
import sys

from gamin.cli.options import add_scope, scope_of
from gamin.cli.output import Writer, json_record, line_record, raw, relative_to
from gamin.cli.watch import BadClock
from gamin.events import Event, Kind
from gamin.paths import printable

Pair = tuple[list[Event], str]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.usage = (
        "gamin since [OPTION…] CLOCK PATH…\n"
        "       gamin since [OPTION…] --name NAME PATH…"
    )
    parser.description = (
        "Print what changed at each PATH since CLOCK, and end. The last line holds\n"
        "the clock of now, for the next time; with --name the server keeps it. What\n"
        "servers know of a tree outlives them: CLOCK may be from before a reboot.\n"
        "PATHs and options must be those of the time before. What the server cannot\n"
        "compare is listed completely, as `exists`."
    )
    parser.epilog = (
        "examples:\n"
        "  gamin since -r c:1763932020:4242:1:7 src\n"
        "  gamin since -r --name backup --paths --relative -0 . |\n"
        "      rsync -a --from0 --files-from=- . /backup/\n"
        "\n"
        "exit status: 0, 1 failed, 64 wrong usage"
    )
    parser.add_argument(
        "words", nargs="+", metavar="CLOCK PATH", help="the clock, then the paths"
    )
    group = parser.add_argument_group("which changes are reported")
    group.add_argument(
        "--name",
        metavar="NAME",
        help="since the last time that this NAME was used; everything the first time",
    )
    add_scope(group)
    form = parser.add_argument_group("output")
    form.add_argument(
        "--json",
        action="store_true",
        help="one object per line: kind, path, dest (moved only), is_dir, clock, and "
        "recovered; the last one has the clock alone",
    )
    form.add_argument(
        "--paths",
        action="store_true",
        help="only the paths of what exists now, without kinds and without the clock",
    )
    form.add_argument(
        "-0",
        "--null",
        action="store_true",
        help="end each record with NUL instead of a newline, and print names byte for "
        "byte",
    )
    form.add_argument(
        "--relative",
        action="store_true",
        help="print paths relative to the current directory",
    )


def run(args: argparse.Namespace) -> int:
    words: list[str] = args.words
    clock = f"n:{args.name}" if args.name is not None else words.pop(0)
    if not words:
        print("gamin since: which PATH?", file=sys.stderr)
        return 64
    events, now = _asked(words, clock, args)
    if args.relative:
        shorten = relative_to(os.getcwd())
        events = [shorten(event) for event in events]
    show = raw if args.null else printable
    end = "\0" if args.null else "\n"
    out = sys.stdout.buffer
    if args.paths:
        paths = dict.fromkeys(e.dest or e.path for e in events)
        gone = {e.path for e in events if e.kind is Kind.DELETED}
        gone -= {e.path for e in events if e.kind is Kind.CREATED}
        text = "".join(show(path) + end for path in paths if path not in gone)
        out.write(text.encode("utf-8", "surrogateescape"))
        return 0
    Writer(out, json_record if args.json else line_record(show), end).write(events, now)
    last = json.dumps({"clock": now}) if args.json else f"clock\t{now}"
    out.write(f"{last}{end}".encode())
    return 0


def _asked(paths: list[str], clock: str, args: argparse.Namespace) -> Pair:
    """Raises BadClock."""
    # Imported late: `--help` needs no client.
    from gamin.client.changes import changes
    from gamin.protocol.watchman.client.watching import WatchRefused

    try:
        return changes(*paths, since=clock, **scope_of(args))
    except (ValueError, WatchRefused) as error:
        raise BadClock(clock, str(error)) from error

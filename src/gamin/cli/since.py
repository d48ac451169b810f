"""`gamin since`: prints once what changed since a clock or a named moment."""

import argparse
import json
import os
import sys

from gamin.cli.options import add_scope, scope_of
from gamin.cli.output import Writer, json_record, line_record, raw, relative_to
from gamin.cli.rsync_list import rsync_list
from gamin.cli.watch import BadClock
from gamin.events import Event, Kind
from gamin.paths import printable

Pair = tuple[list[Event], str]

RSYNC = (
    "rsync -axr --delete --delete-missing-args --modify-window=-1"
    " --from0 --files-from=-"
)
"""What makes a copy exact with the list that `--rsync` prints."""


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
        "  gamin since --name backup --rsync src |\n"
        "      rsync -axr --delete --delete-missing-args --modify-window=-1 \\\n"
        "          --from0 --files-from=- src /backup/\n"
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
    _add_form(parser)


def _add_form(parser: argparse.ArgumentParser) -> None:
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
        "--rsync",
        action="store_true",
        help="what rsync has to compare in the one directory PATH and all below it, "
        "also what git ignores: for `rsync --from0 --files-from=-`",
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
    if args.rsync:
        return _print_for_rsync(words, clock, args)
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


def _print_for_rsync(words: list[str], clock: str, args: argparse.Namespace) -> int:
    """A copy is exact only if both programs mean the same files: all."""
    others = args.ignore or args.ignore_from or args.json or args.paths
    if len(words) != 1 or others or args.relative:
        print(
            "gamin since: --rsync takes one PATH, and -r and -0 only", file=sys.stderr
        )
        return 64
    args.recursive = args.no_vcs_ignore = True
    events, _ = _asked(words, clock, args)
    [path] = words
    shorten = relative_to(os.path.abspath(path))
    text = "".join(path + "\0" for path in rsync_list(map(shorten, events)))
    sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
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

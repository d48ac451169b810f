"""`gamin follow`: prints the changes that publishers send to a stream."""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Callable, Iterator

from gamin.cli.nats_options import add_nats
from gamin.cli.output import EventRecord, halves
from gamin.cli.parser import WRONG_USAGE
from gamin.cli.template import DEFAULT_TIME, FIELDS, LETTERS, Field, Template
from gamin.events import Event, Kind
from gamin.fleet.message import LISTING, MISSED, RESYNC, RESYNCED, FleetEvent
from gamin.paths import printable

MARKERS = (RESYNC, RESYNCED, MISSED)
"""Kinds that are about the whole tree."""

Lines = Callable[[FleetEvent], str]
"""What is printed for one event, with the ends of the lines."""


def _received(item: EventRecord) -> FleetEvent:
    assert item.message is not None, "gamin follow prints nothing else"
    return item.message


FLEET_FIELDS = {
    "host": Field("the host that published it", lambda item: _received(item).host),
    "tree": Field("the tree, by its name", lambda item: _received(item).tree),
    **FIELDS,
    "kind": Field(
        "as in gamin watch; resync, resynced and missed are about the whole tree",
        FIELDS["kind"].value,
    ),
    "path": Field("the path that changed, relative to the tree", FIELDS["path"].value),
    "clock": Field("the clock of the host's server", FIELDS["clock"].value),
    "time": Field(
        "when it was published, by the clock of the host, ISO 8601",
        lambda item: _received(item).time,
    ),
    "size": Field(
        "the size in bytes, if it is known",
        lambda item: _text(_received(item).size),
    ),
    "sequence": Field(
        "the position in the stream, as in --since",
        lambda item: str(_received(item).stream_sequence),
    ),
}
_WIDTH = max(map(len, FLEET_FIELDS)) + 2


def _text(number: int | None) -> str:
    return "" if number is None else str(number)


def configure(parser: argparse.ArgumentParser) -> None:
    parser.usage = "gamin follow [OPTION…] nats://HOST[,HOST…]"
    parser.description = (
        "Print what publishers (`gamin publish`) send: host and tree, kind and path\n"
        "of each change, in the order of the stream. A line is acknowledged when it\n"
        "was written. Needs: pip install 'gamin[fleet]'"
    )
    parser.epilog = "\n".join(
        [
            "fields of --format (other braces are written {{ and }}):",
            *(
                f"  {f'{{{name}}}':{_WIDTH}}  {field.meaning}"
                for name, field in FLEET_FIELDS.items()
            ),
            "",
            "letters of --format, as inotifywait has them (a move gives two records):",
            *(
                f"  {f'%{letter}':{_WIDTH}}  {meaning}"
                for letter, meaning in LETTERS.items()
            ),
            "",
            _EXAMPLES,
        ]
    )
    parser.add_argument("servers", metavar="nats://HOST", help="the servers")
    parser.add_argument("--host", metavar="H", help="only changes of this host")
    parser.add_argument("--tree", metavar="T", help="only changes of this tree")
    parser.add_argument(
        "--since",
        metavar="SEQ|TIME|all",
        help="begin at a position of the stream, at a time, or with all that is kept "
        "(default: with what comes from now on)",
    )
    parser.add_argument(
        "--durable",
        metavar="NAME",
        help="let the server remember under NAME what was printed",
    )
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument("--json", action="store_true", help="one object per line")
    forms.add_argument(
        "--format",
        type=_template,
        metavar="F",
        help="print F for each change; it contains fields or letters, see below",
    )
    parser.add_argument(
        "--timefmt",
        metavar="FORMAT",
        default=DEFAULT_TIME,
        help="the format of %%T, as for date(1)",
    )
    add_nats(parser)


_EXAMPLES = """examples:
  gamin follow nats://localhost
  gamin follow --host web1 --since all --json nats://localhost
  gamin follow --format '{time} {host}:{tree}/{path} {kind}' nats://localhost
  gamin follow --durable indexer --since all tls://nats.example.org

exit status: 0 ended by a signal, 1 failed, 64 wrong usage"""


def _template(text: str) -> Template:
    try:
        return Template(text, FLEET_FIELDS)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def run(args: argparse.Namespace) -> int:
    try:
        return asyncio.run(_follow(args))
    except KeyboardInterrupt:
        return 0


async def _follow(args: argparse.Namespace) -> int:
    from gamin.fleet.follower import follow, parse_since

    try:
        since = None if args.since is None else parse_since(args.since)
    except ValueError as error:
        print(f"gamin follow: --since {error}", file=sys.stderr)
        return WRONG_USAGE
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    lines = _lines(args)
    follower = follow(
        *args.servers.split(","),
        stream=args.stream,
        host=args.host,
        tree=args.tree,
        since=since,
        durable=args.durable,
        credentials=args.credentials,
        tls_ca=args.tls_ca,
    )
    try:
        async with follower:
            async for batch in follower:
                for event in batch:
                    sys.stdout.write(lines(event))
                sys.stdout.flush()
    except asyncio.CancelledError:
        pass  # SIGTERM
    return 0


def _lines(args: argparse.Namespace) -> Lines:
    if args.format is not None:
        return formatted(args.format, args.timefmt)
    record = as_json if args.json else as_line
    return lambda event: record(event) + "\n"


def formatted(template: Template, time_format: str = DEFAULT_TIME) -> Lines:
    """A line for each change, each path of a listing, and each marker."""
    record = template.record(printable, time_format=time_format)

    def lines(event: FleetEvent) -> str:
        items: Iterator[EventRecord] = records_of(event)
        if template.splits_moves:
            items = (half for item in items for half in halves(item))
        return "".join(record(item) + "\n" for item in items)

    return lines


def records_of(event: FleetEvent) -> Iterator[EventRecord]:
    """As the records that `gamin watch` formats; a listing is one for each path."""
    if event.kind == LISTING:
        for path, is_dir in event.entries:
            listed = Event(Kind.EXISTS, path, is_dir=is_dir)
            yield EventRecord(listed, event.clock, message=event)
    elif event.kind in MARKERS:
        nothing = Event(Kind.EXISTS, "", is_dir=True)
        yield EventRecord(nothing, event.clock, marker=event.kind, message=event)
    else:
        _, _, kind, path, dest, is_dir, recovered, *_ = event
        change = Event(Kind(kind), path, dest, is_dir=is_dir, recovered=recovered)
        yield EventRecord(change, event.clock, message=event)


def as_line(event: FleetEvent) -> str:
    """Host:tree, kind, path, new path of a rename; a line per path of a listing."""
    place = printable(f"{event.host}:{event.tree}")
    if event.kind == LISTING:
        return "\n".join(
            f"{place}\texists\t{printable(path)}" for path, _ in event.entries
        )
    if event.kind in MARKERS:
        return f"{place}\t{event.kind}"
    line = f"{place}\t{event.kind}\t{printable(event.path)}"
    return line if event.dest is None else f"{line}\t{printable(event.dest)}"


def as_json(event: FleetEvent) -> str:
    """All members that are set, in ASCII; odd bytes as surrogate escapes."""
    members = {
        key: value
        for key, value in event._asdict().items()
        if value not in (None, "", (), {})
    }
    if event.entries:
        members["entries"] = [
            {"path": path, "is_dir": is_dir} for path, is_dir in event.entries
        ]
    return json.dumps(members)

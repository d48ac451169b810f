"""`gamin follow`: prints the changes that publishers send to a stream."""

import argparse
import asyncio
import json
import signal
import sys

from gamin.cli.nats_options import add_nats
from gamin.cli.parser import WRONG_USAGE
from gamin.fleet.message import LISTING, MISSED, RESYNC, RESYNCED, FleetEvent
from gamin.paths import printable


def configure(parser: argparse.ArgumentParser) -> None:
    parser.usage = "gamin follow [OPTION…] nats://HOST[,HOST…]"
    parser.description = (
        "Print what publishers (`gamin publish`) send: host and tree, kind and path\n"
        "of each change, in the order of the stream. A line is acknowledged when it\n"
        "was written. Needs: pip install 'gamin[fleet]'"
    )
    parser.epilog = (
        "examples:\n"
        "  gamin follow nats://localhost\n"
        "  gamin follow --host web1 --since all --json nats://localhost\n"
        "  gamin follow --durable indexer --since all tls://nats.example.org\n"
        "\n"
        "exit status: 0 ended by a signal, 1 failed, 64 wrong usage"
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
    parser.add_argument("--json", action="store_true", help="one object per line")
    add_nats(parser)


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
    record = as_json if args.json else as_line
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
                    sys.stdout.write(record(event) + "\n")
                sys.stdout.flush()
    except asyncio.CancelledError:
        pass  # SIGTERM
    return 0


def as_line(event: FleetEvent) -> str:
    """Host:tree, kind, path, new path of a rename; a line per path of a listing."""
    place = f"{event.host}:{event.tree}"
    if event.kind == LISTING:
        return "\n".join(
            f"{place}\texists\t{printable(path)}" for path, _ in event.entries
        )
    if event.kind in (RESYNC, RESYNCED, MISSED):
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

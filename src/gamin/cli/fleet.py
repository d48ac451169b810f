"""`gamin fleet status`: who publishes to a stream, who reads from it, its limits."""

import argparse
import asyncio
import json
import sys
import time

from gamin.cli.nats_options import add_nats, servers_of
from gamin.fleet.registry import FleetState, fleet_state
from gamin.paths import printable


def configure(parser: argparse.ArgumentParser) -> None:
    parser.usage = "gamin fleet status [OPTION…] nats://HOST[,HOST…]"
    parser.description = (
        "Show the publishers of a stream (a host that was not heard of for a minute\n"
        "is gone), its consumers with what waits for them, and its limits."
    )
    parser.epilog = (
        "examples:\n"
        "  gamin fleet status nats://localhost\n"
        "\n"
        "exit status: 0, 1 failed, 64 wrong usage"
    )
    parser.add_argument("action", choices=("status",), help="what to show")
    parser.add_argument("servers", metavar="nats://HOST", help="the servers")
    parser.add_argument("--json", action="store_true", help="print a JSON object")
    add_nats(parser)


def run(args: argparse.Namespace) -> int:
    servers = servers_of(args.servers, args)
    state = asyncio.run(fleet_state(servers, args.stream))
    if args.json:
        print(json.dumps(as_object(state)))
    else:
        sys.stdout.write(as_text(state, time.time()))
    return 0


def as_object(state: FleetState) -> dict[str, object]:
    """For JSON: named members all the way down."""
    return {
        **state._asdict(),
        "consumers": [each._asdict() for each in state.consumers],
        "publishers": [
            {**each._asdict(), "trees": [tree._asdict() for tree in each.trees]}
            for each in state.publishers
        ],
    }


def as_text(state: FleetState, now: float) -> str:
    """A few tables. `now` is in seconds since 1970."""
    lines = [
        f"stream      {printable(state.stream)}: {state.messages:,} messages, "
        f"{state.bytes:,} bytes, positions {state.first} to {state.last}",
        f"limits      {_limits(state)}",
    ]
    for publisher in state.publishers:
        lines.append(
            f"publisher   {printable(publisher.host)}, seen {printable(publisher.seen)}"
        )
        for tree in publisher.trees:
            ago = "never" if not tree.last_sent else f"{now - tree.last_sent:.0f} s ago"
            lines.append(
                f"  {printable(tree.name)}  {printable(tree.path)}: "
                f"{tree.sent:,} sent, the last {ago}, "
                f"{tree.unacknowledged:,} not acknowledged"
            )
    if not state.publishers:
        lines.append("publishers  none was heard of in the last minute")
    for consumer in state.consumers:
        lines.append(
            f"consumer    {printable(consumer.name)}: {consumer.pending:,} pending, "
            f"{consumer.unacknowledged:,} not acknowledged"
        )
    return "\n".join(lines) + "\n"


def _limits(state: FleetState) -> str:
    found = []
    if state.max_age > 0:
        found.append(f"{state.max_age:,.0f} s")
    if state.max_messages > 0:
        found.append(f"{state.max_messages:,} messages")
    if state.max_bytes > 0:
        found.append(f"{state.max_bytes:,} bytes")
    return ", ".join(found) or "none: everything is kept"

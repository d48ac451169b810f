"""`gamin publish`: sends the changes of trees to a stream on NATS JetStream."""

import argparse
import asyncio
import logging
import os
import signal
import socket

from gamin.cli.nats_options import add_nats, servers_of
from gamin.cli.options import CannotRead, add_ignore, ignored_by
from gamin.fleet.settings import (
    BadSettings,
    Publication,
    PublishedTree,
    check,
    host_name,
    parse,
    tree_name,
)
from gamin.system.debug_log import EscapingFormatter


def configure(parser: argparse.ArgumentParser) -> None:
    parser.usage = (
        "gamin publish --to nats://HOST[,HOST…] [OPTION…] PATH…\n"
        "       gamin publish --config FILE"
    )
    parser.description = (
        "Send what changes at and below each PATH to a stream on NATS JetStream, from\n"
        "which `gamin follow` and other programs read. What was acknowledged is\n"
        "remembered beside the stream: a publisher that was stopped or killed goes on\n"
        "from there. It waits for a server that is not there yet.\n"
        "Needs: pip install 'gamin[fleet]'"
    )
    parser.epilog = (
        "examples:\n"
        "  gamin publish --to nats://localhost /srv/data\n"
        "  gamin publish --config ~/.config/gamin/publish.toml\n"
        "\n"
        "exit status: 0 ended by a signal, 1 failed, 64 wrong usage"
    )
    parser.add_argument("paths", nargs="*", metavar="PATH", help="a directory")
    parser.add_argument(
        "--to",
        metavar="URL[,URL…]",
        help="the servers, as nats://HOST:PORT or tls://HOST:PORT",
    )
    parser.add_argument(
        "--config", metavar="FILE", help="read servers and trees from a TOML file"
    )
    parser.add_argument(
        "--as",
        dest="host",
        default="",
        metavar="HOSTNAME",
        help="the name of this host in the stream (default: its own)",
    )
    add_nats(parser)
    group = parser.add_argument_group("which changes are published")
    add_ignore(group)
    group.add_argument(
        "--vcs-ignore", action="store_true", help="leave out what git ignores"
    )


def run(args: argparse.Namespace) -> int:
    publication = _publication(args)
    handler = logging.StreamHandler()  # to standard error
    handler.setFormatter(EscapingFormatter("gamin publish: %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.INFO)
    return asyncio.run(_publish(publication))


async def _publish(publication: Publication) -> int:
    from gamin.fleet.publisher import Publisher  # late: it needs nats-py

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    await Publisher(publication, stop).run()
    return 0


def _publication(args: argparse.Namespace) -> Publication:
    """Raises BadSettings and CannotRead."""
    hostname = socket.gethostname()
    if args.config:
        if args.paths or args.to:
            raise BadSettings("--config says which servers and trees: no PATH, no --to")
        try:
            with open(args.config, encoding="utf-8") as file:
                text = file.read()
        except (OSError, UnicodeDecodeError) as error:
            raise CannotRead(args.config, error) from error
        try:
            return parse(text, hostname)
        except BadSettings as error:
            raise BadSettings(f"{args.config}: {error}") from error
    if not args.to:
        raise BadSettings("--to: to which server? (nats://HOST)")
    if args.host and args.host != host_name(args.host):
        raise BadSettings(f"--as {args.host}: letters, digits, _ and -")
    ignore = tuple(ignored_by(args))
    trees = [
        PublishedTree(path, tree_name(path), ignore, args.vcs_ignore)
        for path in map(os.path.abspath, args.paths)
    ]
    servers = servers_of(args.to, args)
    host = host_name(args.host or hostname)
    return check(Publication(servers, args.stream, host, tuple(trees)))

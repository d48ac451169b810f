"""Options of the commands that talk to NATS."""

import argparse

from gamin.fleet.settings import DEFAULT_STREAM, Servers, check_url


def add_nats(parser: argparse.ArgumentParser) -> None:
    """--stream, --credentials and --tls-ca; see `servers_of`."""
    parser.add_argument(
        "--stream",
        default=DEFAULT_STREAM,
        metavar="NAME",
        help=f"the stream (default: {DEFAULT_STREAM})",
    )
    parser.add_argument(
        "--credentials", default="", metavar="FILE", help="credentials of a NATS user"
    )
    parser.add_argument(
        "--tls-ca", default="", metavar="FILE", help="certificates to trust"
    )


def servers_of(urls: str, args: argparse.Namespace) -> Servers:
    """The NATS servers, from addresses with commas between them. Raises BadSettings."""
    found = tuple(check_url(url) for url in urls.split(","))
    return Servers(found, args.credentials, args.tls_ca)

"""`gamin stop`: asks the server of the session to end."""

import argparse

from gamin.cli.control import NoReply, NotRunning, dial
from gamin.paths import printable

QUESTION = "gamin-stop"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Ask the server of the session (GAM_CLIENT_ID) to end, and wait until its\n"
        "addresses are free. A program that still watches starts a new server."
    )
    parser.epilog = (
        "examples:\n"
        "  gamin stop\n"
        "  GAM_CLIENT_ID=other gamin stop\n"
        "\n"
        "exit status: 0 no server runs any more, 1 the server did not end, "
        "64 wrong usage"
    )


def run(args: argparse.Namespace) -> int:
    try:
        connection = dial()
    except NotRunning as error:
        print(printable(str(error)))
        return 0
    with connection:
        connection.ask(QUESTION)
        # The server closes its addresses before its connections, so once this
        # connection is closed the addresses are free.
        if not connection.await_end():
            raise NoReply(QUESTION, "it did not end")
    return 0

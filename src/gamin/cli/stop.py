"""`gamin stop`: ends the server of the session.

How it ends, and what becomes of its clients, is left to the server.
"""

import argparse

from gamin.cli.control import NoReply, NotRunning, dial

QUESTION = "gamin-stop"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Ask the server of the session (GAM_CLIENT_ID) to end, and wait until its\n"
        "addresses are free. A program that still watches starts a new one."
    )
    parser.epilog = (
        "exit status: 0 none is running now, 1 it does not end, 64 wrong usage"
    )


def run(args: argparse.Namespace) -> int:
    try:
        line = dial()
    except NotRunning as error:
        print(error)
        return 0
    with line:
        line.ask(QUESTION)
        # It closes its addresses before its connections, so this is late enough.
        if not line.await_end():
            raise NoReply(QUESTION, "it goes on")
    return 0

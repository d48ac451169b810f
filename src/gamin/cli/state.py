"""`gamin state`: what is remembered of watched trees when no server runs."""

import argparse
import os
import time
from collections.abc import Mapping

from gamin.cli.control import find_address
from gamin.config.loader import state_home
from gamin.errors import GaminError
from gamin.paths import printable
from gamin.state.place import Place, Unusable
from gamin.state.store import Store


class StateUnusable(GaminError):
    """The store cannot be read."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Show or remove what servers of the session (GAM_CLIENT_ID) remember of the\n"
        "trees they watched: names of files, so that `since` works after a restart.\n"
        "Asks no server."
    )
    parser.epilog = (
        "examples:\n"
        "  gamin state list\n"
        "  gamin state forget ~/secret\n"
        "\n"
        "exit status: 0, 1 failed, 64 wrong usage"
    )
    parser.add_argument(
        "action",
        choices=("list", "forget", "where"),
        help="list the trees; forget everything at and below PATHs (a server that "
        "still watches them saves them again); say where the store is",
    )
    parser.add_argument("paths", nargs="*", metavar="PATH", help="only for forget")


def run(args: argparse.Namespace, environ: Mapping[str, str] | None = None) -> int:
    directory = state_home() if environ is None else state_home(environ)
    if not directory:
        print("nothing is kept: GAMIN_STATE is off")
        return 0
    place = Place(directory, find_address(environ).session, os.getuid())
    if args.action == "where":
        print(printable(place.path))
        return 0
    store = Store(place)
    try:
        if args.action == "forget":
            for path in map(os.path.abspath, args.paths):
                count = store.forget(os.fsencode(path))
                print(f"{printable(path)}: {count} forgotten")
            return 0
        for tree in store.summaries():
            when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(tree.saved))
            print(f"{when}  {tree.bytes:>12,}  {printable(os.fsdecode(tree.path))}")
    except Unusable as error:
        raise StateUnusable(str(error)) from error
    return 0

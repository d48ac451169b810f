"""`gamin exec`: runs a program so that its file watching goes through the service.

It changes the environment and becomes the program: the process, its standard streams,
its signals and its exit status are the program's own.
"""

import argparse
import os
import sys
from collections.abc import Mapping, MutableMapping, Sequence
from contextlib import closing

import gamin
from gamin.cli.control import find_address
from gamin.cli.parser import Parser
from gamin.client.connect import connect_watchman
from gamin.compat import settings
from gamin.errors import GaminError
from gamin.paths import printable

NOT_EXECUTABLE, NOT_FOUND = 126, 127
"""The statuses of shells for a program that cannot be started."""

PYWATCHMAN = "pywatchman"
NAMES = (*settings.LIBRARIES, PYWATCHMAN)
SITE = os.path.join(os.path.dirname(gamin.__file__), "compat", "site")
"""The folder of the `sitecustomize` that replaces the engines."""

_EPILOG = """\
What it does: starts the server, sets GAMIN_REPLACE and WATCHMAN_SOCK, and puts a
folder in front of PYTHONPATH whose sitecustomize replaces the engines right after
watchfiles or watchdog are imported. gamin must be installed in the environment of
PROGRAM; where it is not, PROGRAM says so and runs as ever. Python with -I or -E
ignores PYTHONPATH, so nothing changes there. GAMIN_REPLACE=0 turns everything off.

examples:
  gamin exec -- uvicorn --reload app:app
  gamin exec -- python manage.py runserver
  gamin exec --only watchdog --polling-too -- mkdocs serve

exit status: that of PROGRAM; 64 wrong usage, 126 or 127 it cannot be started"""


def configure(parser: Parser) -> None:
    parser.usage = "gamin exec [OPTION…] -- PROGRAM [ARGUMENT…]"
    parser.description = (
        "Run PROGRAM so that its watchfiles, watchdog and pywatchman use the service.\n"
        "Nothing in PROGRAM changes. What the service cannot do, they do themselves."
    )
    parser.epilog = _EPILOG
    parser.takes_command = True
    parser.add_argument(
        "--only",
        action="append",
        choices=NAMES,
        metavar="NAME",
        help="leave the others alone: watchfiles, watchdog or pywatchman (repeatable)",
    )
    parser.add_argument(
        "--polling-too",
        action="store_true",
        help="replace the PollingObserver of watchdog, too",
    )
    parser.add_argument(
        "--vcs-ignore",
        action="store_true",
        help="neither watch nor report what git ignores",
    )


def run(args: argparse.Namespace) -> int:
    command: Sequence[str] = args.command
    if not command:
        Parser(prog="gamin exec").error("which program?")
    environ = dict(os.environ)
    if environ.get(settings.REPLACE, "").lower() not in settings.OFF:
        prepare(environ, args)
    sys.stdout.flush()
    try:
        os.execvpe(command[0], list(command), environ)
    except OSError as error:
        print(f"gamin: {printable(command[0])}: {error.strerror}", file=sys.stderr)
        return NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE


def prepare(environ: MutableMapping[str, str], args: argparse.Namespace) -> None:
    """Set the variables for the program; none if the server cannot be started."""
    try:
        socket = start(environ)
    except GaminError as error:
        why = printable(str(error))
        print(f"gamin exec: running without the service: {why}", file=sys.stderr)
        return
    names = args.only or NAMES
    engines = [name for name in settings.LIBRARIES if name in names]
    if engines:
        # With a WATCHMAN_SOCK alone, hupper would watch by that.
        leaves_hupper = "watchdog" not in engines or PYWATCHMAN not in names
        more = () if leaves_hupper else (settings.HUPPER,)
        environ[settings.REPLACE] = ",".join((*engines, *more))
        before = environ.get("PYTHONPATH")
        environ["PYTHONPATH"] = SITE if not before else SITE + os.pathsep + before
    if args.polling_too:
        environ[settings.POLLING_TOO] = "1"
    if args.vcs_ignore:
        environ[settings.VCS_IGNORE] = "1"
    if socket is not None and PYWATCHMAN in names:
        environ["WATCHMAN_SOCK"] = socket


def start(environ: Mapping[str, str]) -> str | None:
    """Start the server if none runs; return the path of its socket."""
    with closing(connect_watchman(environ=environ)):
        address = find_address(environ)
        for directory in address.watchman_directories:
            path = os.path.join(directory, address.watchman_file)
            if os.path.exists(path):
                return os.fsdecode(path)
    return None

"""The program `gamin`: finds the command, and turns its outcome into an exit status.

What a command takes and does is left to its module, imported only when it is meant:
the program starts for every hook and every prompt, and most of it is not needed then.
"""

import argparse
import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from gamin import __version__
from gamin.errors import GaminError
from gamin.paths import printable

FAILED = 1
WRONG_USAGE = 64  # EX_USAGE of <sysexits.h>
INTERRUPTED = 130  # as shells have it: 128 and the number of the signal

GROUPS = {
    "watching": {
        "watch": "print what changes, one change a line",
    },
    "the server of the session": {
        "status": "say what it does, for whom, and at what cost",
        "stop": "end it",
    },
    "settings": {
        "config": "show the rules in force, and what they mean for a path",
    },
}
"""Every command with what it is for; its module in this folder has the same name."""

COMMANDS = [name for group in GROUPS.values() for name in group]

_EXAMPLES = """\
examples:
  gamin watch -r .                     what changes here and below
  gamin watch --once -t 60 build.log   wait a minute for one change
  gamin watch -r --json src | jq .     the same, for a program to read
  gamin status                         the server, its clients, its limits

exit status: 0 done, 1 failed, 2 timed out, 64 wrong usage
`gamin COMMAND --help` tells the rest."""


class Parser(argparse.ArgumentParser):
    """Tells what is wrong in one line, with the status that is for wrong usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_USAGE, f"gamin: {printable(message)} (see {self.prog} -h)\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status.

    Leaves by SystemExit, as argparse does, after --help, --version and wrong usage.
    """
    try:
        _open_output()
        try:
            return _run(sys.argv[1:] if argv is None else argv)
        finally:
            # Not left to the exit, where a reader that has gone makes a noise.
            sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _forget_output()
        return 0
    except OSError as error:
        _forget_output()
        return _failed(error)
    except GaminError as error:
        return _failed(error)


def _run(words: Sequence[str]) -> int:
    # No option of the program itself takes a value, so the first word is the command.
    program = _program_parser()
    name = program.parse_args(words[:1]).command
    if name is None:
        program.error("which command?")
    command = import_module(f"gamin.cli.{name}")
    parser = Parser(
        prog=f"gamin {name}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.configure(parser)
    status: int = command.run(parser.parse_args(words[1:]))
    return status


def _failed(error: Exception) -> int:
    print(f"gamin: {printable(str(error))}", file=sys.stderr)
    return FAILED


def _program_parser() -> Parser:
    parser = Parser(
        prog="gamin",
        usage="gamin COMMAND [OPTION…] [PATH…]",
        description="Tells what changes in files: one server for all your programs.",
        epilog=f"{_command_list()}\n{_EXAMPLES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"gamin {__version__}")
    parser.add_argument(
        "command",
        nargs="?",
        choices=COMMANDS,
        metavar="COMMAND",
        help="one of the following",
    )
    return parser


def _command_list() -> str:
    lines = []
    for group, commands in GROUPS.items():
        lines.append(f"{group}:")
        lines += [f"  {name:<10}{purpose}" for name, purpose in commands.items()]
        lines.append("")
    return "\n".join(lines)


def _open_output() -> None:
    """Let any text be printed in any locale. Raises OSError if closed (`>&-`)."""
    if sys.stdout is None:
        raise OSError("standard output is closed")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _forget_output() -> None:
    """The output cannot be written (`| head`, disk full): let the rest go nowhere.

    Otherwise the interpreter would write it once more at exit, and complain.
    """
    if sys.stdout is None:
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)

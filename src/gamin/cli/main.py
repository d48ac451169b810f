"""The program `gamin`: finds the command and turns its outcome into an exit status.

Each command is a module of this folder with `configure(parser)` and `run(args)`. It is
imported only when it is asked for, because hooks and prompts start the program often.
For the same reason help and version do without argparse, of which the import takes as
long as Python's start.
"""

import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from gamin import __version__
from gamin.errors import GaminError
from gamin.paths import printable

TYPE_CHECKING = False
"""As in `typing`, of which the import would take a tenth of the start."""
if TYPE_CHECKING:
    from typing import NoReturn

    from gamin.cli.parser import Parser

FAILED = 1
INTERRUPTED = 130
"""What shells report for a program that SIGINT ended: 128 plus the signal's number."""

GROUPS = {
    "watching": {
        "watch": "print what changes, one change per line",
        "since": "print once what changed since an earlier time",
        "run": "run a command now and whenever something changes",
        "record": "write changes to a file",
        "report": "show a recording as an HTML page",
    },
    "the server of the session": {
        "status": "show the server, its clients, its watches and its limits",
        "top": "the same, live, with rates and the busiest paths",
        "doctor": "check what keeps watching from working, and say what to do",
        "stop": "end the server",
        "state": "show or remove what is remembered across restarts",
    },
    "integration": {
        "git": "let the server tell git what changed",
        "watchman": "Watchman's command line, answered by the server",
        "exec": "run a program whose watchers then use the server",
        "compat": "show which libraries of this Python watch through the server",
        "service": "let systemd start the server, or libgamin start this one",
        "completions": "print the completions of bash, zsh or fish",
        "man": "print the manual page",
    },
    "many machines": {
        "publish": "send changes to a stream on NATS JetStream",
        "follow": "print the changes that publishers send",
        "fleet": "show the publishers and consumers of a stream",
    },
    "settings": {
        "config": "show the rules in force, and what they mean for a path",
    },
}
"""Every command and its purpose, by topic, in the order of the help text."""

COMMANDS = [name for group in GROUPS.values() for name in group]

_USAGE = "gamin COMMAND [OPTION…] [PATH…]"
_DESCRIPTION = "Report changes of files: one server for all your programs."
_OPTIONS = """\
options:
  -h, --help   show this help
  --version    show the version"""
_EXAMPLES = """\
examples:
  gamin watch -r .                     print what changes here and below
  gamin watch --once -t 60 build.log   wait up to a minute for one change
  gamin watch -r --json src | jq .     print the changes for another program
  gamin status                         show the server and its clients

exit status: 0 done, 1 failed, 2 timed out, 64 wrong usage
`gamin COMMAND --help` describes a command."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status.

    Raises SystemExit, as argparse does, after --help, --version and wrong usage.
    """
    try:
        _prepare_output()
        try:
            return _run(sys.argv[1:] if argv is None else argv)
        finally:
            # Flushed here, because at exit the interpreter prints a traceback if the
            # reader of a pipe has gone.
            sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _discard_output()
        return 0
    except OSError as error:
        _discard_output()
        return _failed(described(error))
    except GaminError as error:
        return _failed(str(error))


def _run(words: Sequence[str]) -> int:
    # No option of the program itself takes a value, so the first word is the command.
    match words[:1]:
        case ["-h" | "--help"]:
            print(program_help())
            raise SystemExit(0)
        case ["--version"]:
            print(f"gamin {__version__}")
            raise SystemExit(0)
        case [name] if name in COMMANDS:
            pass
        case _:
            refuse(words[:1])
    command = import_module(f"gamin.cli.{name}")
    parser = command_parser(name)
    status: int = command.run(parser.parse(words[1:]))
    return status


def _failed(text: str) -> int:
    print(f"gamin: {printable(text)}", file=sys.stderr)
    return FAILED


def described(error: OSError) -> str:
    """The error as the other programs of a shell say it: without its number."""
    if error.strerror is None:
        return str(error)
    if error.filename is None:
        return error.strerror
    return f"{os.fsdecode(error.filename)}: {error.strerror}"


def program_help() -> str:
    """The help of `gamin` without a command."""
    return "\n\n".join(
        (f"usage: {_USAGE}", _DESCRIPTION, _OPTIONS, f"{_command_list()}\n{_EXAMPLES}")
    )


def refuse(words: Sequence[str]) -> "NoReturn":
    """Exit with status 64 and say which command may be meant."""
    from gamin.cli.parser import Parser

    parser = Parser(prog="gamin", usage=_USAGE)
    parser.add_argument("command", nargs="?", choices=COMMANDS)
    parser.parse(words)
    parser.error(f"which command? {', '.join(COMMANDS)}")


def command_parser(name: str) -> "Parser":
    """The parser of the command `name`."""
    from gamin.cli.parser import Parser

    parser = Parser(prog=f"gamin {name}")
    import_module(f"gamin.cli.{name}").configure(parser)
    return parser


def _command_list() -> str:
    lines = []
    for group, commands in GROUPS.items():
        lines.append(f"{group}:")
        lines += [f"  {name:<13}{purpose}" for name, purpose in commands.items()]
        lines.append("")
    return "\n".join(lines)


def _prepare_output() -> None:
    """Allow any text in any locale. Raises OSError if the output is closed (`>&-`)."""
    if sys.stdout is None:
        raise OSError("standard output is closed")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _discard_output() -> None:
    """Send the rest of the output to /dev/null after a write to it failed.

    Otherwise the interpreter writes it again at exit, fails and prints a traceback.
    """
    if sys.stdout is None:
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)

"""`gamin run`: runs a command at once, and again whenever something changes."""

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from gamin.cli.options import add_paths, add_scope, scope_of, seconds
from gamin.cli.parser import Parser

if TYPE_CHECKING:
    import signal

    from gamin.cli.supervisor import Plan

DEBOUNCE_MS = 20.0
"""Milliseconds without a change before a run: one save of an editor is one run."""

STOP_TIMEOUT = 5.0
"""Seconds that a command gets to end after the stop signal."""

PLACEHOLDER = "{}"

_EPILOG = """\
{} is replaced by the changed paths, each an argument of its own; an argument that
contains {} is repeated for each path. In the first run, which no change causes, the
PATHs take their place. The TEXT of --shell gets the same paths as "$@".

Ctrl-C ends the command and gamin; so do SIGTERM, SIGHUP and SIGQUIT. The command runs
in a process group of its own: what it leaves there is stopped before the next run.

examples:
  gamin run -r src -- make test
  gamin run -r --restart --signal INT app -- python -m app
  gamin run -r --postpone -i '*.html' docs -- ./build-page {}
  gamin run --once --postpone config.toml -- ./reload
  gamin run -r --shell 'make && ./app --check' src
  gamin run -r --stdin0 src -- rsync -a --from0 --files-from=- / host:/copy

exit status: that of the command with --once; else 1 failed, 64 wrong usage, 126 or
127 the command cannot be started, 128 and the signal's number after a signal (130
after Ctrl-C)"""


def configure(parser: Parser) -> None:
    parser.usage = "gamin run [OPTION…] PATH… -- COMMAND [ARGUMENT…]"
    parser.description = (
        "Run COMMAND now, and again whenever something changes at a PATH. Changes\n"
        "during a run cause one more run after it. No shell is involved."
    )
    parser.epilog = _EPILOG
    parser.takes_command = True
    add_paths(parser)
    scope = parser.add_argument_group("which changes cause a run")
    add_scope(scope)
    scope.add_argument(
        "--debounce",
        type=_milliseconds,
        default=DEBOUNCE_MS,
        metavar="MS",
        help="run after so many milliseconds without a change (default: 20), and "
        "after 20 times as long at the latest",
    )
    _add_timing(parser)
    _add_command(parser)


def _add_timing(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("runs")
    group.add_argument(
        "--postpone", action="store_true", help="wait for a change before the first run"
    )
    busy = group.add_mutually_exclusive_group()
    busy.add_argument(
        "--restart",
        action="store_true",
        help="on a change, stop a command that still runs and start it again",
    )
    busy.add_argument(
        "--drop", action="store_true", help="ignore changes while the command runs"
    )
    group.add_argument(
        "--once",
        action="store_true",
        help="end when the command ends by itself, with its exit status",
    )
    group.add_argument(
        "--signal",
        type=_signal,
        default="TERM",
        metavar="NAME",
        help="the signal that stops the command (default: TERM)",
    )
    group.add_argument(
        "--stop-timeout",
        type=seconds,
        default=STOP_TIMEOUT,
        metavar="SECONDS",
        help="send SIGKILL so long after the stop signal (default: 5)",
    )


def _add_command(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the command")
    group.add_argument(
        "--shell",
        metavar="TEXT",
        help="run `sh -c TEXT` instead of a COMMAND",
    )
    group.add_argument(
        "--stdin0",
        action="store_true",
        help="pass the changed paths on standard input, each ended by NUL",
    )
    group.add_argument(
        "--clear",
        action="store_true",
        help="clear the terminal before each run",
    )
    group.add_argument(
        "-q",
        "--quiet",
        action="store_true",
        help="do not print `Watching` and failed exit statuses",
    )
    parser.set_defaults(refuse=parser.error)


def run(args: argparse.Namespace) -> int:
    if (args.shell is None) == (not args.command):
        args.refuse(
            "write the command after `--`, as in: gamin run src -- make"
            if args.shell is None
            else "give either --shell or a command after `--`"
        )
    # Imported late: `--help` needs none of it.
    import gamin
    from gamin.cli.change_feed import ChangeFeed
    from gamin.cli.progress import progress
    from gamin.cli.supervisor import CannotStart, Supervisor
    from gamin.cli.watch import announce
    from gamin.client.arguments import absolute
    from gamin.paths import printable

    paths = [absolute(path) for path in args.paths]
    scope = scope_of(args)
    with progress(sys.stderr, enabled=not args.quiet):
        opened = gamin.watch(*paths, **scope, unreadable=True)
    with opened as watch:
        if not args.quiet:
            announce(paths, watch.unreadable)
        feed = ChangeFeed(watch)
        try:
            return Supervisor(_plan(args, paths), feed).run()
        except CannotStart as error:
            print(f"gamin: {printable(str(error))}", file=sys.stderr)
            return error.exit_status
        finally:
            watch.close()
            feed.join()


def _plan(args: argparse.Namespace, paths: Sequence[str]) -> "Plan":
    from gamin.cli.run_schedule import WhenBusy
    from gamin.cli.supervisor import Plan

    when_busy = WhenBusy.QUEUE
    if args.restart:
        when_busy = WhenBusy.RESTART
    elif args.drop:
        when_busy = WhenBusy.DROP
    return Plan(
        paths,
        command_of(args.command, args.shell),
        when_busy,
        args.debounce / 1000,
        args.signal,
        args.stop_timeout,
        is_postponed=args.postpone,
        once=args.once,
        paths_on_stdin=args.stdin0,
        clear=args.clear,
        quiet=args.quiet,
    )


def command_of(
    words: Sequence[str], shell: str | None
) -> Callable[[Sequence[str]], list[str]]:
    """A function that returns the command for some changed paths."""

    def from_words(paths: Sequence[str]) -> list[str]:
        filled: list[str] = []
        for word in words:
            if PLACEHOLDER in word:
                filled += [word.replace(PLACEHOLDER, path) for path in paths]
            else:
                filled.append(word)
        return filled

    def from_shell(paths: Sequence[str]) -> list[str]:
        return ["/bin/sh", "-c", shell or "", "sh", *paths]

    return from_words if shell is None else from_shell


def _milliseconds(text: str) -> float:
    with suppress(ValueError):
        value = float(text)
        if 0 <= value < math.inf:
            return value
    raise argparse.ArgumentTypeError(f"{text!r} is not a number of milliseconds")


def _signal(text: str) -> "signal.Signals":
    """A signal by its name, with or without SIG, or by its number."""
    import signal

    with suppress(ValueError):
        return signal.Signals(int(text))
    name = text.upper()
    with suppress(KeyError):
        return signal.Signals[name if name.startswith("SIG") else f"SIG{name}"]
    raise argparse.ArgumentTypeError(f"{text!r} is not a signal, like TERM or INT")

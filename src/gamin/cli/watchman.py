"""`gamin watchman`: the command `watchman`, as Watchman's clients call it.

It sends one request to the server of the session and prints the reply, in the encoding
that the client reads.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any

from gamin.cli.parser import Parser
from gamin.cli.watchman_launcher import install, uninstall
from gamin.cli.watchman_service import (
    NO_STATE,
    Options,
    PriorityTooLow,
    Service,
    SpawnerFailed,
    StateDirectoryRefused,
    Unreachable,
)
from gamin.errors import GaminError
from gamin.paths import printable
from gamin.protocol.watchman.codec.pdu import (
    ENCODINGS,
    JSON,
    Encoding,
    decode,
    encoding_of,
)
from gamin.protocol.watchman.errors import BadRequest
from gamin.protocol.watchman.version import VERSION

ROOT_COMMANDS = frozenset(
    (
        *("clock", "find", "flush-subscriptions", "get-config", "query", "since"),
        *("state-enter", "state-leave", "subscribe", "unsubscribe"),
        *("trigger", "trigger-del", "trigger-list"),
        *("watch", "watch-del", "watch-project"),
        *("debug-ageout", "debug-get-asserted-states", "debug-get-subscriptions"),
        *("debug-recrawl", "debug-root-status", "debug-show-cursors"),
        *("debug-contenthash", "debug-symlink-target-cache"),
        *("debug-watcher-info", "debug-watcher-info-clear"),
    )
)
"""Commands whose first argument is a directory. Its path is made absolute here: the
server does not know the caller's working directory."""


def configure(parser: argparse.ArgumentParser) -> None:
    if isinstance(parser, Parser):
        parser.takes_words = True
    parser.usage = "gamin watchman [OPTION…] [COMMAND [ARGUMENT…]]"
    parser.description = (
        "Watchman's command line, answered by the server of the session, which it\n"
        "starts if need be. Without a COMMAND only that.\n\n"
        "`gamin watchman install DIR` puts it into DIR under the name `watchman`, and\n"
        "`gamin watchman uninstall DIR` removes it."
    )
    parser.epilog = (
        "exit status: 0 the server answered, also with an error; 1 there is no\n"
        "answer, or the request makes no sense; 64 wrong usage"
    )
    parser.add_argument(
        "words", nargs="*", metavar="COMMAND", help="a command and its arguments"
    )
    parser.add_argument("-v", "--version", action="version", version=VERSION)
    _add_output(parser.add_argument_group("request and reply"))
    _add_service(parser.add_argument_group("the server"))


def _add_output(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "-j", "--json-command", action="store_true", help="read the request from stdin"
    )
    group.add_argument(
        "-p", "--persistent", action="store_true", help="print what follows the reply"
    )
    group.add_argument(
        "--output-encoding", choices=ENCODINGS, help="of the reply; default json"
    )
    group.add_argument(
        "--server-encoding",
        choices=ENCODINGS,
        help="accepted: the server is asked in the encoding of the output",
    )
    group.add_argument(
        "--pretty",
        action=argparse.BooleanOptionalAction,
        help="indent JSON; default: if the output is a terminal",
    )


def _add_service(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "-U",
        "-u",
        "--sockname",
        "--unix-listener-path",
        metavar="PATH",
        help="the server that listens there, instead of that of the session",
    )
    group.add_argument(
        "-o", "--logfile", metavar="PATH", help="for what a started server reports"
    )
    group.add_argument("--log-level", type=int, choices=range(3), help="0, 1 or 2")
    group.add_argument(
        "--pidfile", metavar="PATH", help="locked while a started server runs"
    )
    group.add_argument(
        "--statefile",
        metavar="PATH",
        help="where a started server keeps what is watched",
    )
    group.add_argument(
        "-n",
        "--no-save-state",
        action="store_true",
        help="a started server keeps nothing for the next one",
    )
    group.add_argument(
        "--test-state-dir",
        metavar="DIR",
        help="the directory that has USER-state, for socket, log, pidfile and state",
    )
    group.add_argument(
        "--named-pipe-path", metavar="PATH", help="accepted: it is for Windows"
    )
    group.add_argument("-f", "--foreground", action="store_true", help="be the server")
    group.add_argument(
        "--inetd",
        action="store_true",
        help="with --foreground: listen at the standard input",
    )
    group.add_argument("--no-spawn", action="store_true", help="do not start a server")
    group.add_argument(
        "--no-local",
        action="store_true",
        help="with --no-spawn: answer nothing without a server",
    )
    group.add_argument(
        "-S",
        "--no-site-spawner",
        action="store_true",
        help="do not start a server by the program that the configuration names",
    )


def run(args: argparse.Namespace) -> int:
    words: list[str] = args.words
    match words:
        case ["install", directory]:
            return install(directory)
        case ["uninstall", directory]:
            return uninstall(directory)
    environ = os.environ
    service = Service(
        Options(
            sockname=args.sockname or environ.get("WATCHMAN_SOCK"),
            logfile=args.logfile,
            pidfile=args.pidfile,
            is_verbose=args.log_level == 2,
            statefile=NO_STATE if args.no_save_state else args.statefile,
            may_use_spawner=not args.no_site_spawner,
            state_dir=args.test_state_dir or environ.get("WATCHMAN_TEST_STATE_DIR"),
            is_inetd=args.inetd and args.foreground,
        ),
        environ,
    )
    if args.foreground:
        from gamin.cli.watchman_server import serve  # most commands find a server

        serve(service)
    is_spawning = not args.no_spawn and "WATCHMAN_NO_SPAWN" not in environ
    encoding = JSON
    if args.output_encoding:
        encoding = ENCODINGS[args.output_encoding]
    is_pretty = sys.stdout.isatty() if args.pretty is None else args.pretty
    try:
        request: object = words
        if args.json_command:
            data = sys.stdin.buffer.read()
            request = decode(data)
            if not args.output_encoding:
                encoding = encoding_of(data)
    except BadRequest as error:
        why = printable(str(error))
        print(f"failed to parse command from stdin: {why}", file=sys.stderr)
        return 1
    output = _Output(encoding, is_pretty=is_pretty)
    if not words and not args.json_command:
        service.connect(start=is_spawning).close()
        return 0
    try:
        resolved = _with_absolute_root(request)
    except BadRequest as error:
        output.write_value(_error(error) | {"cli_validated": True})
        return 1
    return _ask(service, resolved, output, args, is_spawning)


def _ask(
    service: Service,
    request: Sequence[object],
    output: "_Output",
    args: argparse.Namespace,
    is_spawning: bool,
) -> int:
    try:
        connection = service.connect(start=is_spawning)
    except (
        PriorityTooLow,
        SpawnerFailed,
        BadRequest,
        StateDirectoryRefused,
    ) as error:
        print(printable(str(error)), file=sys.stderr)
        return 1
    except (Unreachable, GaminError) as error:
        if is_spawning or args.no_local:
            why = printable(str(error))
            print(f"unable to talk to your watchman on {why}", file=sys.stderr)
            return 1
        return _answer_here(service, request, output)
    with connection:
        connection.send(output.encoding.encode(request))
        reply = connection.receive()
        if reply is None:
            print("the server closed the connection without a reply", file=sys.stderr)
            return 1
        if service.options.sockname and request[0] == "get-sockname":
            value = decode(reply)
            if isinstance(value, dict):
                path = service.options.sockname
                output.write_value(value | {"sockname": path, "unix_domain": path})
        else:
            output.write(reply)
        while args.persistent and (message := connection.receive()) is not None:
            output.write(message)
    return 0


class _Output:
    """Prints replies."""

    def __init__(self, encoding: Encoding, *, is_pretty: bool) -> None:
        self.encoding = encoding
        self._is_pretty = is_pretty and encoding == JSON

    def write(self, reply: bytes) -> None:
        """One reply, in the encoding that it has."""
        if self._is_pretty:
            self.write_value(decode(reply))
            return
        sys.stdout.buffer.write(reply)
        sys.stdout.buffer.flush()

    def write_value(self, value: object) -> None:
        if self._is_pretty:
            import json  # it takes longer than the rest of this module

            data = json.dumps(value, indent=4).encode() + b"\n"
        else:
            data = self.encoding.encode(value)
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


def _with_absolute_root(request: object) -> Sequence[object]:
    """The request with the real path of its root, if that exists. Raises BadRequest."""
    if not isinstance(request, list) or not request:
        raise BadRequest("invalid command (expected an array with some elements!)")
    if request[0] not in ROOT_COMMANDS:
        return request
    if len(request) < 2:
        raise BadRequest("wrong number of arguments")
    root = request[1]
    if not isinstance(root, str):
        raise BadRequest("second argument must be a string")
    try:
        real = os.fsdecode(os.path.realpath(os.fsencode(root), strict=True))
    except (OSError, ValueError):
        return request  # the server says what is wrong with it
    return [request[0], real, *request[2:]]


def _answer_here(service: Service, request: Sequence[object], output: _Output) -> int:
    """Answer without a server; only what needs none."""
    # Imported late: with a server none of it is needed.
    from gamin.protocol.watchman import replies
    from gamin.protocol.watchman import requests as ask
    from gamin.protocol.watchman.commands import parse_request

    reply: dict[str, Any]
    try:
        match parse_request(request):
            case ask.GetVersion() as wanted:
                from gamin import __version__

                reply = replies.version(wanted, __version__)
            case ask.ListCapabilities():
                reply = replies.list_capabilities()
            case ask.GetSockname():
                reply = replies.get_sockname(service.path)
            case ask.GetPid():
                reply = replies.get_pid(os.getpid())
            case _:
                raise BadRequest(f"command {request[0]} not available in this mode")
    except BadRequest as error:
        output.write_value(_error(error))
        return 1
    text = {
        key: os.fsdecode(value) if isinstance(value, bytes) else value
        for key, value in reply.items()
    }
    output.write_value(text)
    return 0


def _error(error: BadRequest) -> dict[str, Any]:
    return {"version": VERSION, "error": str(error)}

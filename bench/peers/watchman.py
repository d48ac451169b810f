"""Watchman, with its own command line client as subscriber."""

import json
import os
import shlex
from collections.abc import Iterator
from pathlib import Path

from bench.belief import Report, ReportKind
from bench.peers.base import Peer, Request, first_line


class Watchman(Peer):
    name = "watchman"
    about = "a server of its own and `watchman -p -j` subscribed to the root"
    has_server = True

    def version(self) -> str:
        return f"watchman {first_line('watchman', '--version')}"

    def help(self) -> list[str]:
        return ["watchman", "--help"]

    def command(self, request: Request) -> list[str]:
        """It starts the server like any client; then it subscribes and stays.

        Asking for the clock in between waits until the tree is read.
        """
        client = f"watchman {server_options(request.shared)} --no-pretty"
        root = shlex.quote(str(request.root))
        top, fields = str(request.root), {"fields": ["name", "exists"]}
        read = _file(request, "clock", top, {"sync_timeout": 180_000})
        subscribe = _file(request, "subscribe", top, "bench", fields)
        steps = [
            f"{client} watch {root} >/dev/null",
            f"{client} -j <{read} >/dev/null",
            f"exec {client} -p -j <{subscribe}",
        ]
        return ["sh", "-c", " && ".join(steps)]

    def is_ready(self, output: bytes, errors: bytes) -> bool:
        return b'"subscribe":' in output

    def parse(self, output: bytes, root: bytes) -> Iterator[Report]:
        """The first listing says what was there before and is left out."""
        answers = [json.loads(line) for line in output.splitlines()]
        told = [answer for answer in answers if "files" in answer]
        for number, answer in enumerate(told):
            if answer["is_fresh_instance"]:
                if number == 0:
                    continue
                yield Report(ReportKind.RESET)
            if answer["is_fresh_instance"] or "warning" in answer:
                yield Report(ReportKind.LOST)
            yield from _rows(answer["files"])


def _rows(files: list[dict[str, object]]) -> Iterator[Report]:
    for row in files:
        told = ReportKind.CREATED if row["exists"] else ReportKind.DELETED
        yield Report(told, os.fsencode(str(row["name"])))


def _file(request: Request, *command: object) -> str:
    """A file with one request to the server, its path quoted for the shell."""
    file = request.scratch / str(command[0])
    file.write_text(json.dumps(command) + "\n")
    return shlex.quote(str(file))


def server_options(shared: Path) -> str:
    """A server for this session alone."""
    files = {"-U": "sock", "-o": "log", "--statefile": "state", "--pidfile": "pid"}
    return " ".join(
        f"{option}{'=' if option.startswith('--') else ' '}{shared / file}"
        for option, file in files.items()
    )

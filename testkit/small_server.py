"""The smallest server there can be: it has the addresses and says hello.

Run as a program it serves the session of its environment until it is ended. What a
real server does with requests is tested with the real one.
"""

import os
import selectors
import socket
import sys
from collections.abc import Iterable, Mapping
from multiprocessing.connection import Connection
from pathlib import Path

from gamin.daemon.io.addresses import AlreadyRunning, Language, Listener, acquire
from gamin.system.address import find
from gamin.system.peercred import HELLO

LONELY_SECONDS = 10.0
ROOT = Path(__file__).parents[1]


def serve(pipe: Connection, environ: Mapping[str, str]) -> None:
    """Serve beside a test: says when it listens, ends when the test's block does."""
    listening = acquire(find(environ, os.getuid()))
    pipe.send("listening")
    answer(listening.listeners, until=pipe)
    listening.close()


def program(folder: Path) -> Path:
    """This server as one executable file, which is what GAMIN_DEBUG_SERVER names."""
    path = folder / "small_server"
    lines = (
        "#!/bin/sh",
        f"PYTHONPATH='{ROOT}' exec '{sys.executable}' -m testkit.small_server",
    )
    path.write_text("\n".join(lines) + "\n")
    path.chmod(0o755)
    return path


def answer(listeners: Iterable[Listener], until: Connection | None = None) -> None:
    """Say hello to whoever does, until something comes from `until`.

    With nobody to end it, it ends by itself when nobody has called for a while: of
    servers started together one may win only after its test has gone.
    """
    waiting = selectors.DefaultSelector()
    for listener in listeners:
        waiting.register(listener.socket, selectors.EVENT_READ, listener)
    if until is not None:
        waiting.register(until, selectors.EVENT_READ)
    callers: list[socket.socket] = []
    while ready := waiting.select(LONELY_SECONDS):
        for key, _ in ready:
            if not isinstance(key.data, Listener):
                return
            connected, _ = key.data.socket.accept()
            callers.append(connected)
            if key.data.language is Language.ORIGINAL and connected.recv(1) == HELLO:
                connected.sendall(HELLO)


def main() -> int:
    try:
        listening = acquire(find(os.environ, os.getuid()))
    except AlreadyRunning:
        return 0
    answer(listening.listeners)
    return 0


if __name__ == "__main__":
    sys.exit(main())

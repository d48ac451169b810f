"""A server of the Watchman language that answers what a test wants.

The real one is used wherever it can be made to answer so.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from uuid import uuid4

from gamin.cli.control import ControlConnection, dial
from gamin.daemon.io.addresses import Language, acquire
from gamin.system.address import find
from testkit.processes import beside, wait_for_end


@contextmanager
def line_to(
    answer: bytes, folder: Path, *, timeout: float = 10.0
) -> Iterator[ControlConnection]:
    """A line to a server that says `answer` to anything, and then nothing more.

    Without an answer it hangs up.
    """
    # The abstract name is the whole machine's, and other folders have the same name.
    environ = {"GAM_CLIENT_ID": str(uuid4()), "GAMIN_SOCKET_DIR": str(folder)}
    with beside(_serve, environ, answer) as server:
        server.recv()
        with dial(environ, timeout=timeout) as line:
            yield line


def _serve(pipe: Connection, environ: Mapping[str, str], answer: bytes) -> None:
    listening = acquire(find(environ, os.getuid()))
    [watchman] = listening.of(Language.WATCHMAN)
    watchman.socket.setblocking(True)
    pipe.send("listening")
    caller, _ = watchman.socket.accept()
    with caller:
        caller.recv(4096)
        if answer:
            caller.sendall(answer)
            wait_for_end(pipe)
    listening.close()

"""Starts a server as a process of its own, which outlives the starting program.

Waiting until it can be reached is left to `connect`.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

from gamin.errors import GaminError

# The shell is the first child: it starts the server in the background and ends, so
# that the server is nobody's child and no program has to wait for it. Forking twice
# by hand would do the same, but running Python between fork and exec is not safe in
# a program with threads; subprocess does this part in C.
_DETACH = ("/bin/sh", "-c", '"$@" &', "sh")


_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_START = ("daemon", "process", "start.py")
_CHOSEN = "GAMIN_DEBUG_SERVER"


class ServerNotExecutable(GaminError):
    """The program that should serve is not one that can be run."""

    def __init__(self, program: str, *, is_chosen: bool) -> None:
        """`is_chosen`: GAMIN_DEBUG_SERVER names it."""
        super().__init__(program)
        self.program = program
        self.is_chosen = is_chosen

    def __str__(self) -> str:
        hint = " (check GAMIN_DEBUG_SERVER)" if self.is_chosen else ""
        return f"{self.program!r} cannot be executed{hint}"


def server_command(environ: Mapping[str, str]) -> Sequence[str]:
    """GAMIN_DEBUG_SERVER, as libgamin has it, or else our own server.

    -I: Python variables, the current directory and the user's site-packages have no
    effect on the server: it serves all programs of the user, not only this one, and
    whoever can put a file there could otherwise run it in our name.
    """
    chosen = environ.get(_CHOSEN, "")
    return (
        (chosen,) if chosen else (sys.executable, "-I", os.path.join(_PACKAGE, *_START))
    )


def launch(command: Sequence[str], session: bytes, environ: Mapping[str, str]) -> None:
    """Start `command` for `session` and return at once.

    It gets a session of its own (no terminal, no hang-up), /dev/null as its standard
    streams and no other descriptor of ours. Raises ServerNotExecutable.
    """
    program = _found(command[0], environ)
    subprocess.run(
        [*_DETACH, program, *command[1:]],
        env={**environ, "GAM_CLIENT_ID": os.fsdecode(session)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        check=False,
    )


def _found(program: str, environ: Mapping[str, str]) -> str:
    """Where it is. As shutil.which, which comes with all there is for archives."""
    places = [""] if "/" in program else os.get_exec_path(environ)
    for place in places:
        path = os.path.join(place, program)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    raise ServerNotExecutable(program, is_chosen=bool(environ.get(_CHOSEN)))

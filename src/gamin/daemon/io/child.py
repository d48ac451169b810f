"""A program that the server starts and awaits without waiting.

The program is a session of its own, so it outlives the server and gets no signal that
is meant for it. /bin/sh changes the directory and opens the files of its output in the
child: in a directory that does not answer, only the child waits.
"""

import os
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from gamin.daemon.io.loop import Loop

SHELL = "/bin/sh"
UMASK = "022"
"""The usual one: that of the server is for files that only its user may read."""


class Redirection(NamedTuple):
    """Where a stream of the program goes."""

    descriptor: int
    path: bytes
    is_appended: bool


class Program(NamedTuple):
    command: Sequence[bytes]
    directory: bytes
    """In which it runs."""
    environment: Mapping[str, bytes]
    """Added to that of the server."""
    stdin: bytes | None
    """What it can read; None for nothing."""
    output: Sequence[Redirection] = ()


def start(program: Program, loop: Loop, ended: Callable[[int], None]) -> int:
    """Start the program and return its pid. `ended` is called with its exit status; for
    a program that a signal ended with the negative number. Raises OSError."""
    words = [b"umask " + UMASK.encode() + b' && cd "$1"']
    places = [program.directory]
    for descriptor, path, is_appended in program.output:
        places.append(path)
        operator = b">>" if is_appended else b">"
        words.append(b'exec %d%b"$%d"' % (descriptor, operator, len(places)))
    words.append(b'shift %d && exec "$@"' % len(places))
    script = b" && ".join(words)
    arguments: list[bytes | str] = [SHELL, "-c", script, "sh", *places]
    arguments += program.command
    # Children may have the environment of whoever started the server.
    environment = {**os.environb, **_encoded(program.environment)}
    readable = _readable(program.stdin)
    try:
        pid = os.posix_spawn(
            SHELL,
            arguments,
            environment,
            file_actions=[(os.POSIX_SPAWN_DUP2, readable, 0)],
            setsid=True,
            setsigmask=[],
            setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],
        )
    finally:
        os.close(readable)
    _await(pid, loop, ended)
    return pid


def _encoded(environment: Mapping[str, bytes]) -> dict[bytes, bytes]:
    return {name.encode(): value for name, value in environment.items()}


def _readable(text: bytes | None) -> int:
    """A descriptor from which the text is read, to its end."""
    if text is None:
        return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    descriptor = os.memfd_create("stdin", os.MFD_CLOEXEC)
    try:
        rest = memoryview(text)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.lseek(descriptor, 0, os.SEEK_SET)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _await(pid: int, loop: Loop, ended: Callable[[int], None]) -> None:
    awaited = os.pidfd_open(pid)  # close-on-exec

    def reap() -> None:
        loop.remove_reader(awaited)
        os.close(awaited)
        status = 0
        with suppress(ChildProcessError):
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        ended(status)

    loop.add_reader(awaited, reap)

"""Turns `gamin watchman --foreground` into the server.

What that needs is made first: the state directory, the log, the lock of the pidfile and
the socket, or a link to the socket of the session. A lock and a socket are passed on to
the server as by a service manager.
"""

import contextlib
import fcntl
import os
import socket
import stat
import sys
from typing import NoReturn

from gamin.cli.watchman_priority import check_priority
from gamin.cli.watchman_service import NO_STATE, STDERR, Service
from gamin.cli.watchman_state_directory import listen, prepared, read_access
from gamin.client.launch import server_command
from gamin.errors import GaminError
from gamin.system.systemd import CHOSEN, LOCK, OWN, pass_on

MAX_PID_BYTES = 32
"""Bytes of a pidfile that are read, for an error text."""


class PidfileHeld(GaminError):
    """Another server holds the lock of the pidfile."""

    def __init__(self, path: str, pid: str) -> None:
        super().__init__(path, pid)
        self.path = path
        self.pid = pid

    def __str__(self) -> str:
        return f"Failed to lock pidfile {self.path}: process {self.pid} owns it"


class NoListeningSocket(GaminError):
    """The standard input is not what `--inetd` says that it is."""

    def __str__(self) -> str:
        return "--inetd: the standard input is no Unix socket that listens"


def serve(service: Service) -> NoReturn:
    """Become the server. Raises GaminError and OSError if that cannot be."""
    check_priority(service.environ)
    options, passed = service.options, list[tuple[str, int]]()
    if options.is_inetd:
        passed.append((CHOSEN, inherited_socket()))
    access = None
    if service.state is not None:
        access = read_access(service.environ)
        with prepared(service.state.directory, access):
            pass
    if options.logfile and options.logfile != STDERR:
        _print_to(options.logfile)
    if options.pidfile:
        passed.append((LOCK, lock(options.pidfile)))
    if options.sockname and not options.is_inetd:
        state = service.state
        if state is None or access is None or options.sockname != state.sockname:
            link(options.sockname, service.session_path)
        else:
            passed.append((OWN, listen(state, access).detach()))
    environ = {**service.environ, "GAM_CLIENT_ID": os.fsdecode(service.session)}
    if options.is_verbose:
        environ["GAM_DEBUG"] = "1"
    if options.statefile:
        is_off = options.statefile == NO_STATE
        path = NO_STATE if is_off else os.path.abspath(options.statefile)
        environ["GAMIN_WATCHMAN_STATE"] = path
    if passed:
        environ |= pass_on(passed, environ)
    sys.stdout.flush()
    command = server_command(environ)
    os.execvpe(command[0], [*command, "--notimeout"], environ)


def inherited_socket() -> int:
    """A descriptor of the standard input. Raises NoListeningSocket."""
    descriptor = os.dup(0)
    try:
        given = socket.socket(fileno=descriptor)
        listens = given.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError:
        os.close(descriptor)
        raise NoListeningSocket from None
    if given.family != socket.AF_UNIX or not listens:
        given.close()
        raise NoListeningSocket
    return given.detach()


def _print_to(logfile: str) -> None:
    log = os.open(logfile, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)


def lock(pidfile: str) -> int:
    """Put our pid into the file, and return a descriptor that holds its lock. Raises
    PidfileHeld."""
    descriptor = os.open(pidfile, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = os.read(descriptor, MAX_PID_BYTES)
        os.close(descriptor)
        raise PidfileHeld(pidfile, os.fsdecode(pid)) from None
    os.ftruncate(descriptor, 0)
    os.write(descriptor, b"%d" % os.getpid())
    return descriptor


def link(path: str, target: bytes) -> None:
    """Make the path a link to the target. Raises FileExistsError for a file there that
    is neither a link nor a socket."""
    if not os.path.islink(path) and _is_other_file(path):
        raise FileExistsError(17, "neither a socket nor a link", path)
    new = os.fsencode(f"{path}.{os.getpid()}")
    with contextlib.suppress(FileNotFoundError):
        os.remove(new)
    os.symlink(target, new)
    os.replace(new, path)


def _is_other_file(path: str) -> bool:
    try:
        return not stat.S_ISSOCK(os.lstat(path).st_mode)
    except FileNotFoundError:
        return False

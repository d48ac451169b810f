"""Finds, starts or runs the server for `gamin watchman`.

Usually that is the server of the session. With `--sockname` it is another one, for a
session whose name is made of the path; the path is a link to that session's socket.
"""

import contextlib
import fcntl
import hashlib
import os
import socket
import sys
import time
from collections.abc import Mapping
from typing import NamedTuple, NoReturn

from gamin.cli.watchman_launcher import command_words
from gamin.client.connect import connect_watchman
from gamin.client.launch import launch, server_command
from gamin.client.locate import NoServer
from gamin.errors import GaminError, RemoteProtocolError
from gamin.protocol.watchman.codec.pdu import end_of
from gamin.system.address import Address, find

START_PATIENCE = 5.0
"""Seconds that a started server may take to accept a connection."""
_PAUSE = 0.01
"""Seconds between two attempts to reach it."""
_READ_SIZE = 256 * 1024
"""Bytes per recv()."""


NO_STATE = "off"
"""In `Options.statefile`: nothing is kept."""


class Options(NamedTuple):
    sockname: str | None = None
    logfile: str | None = None
    pidfile: str | None = None
    is_verbose: bool = False
    statefile: str | None = None
    """Where the server keeps what is watched; "off" for nowhere."""
    may_use_spawner: bool = True
    """The site's own program may start the server."""


class Unreachable(GaminError):
    """No server answers at the place."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}! ({self.reason})"


class SpawnerFailed(GaminError):
    """The site's program that starts servers could not be run, or has failed."""


class Connection:
    """One conversation in any encoding. Use it in a `with`."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._buffer = bytearray()

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def receive(self) -> bytes | None:
        """The next reply or message, whole; None when the server closed."""
        buffer = self._buffer
        may_be_whole = bool(buffer)
        while True:
            end = end_of(buffer) if may_be_whole else None
            if end is not None:
                message = bytes(buffer[:end])
                del buffer[:end]
                return message
            data = self._socket.recv(_READ_SIZE)
            if not data:
                if buffer:
                    raise RemoteProtocolError("the server closed amid a reply")
                return None
            buffer += data
            # To search a long line again for each piece would cost its square.
            may_be_whole = buffer.startswith(b"\0") or b"\n" in data


class Service:
    """The server, by the options and the environment of the command."""

    def __init__(self, options: Options, environ: Mapping[str, str]) -> None:
        self.options = options
        self._environ = environ

    @property
    def path(self) -> bytes:
        """Where its socket is, or would be."""
        if self.options.sockname:
            return os.fsencode(self.options.sockname)
        address = self._address()
        return address.watchman_directories[0] + b"/" + address.watchman_file

    def connect(self, *, start: bool) -> Connection:
        """Raises Unreachable, and what `connect_watchman` raises; SpawnerFailed, or
        BadRequest for a configuration that makes no sense, if a server is started."""
        connected = self._reach()
        if connected is None and start:
            connected = self._start()
        if connected is None:
            raise Unreachable(os.fsdecode(self.path), "No such file or directory")
        connected.settimeout(None)
        return Connection(connected)

    def _reach(self) -> socket.socket | None:
        path = self.options.sockname
        if path is None:
            try:
                return connect_watchman(start=False, environ=self._environ)
            except NoServer:
                return None
        connected = socket.socket(socket.AF_UNIX)
        try:
            connected.connect(path)
        except (FileNotFoundError, ConnectionRefusedError):
            connected.close()
            return None
        except OSError as error:
            connected.close()
            raise Unreachable(path, error.strerror or str(error)) from error
        return connected

    def _start(self) -> socket.socket | None:
        # Late: most commands find a server.
        from gamin.cli.watchman_spawner import site_spawner, spawn

        options = self.options
        spawner = site_spawner(self._environ) if options.may_use_spawner else None
        words = self._words()
        if spawner is not None:
            spawn(spawner, words, options.logfile, self._environ)
        elif not any(options._replace(is_verbose=False, may_use_spawner=False)):
            return connect_watchman(environ=self._environ, patience=START_PATIENCE)
        else:
            command = command_words("watchman", "--foreground", *words)
            launch(command, self._session(), self._environ)
        deadline = time.monotonic() + START_PATIENCE
        while time.monotonic() < deadline:
            connected = self._reach()
            if connected is not None:
                return connected
            time.sleep(_PAUSE)
        return None

    def _words(self) -> list[str]:
        """The options of a server that is started."""
        options = self.options
        words: list[str] = []
        for name in ("sockname", "logfile", "pidfile"):
            value = getattr(options, name)
            if value:
                words.append(f"--{name}={os.path.abspath(value)}")
        if options.is_verbose:
            words.append("--log-level=2")
        if options.statefile == NO_STATE:
            words.append("--no-save-state")
        elif options.statefile:
            words.append(f"--statefile={os.path.abspath(options.statefile)}")
        return words

    # -- being the server

    def serve(self) -> NoReturn:
        """Become the server. Raises GaminError and OSError if that cannot be."""
        options = self.options
        session = self._session()
        if options.pidfile:
            self._lock(options.pidfile)
        if options.sockname:
            self._link(options.sockname)
        environ = {**self._environ, "GAM_CLIENT_ID": os.fsdecode(session)}
        if options.is_verbose:
            environ["GAM_DEBUG"] = "1"
        if options.statefile:
            is_off = options.statefile == NO_STATE
            path = NO_STATE if is_off else os.path.abspath(options.statefile)
            environ["GAMIN_WATCHMAN_STATE"] = path
        if options.logfile and options.logfile != "-":
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
            log = os.open(options.logfile, flags, 0o600)
            os.dup2(log, 1)
            os.dup2(log, 2)
        sys.stdout.flush()
        command = server_command(environ)
        os.execvpe(command[0], [*command, "--notimeout"], environ)

    def _lock(self, path: str) -> None:
        """Hold the file, with our pid in it, as long as this process lives."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unreachable(path, "another server holds the lock") from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, b"%d" % os.getpid())
        os.set_inheritable(descriptor, True)

    def _link(self, path: str) -> None:
        """Make the path a link to the socket of the session. Raises FileExistsError
        for a file there that is neither a link nor a socket."""
        address = self._address()
        target = address.watchman_directories[0] + b"/" + address.watchman_file
        if not os.path.islink(path) and _is_other_file(path):
            raise FileExistsError(17, "neither a socket nor a link", path)
        new = os.fsencode(f"{path}.{os.getpid()}")
        with contextlib.suppress(FileNotFoundError):
            os.remove(new)
        os.symlink(target, new)
        os.replace(new, path)

    def _address(self) -> Address:
        session = os.fsdecode(self._session())
        return find(self._environ, os.getuid(), session=session)

    def _session(self) -> bytes:
        path = self.options.sockname
        if path is None:
            return os.fsencode(self._environ.get("GAM_CLIENT_ID", ""))
        name = hashlib.sha256(os.fsencode(os.path.abspath(path))).hexdigest()
        return b"watchman-" + name[:16].encode()


def _is_other_file(path: str) -> bool:
    import stat

    try:
        return not stat.S_ISSOCK(os.lstat(path).st_mode)
    except FileNotFoundError:
        return False

"""Finds or starts the server for `gamin watchman`.

Usually that is the server of the session. With `--sockname` it is another one, for a
session whose name is made of the path; the path is a link to that session's socket.
With `--test-state-dir` the server listens in that directory, and with `--inetd` at the
socket that is the standard input.
"""

import hashlib
import os
import socket
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from gamin.cli.watchman_launcher import command_words
from gamin.client.connect import connect_watchman
from gamin.client.launch import launch
from gamin.client.locate import NoServer
from gamin.errors import GaminError, RemoteProtocolError
from gamin.protocol.watchman.codec.pdu import end_of
from gamin.system.address import Address, find
from gamin.system.peercred import PeerRefused, check_peer

if TYPE_CHECKING:
    from gamin.cli.watchman_state_directory import StatePaths

START_PATIENCE = 5.0
"""Seconds that a started server may take to accept a connection."""
_PAUSE = 0.01
"""Seconds between two attempts to reach it."""
_READ_SIZE = 256 * 1024
"""Bytes per recv()."""


STDERR = "-"
"""In `Options.logfile`: the log goes where the command prints."""
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
    state_dir: str | None = None
    """The directory that has `USER-state`, for what is not named otherwise."""
    is_inetd: bool = False
    """The standard input is the socket to listen at."""


class Unreachable(GaminError):
    """No server answers at the place."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}! ({self.reason})"


class PriorityTooLow(GaminError):
    """The server would run with a greater nice value than is wanted."""

    def __init__(self, nice: int, most: int) -> None:
        super().__init__(nice, most)
        self.nice = nice
        self.most = most

    def __str__(self) -> str:
        return (
            "Watchman is running at a lower than normal priority. "
            f"(nice_value={self.nice}, min_acceptable_nice_value={self.most}). Since "
            "that results in poor performance that is otherwise very difficult to "
            "trace, diagnose and debug, Watchman is refusing to start."
        )


class StateDirectoryRefused(GaminError):
    """The state directory, or the socket in it, is not as its user wants it."""


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
        self.environ: Mapping[str, str] = environ
        self.state: StatePaths | None = None
        """What is in the directory that `state_dir` has for the user."""
        if options.state_dir:
            from gamin.cli.watchman_state_directory import state_paths

            self.state = state_paths(options.state_dir, environ)
            own = self.state._asdict()
            names = ("sockname", "logfile", "pidfile", "statefile")
            values = {name: getattr(options, name) or own[name] for name in names}
            options = options._replace(**values)
        self.options: Options = options

    @property
    def path(self) -> bytes:
        """Where its socket is, or would be."""
        if self.options.sockname:
            return os.fsencode(self.options.sockname)
        return self.session_path

    @property
    def session_path(self) -> bytes:
        """Where the server of the session has its socket, or would have it."""
        address = self._address()
        return address.watchman_directories[0] + b"/" + address.watchman_file

    def connect(self, *, start: bool) -> Connection:
        """Raises Unreachable, and what `connect_watchman` raises; SpawnerFailed, or
        PriorityTooLow, or BadRequest for a configuration that makes no sense, if a
        server is started; and StateDirectoryRefused."""
        if self.state is not None:
            from gamin.cli.watchman_state_directory import prepared, read_access

            with prepared(self.state.directory, read_access(self.environ)):
                pass
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
                return connect_watchman(start=False, environ=self.environ)
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
        try:
            check_peer(connected)
        except PeerRefused:
            connected.close()
            raise
        return connected

    def _start(self) -> socket.socket | None:
        # Late: most commands find a server.
        from gamin.cli.watchman_priority import check_priority
        from gamin.cli.watchman_spawner import site_spawner, spawn

        check_priority(self.environ)
        options = self.options
        spawner = site_spawner(self.environ) if options.may_use_spawner else None
        words = self._words()
        if spawner is not None:
            spawn(spawner, words, options.logfile, self.environ)
        elif options == Options(
            is_verbose=options.is_verbose, may_use_spawner=options.may_use_spawner
        ):
            return connect_watchman(environ=self.environ, patience=START_PATIENCE)
        else:
            command = command_words("watchman", "--foreground", *words)
            launch(command, self.session, self.environ)
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
        if options.state_dir:
            words.append(f"--test-state-dir={os.path.abspath(options.state_dir)}")
        for name in ("sockname", "logfile", "pidfile"):
            value = getattr(options, name)
            if value and (self.state is None or value != getattr(self.state, name)):
                path = value if value == STDERR else os.path.abspath(value)
                words.append(f"--{name}={path}")
        if options.is_verbose:
            words.append("--log-level=2")
        if options.statefile == NO_STATE:
            words.append("--no-save-state")
        elif options.statefile:
            words.append(f"--statefile={os.path.abspath(options.statefile)}")
        return words

    def _address(self) -> Address:
        session = os.fsdecode(self.session)
        return find(self.environ, os.getuid(), session=session)

    @property
    def session(self) -> bytes:
        """Its name."""
        path = self.options.sockname
        if path is None:
            return os.fsencode(self.environ.get("GAM_CLIENT_ID", ""))
        name = hashlib.sha256(os.fsencode(os.path.abspath(path))).hexdigest()
        return b"watchman-" + name[:16].encode()
